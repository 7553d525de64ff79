/* SPDX-License-Identifier: Apache-2.0 */
/* Origins of other sites, as NextAuthCORS lists them, and the values of Origin headers. */
#include "base/origin.h"

#include <apr_strings.h>

#include "tap.h"

static void parsing(apr_pool_t *pool)
{
    static const struct {
        const char *text, *exact, *below;
    } accepted[] = {{"https://App.Example.org", "https://app.example.org", NULL},
                    {"HTTPS://app.example.org:443", "https://app.example.org", NULL},
                    {"https://app.example.org:8443", "https://app.example.org:8443", NULL},
                    {"https://192.0.2.1", "https://192.0.2.1", NULL},
                    {"https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", NULL},
                    {"http://localhost:3000", "http://localhost:3000", NULL},
                    {"http://127.0.0.1:80", "http://127.0.0.1", NULL},
                    {"https://*.Example.org", NULL, ".example.org"},
                    {"https://*.example.org:443", NULL, ".example.org"},
                    {"https://*.example.org:8443", NULL, ".example.org:8443"}};
    static const char *const refused[] = {"",
                                          "*",
                                          "null",
                                          "app.example.org",
                                          "http://app.example.org",
                                          "ftp://app.example.org",
                                          "https://app.example.org/",
                                          "https://app.example.org?",
                                          "https://app.example.org#",
                                          "https://user@app.example.org",
                                          "https://app.example.org:0",
                                          "https://app.example.org:",
                                          "https://",
                                          "https://*",
                                          "https://*.",
                                          "https://*.org",
                                          "https://*.localhost",
                                          "https://*..example.org",
                                          "https://*.example..org",
                                          "https://*.example.org.",
                                          "https://*.example.org/",
                                          "https://*.*.example.org",
                                          "https://a.*.example.org",
                                          "https://a*.example.org",
                                          "https://*.192.0.2.1",
                                          "https://*.[2001:db8::1]",
                                          "https://*.user@example.org",
                                          "HTTPS://*.example.org",
                                          "http://*.example.org",
                                          "http://*.localhost"};
    na_origin origin;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        ok(na_origin_parse(pool, accepted[i].text, &origin), "%s", accepted[i].text);
        is(origin.exact, accepted[i].exact, "  the origin alone");
        is(origin.below, accepted[i].below, "  the hosts below a domain");
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ok(!na_origin_parse(pool, refused[i], &origin), "refused: '%s'", refused[i]);
}

static void matching(apr_pool_t *pool)
{
    static const struct {
        const char *text, *value;
        int matches;
    } cases[] = {{"https://app.example.org", "https://app.example.org", 1},
                 {"https://app.example.org", "https://app.example.org.", 0},
                 {"https://app.example.org", "https://app.example.org:8443", 0},
                 {"https://app.example.org", "https://app.example.org.evil.net", 0},
                 {"https://app.example.org", "http://app.example.org", 0},
                 {"https://app.example.org", "https://a.app.example.org", 0},
                 {"https://app.example.org", "null", 0},
                 {"https://app.example.org", "", 0},
                 {"https://*.example.org", "https://a.example.org", 1},
                 {"https://*.example.org", "https://a.b-1.example.org", 1},
                 {"https://*.example.org", "https://example.org", 0},
                 {"https://*.example.org", "https://.example.org", 0},
                 {"https://*.example.org", "https://a..example.org", 0},
                 {"https://*.example.org", "https://evilexample.org", 0},
                 {"https://*.example.org", "https://A.example.org", 0},
                 {"https://*.example.org", "http://a.example.org", 0},
                 {"https://*.example.org", "https://a.example.org:8443", 0},
                 {"https://*.example.org", "https://a.example.org.", 0},
                 {"https://*.example.org", "https://evil.net/.example.org", 0},
                 {"https://*.example.org", "https://evil.net#.example.org", 0},
                 {"https://*.example.org", "https://evil.net:1.example.org", 0},
                 {"https://*.example.org", "https://evil@a.example.org", 0},
                 {"https://*.example.org", "https://evil.net https://a.example.org", 0},
                 {"https://*.example.org", "https://", 0},
                 {"https://*.example.org", "null", 0},
                 {"https://*.example.org:8443", "https://a.example.org:8443", 1},
                 {"https://*.example.org:8443", "https://a.example.org", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        na_origin origin;
        int matches = na_origin_parse(pool, cases[i].text, &origin) &&
                      na_origin_matches(&origin, cases[i].value);
        is_number(matches, cases[i].matches,
                  apr_pstrcat(pool, cases[i].text, " and '", cases[i].value, "'", NULL));
    }
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    parsing(pool);
    matching(pool);
    return tap_done();
}
