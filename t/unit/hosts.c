/* SPDX-License-Identifier: Apache-2.0 */
/* Host names of a site: patterns, and the host of a request among them. */
#include "base/hosts.h"

#include <string.h>

#include <apr_strings.h>

#include "tap.h"

static void parsing(apr_pool_t *pool)
{
    static const struct {
        const char *text, *origin, *path;
    } accepted[] = {{"https://Shop.Example.com", "https://shop.example.com", ""},
                    {"https://*.Example.org", "https://*.example.org", ""},
                    {"https://pr-*.example.org:443/app", "https://pr-*.example.org", "/app"},
                    {"https://*-x.example.org:8443/", "https://*-x.example.org:8443", "/"},
                    {"http://*.localhost:3000", "http://*.localhost:3000", ""},
                    {"https://example.org.", "https://example.org", ""},
                    {"https://[0:0::1]:8443", "https://[::1]:8443", ""},
                    {"https://192.0.2.1", "https://192.0.2.1", ""},
                    {"https://example.org/a*b", "https://example.org", "/a*b"}};
    static const char *const refused[] = {"https://*",
                                          "https://*.org",
                                          "https://*.*.example.org",
                                          "https://**.example.org",
                                          "https://a.*.example.org",
                                          "https://example.*",
                                          "https://*example",
                                          "https://*:*",
                                          "https://[*::1]",
                                          "https://u@*.example.org",
                                          "https://*@example.org",
                                          "*.example.org",
                                          "ftp://*.example.org",
                                          "https://*..example.org",
                                          "https://.example.org",
                                          "https://a..example.org"};
    na_host_pattern pattern;
    const char *path;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        is(na_host_pattern_parse(pool, accepted[i].text, &pattern, &path), NULL, accepted[i].text);
        is(pattern.origin, accepted[i].origin, "  its origin");
        is(path, accepted[i].path, "  its path");
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ok(na_host_pattern_parse(pool, refused[i], &pattern, &path) != NULL, "refused: %s",
           refused[i]);
}

static void normalizing(apr_pool_t *pool)
{
    static const struct {
        const char *text, *host; /* NULL if it is refused */
    } cases[] = {{"A.Example.ORG", "a.example.org"},
                 {"a.example.org.", "a.example.org"},
                 {"a.example.org..", NULL},
                 {"", NULL},
                 {".", NULL},
                 {".example.org", NULL},
                 {"a..b", NULL},
                 {"a b", NULL},
                 {"a,b", NULL},
                 {"a@b", NULL},
                 {"a/b", NULL},
                 {"a\\b", NULL},
                 {"a%2eb", NULL},
                 {"*.example.org", NULL},
                 {"\xc3\xa4.example.org", NULL},
                 {"a\x7f.example.org", NULL},
                 {"::1", "[::1]"},
                 {"[::1]", "[::1]"},
                 {"0:0:0:0:0:0:0:1", "[::1]"},
                 {"2001:DB8::A", "[2001:db8::a]"},
                 {"[fe80::1%eth0]", NULL},
                 {"[::1", NULL},
                 {"::1]", NULL},
                 {"[]", NULL},
                 {"a:80", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char host[NA_HOST_LEN_MAX + 1] = "";
        int done = na_host_normalize(cases[i].text, host);
        is(done ? host : NULL, cases[i].host, apr_psprintf(pool, "'%s'", cases[i].text));
    }
}

static void lengths(void)
{
    char host[NA_HOST_LEN_MAX + 1], text[400];
    memset(text, 'a', 64);
    strcpy(text + 64, ".org");
    ok(!na_host_normalize(text, host), "a label of 64 characters is refused");
    ok(na_host_normalize(text + 1, host), "  one of 63 is not");
    for (int i = 0; i < 300; i++)
        text[i] = i % 2 ? '.' : 'a';
    text[254] = '\0';
    ok(na_host_normalize(text, host), "253 characters and the root's dot are a name");
    is_number((long)strlen(host), NA_HOST_LEN_MAX, "  which fill the buffer");
    text[254] = 'a';
    text[255] = '\0';
    ok(!na_host_normalize(text, host), "  255 are not");
}

static apr_array_header_t *patterns_of(apr_pool_t *pool, const char *const *texts)
{
    apr_array_header_t *patterns = apr_array_make(pool, 4, sizeof(na_host_pattern));
    const char *path;
    for (; *texts; texts++)
        na_host_pattern_parse(pool, *texts, apr_array_push(patterns), &path);
    return patterns;
}

static void finding(apr_pool_t *pool)
{
    static const char *const texts[] = {"https://*.example.org",
                                        "https://pr-*-x.preview.example.org:8443",
                                        "https://shop.example.com", "https://[2001:db8::1]", NULL};
    static const struct {
        const char *host;
        int port;
        const char *origin; /* NULL if there is none */
    } cases[] = {{"a.example.org", 0, "https://a.example.org"},
                 {"A.EXAMPLE.org.", 443, "https://a.example.org"},
                 {"a.example.org", 80, NULL},
                 {"a.example.org", 8443, NULL},
                 {"example.org", 0, NULL},
                 {"a.b.example.org", 0, NULL},
                 {"aexample.org", 0, NULL},
                 {"a.example.org.evil.net", 0, NULL},
                 {"evil.net/.example.org", 0, NULL},
                 {"evil.net@a.example.org", 0, NULL},
                 {"evil.net,a.example.org", 0, NULL},
                 {"xn--bcher-kva.example.org", 0, "https://xn--bcher-kva.example.org"},
                 {"pr-1-x.preview.example.org", 8443, "https://pr-1-x.preview.example.org:8443"},
                 {"pr--x.preview.example.org", 8443, NULL},
                 {"pr-x.preview.example.org", 8443, NULL},
                 {"pr-1-x.preview.example.org", 0, NULL},
                 {"pr-1.a-x.preview.example.org", 8443, NULL},
                 {"shop.example.com", 0, "https://shop.example.com"},
                 {"x.shop.example.com", 0, NULL},
                 {"2001:db8::1", 0, "https://[2001:db8::1]"},
                 {"2001:db8:0::1", 443, "https://[2001:db8::1]"},
                 {"2001:db8::2", 0, NULL}};
    const apr_array_header_t *patterns = patterns_of(pool, texts);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char origin[NA_ORIGIN_SIZE] = "";
        int found = na_hosts_find(patterns, cases[i].host, cases[i].port, origin);
        is(found ? origin : NULL, cases[i].origin,
           apr_psprintf(pool, "'%s', port %d", cases[i].host, cases[i].port));
    }
}

static void overlapping(apr_pool_t *pool)
{
    static const struct {
        const char *texts[3];
        int overlap;
    } cases[] = {{{"https://a.org", "http://a.org:8080"}, 1},
                 {{"https://a.org", "https://b.org"}, 0},
                 {{"https://*.a.org", "https://x.a.org"}, 1},
                 {{"https://x.a.org", "https://*.a.org"}, 1},
                 {{"https://*.a.org", "https://a.org"}, 0},
                 {{"https://*.a.org", "https://pr-*.a.org"}, 1},
                 {{"https://*.a.org", "https://*.b.org"}, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const apr_array_header_t *both = patterns_of(pool, cases[i].texts);
        is_number(na_host_patterns_overlap(&APR_ARRAY_IDX(both, 0, na_host_pattern),
                                           &APR_ARRAY_IDX(both, 1, na_host_pattern)),
                  cases[i].overlap,
                  apr_pstrcat(pool, cases[i].texts[0], " and ", cases[i].texts[1], NULL));
    }
}

static void labels(apr_pool_t *pool)
{
    static const char *const texts[] = {"https://*.a.org", "https://pr-*.b.org:8443",
                                        "https://www.a.org"};
    static const struct {
        const char *origin, *label;
    } cases[] = {{"https://acme.a.org", "acme"},   {"https://a-1_b.a.org", "a-1_b"},
                 {"https://pr-7.b.org:8443", "7"}, {"https://pr-7.b.org", NULL},
                 {"https://www.a.org", NULL},      {"https://x.y.a.org", NULL}};
    apr_array_header_t *patterns = apr_array_make(pool, 3, sizeof(na_host_pattern));
    const char *path;
    for (int i = 0; i < 3; i++)
        na_host_pattern_parse(pool, texts[i], apr_array_push(patterns), &path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is(na_hosts_label(pool, patterns, cases[i].origin), cases[i].label,
           apr_pstrcat(pool, "the label of ", cases[i].origin, NULL));
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    parsing(pool);
    normalizing(pool);
    lengths();
    finding(pool);
    overlapping(pool);
    labels(pool);
    return tap_done();
}
