/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include <string.h>

#include <apr_strings.h>

#include "auth/callback_url.h"
#include "base/cookie.h"
#include "base/envfile.h"
#include "base/url.h"
#include "tap.h"

static void parsing(apr_pool_t *pool)
{
    static const char *const refused[] = {
        "ftp://a.org/",           "//a.org/",        "https:/a.org",       "https://",
        "https://u@a.org/",       "https://u:p@a/",  "https://a.org\\@b/", "https://a b/",
        "https://a.org:0/",       "https://a:99999", "https://a:12x/",     "https://ä.org/",
        "https://a.org/\r\nX: y", "javascript:1",    "https://[::1",       "https://[x]/"};
    na_url url;
    ok(na_url_parse(pool, "HTTPS://A.Example.ORG:443/p?q#f", &url), "an address is read");
    is(url.origin, "https://a.example.org", "its origin is normal");
    is(url.path, "/p?q#f", "its path goes to the end");
    ok(na_url_parse(pool, "http://[::1]:8080?x", &url), "IPv6 and no path");
    is(url.origin, "http://[::1]:8080", "keeps a port that is not the default");
    is(url.path, "?x", "and what follows the origin");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ok(!na_url_parse(pool, refused[i], &url), "refused: odd address %d", (int)i);
    is(na_url_add(pool, "/p?a=1#f", "b", "x y&"), "/p?a=1&b=x%20y%26#f", "a parameter is added");
}

static void loopback(void)
{
    static const char *const inside[] = {"127.0.0.1", "127.255.0.9", "::1", "[::1]"};
    static const char *const outside[] = {
        "",          "128.0.0.1", "0.0.0.0", "127.0.0.1.example.org",
        "localhost", "127.1",     "[::]",    "[::ffff:10.0.0.1]",
        "[]",        "[::1",
    };
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        ok(na_is_loopback_address(inside[i]), "%s is this machine's alone", inside[i]);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        ok(!na_is_loopback_address(outside[i]), "'%s' is none of those", outside[i]);
}

static void redirects(apr_pool_t *pool)
{
    static const char *const refused[] = {"//evil.org",
                                          "/\\evil.org",
                                          "\\\\evil.org",
                                          "https://evil.org/",
                                          "https://app.org.evil/",
                                          "https://app.org@evil.org/",
                                          "https:evil.org",
                                          "javascript:alert(1)",
                                          "/a\r\nSet-Cookie: x=y",
                                          "http://app.org/",
                                          "https://app.org:444/",
                                          "%2f%2fevil.org",
                                          "https://evil.org%2f",
                                          "/a\tb",
                                          "",
                                          "data:text/html,x",
                                          "https://app.org\\.evil.org/"};
    apr_array_header_t *origins = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(origins, const char *) = "https://other.org";
    na_config config = {.origin = "https://app.org", .redirect_origins = origins};
    is(na_safe_redirect(pool, &config, "/deep?x=1#y"), "https://app.org/deep?x=1#y",
       "a path becomes an address of ours");
    is(na_safe_redirect(pool, &config, "https://app.org"), "https://app.org", "our origin");
    is(na_safe_redirect(pool, &config, "https://APP.org:443/x"), "https://app.org/x",
       "our origin, spelled otherwise");
    is(na_safe_redirect(pool, &config, "https://other.org/y"), "https://other.org/y",
       "an origin that is allowed");
    is(na_safe_redirect(pool, &config, NULL), NULL, "nothing");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        is(na_safe_redirect(pool, &config, refused[i]), NULL,
           apr_psprintf(pool, "not followed: %d", (int)i));
    char *longer = apr_palloc(pool, 8201);
    memset(longer, 'a', 8200);
    longer[0] = '/';
    longer[8200] = '\0';
    is(na_safe_redirect(pool, &config, longer), NULL, "an address longer than a request line");
}

static void cookies(apr_pool_t *pool)
{
    const char *cursor = " a=1;b = \"2\" ;bare; =x;a=3; c=";
    na_bytes name, value;
    int count = 0;
    while (na_cookie_next(&cursor, &name, &value))
        count++;
    is_number(count, 5, "every name=value is seen");
    const na_cookies *all = na_cookies_parse(
        pool, "A=0; a=1; b=\"2\"; a=3; u=%C3%BC; bad=%zz; a=4; a=5; a=6; a.1=x; a.2=y; A.3=z");
    is(na_cookies_get(all, "a", 0), "1", "one of that very name, in capitals it is another");
    is(na_cookies_get(all, "A", 0), "0", "which has its own");
    is(na_cookies_get(all, "a", 1), "3", "several of one name come in their order");
    is(na_cookies_get(all, "a", 3), "5", "up to four");
    is(na_cookies_get(all, "a", 4), NULL, "and no more");
    is(na_cookies_get(all, "b", 1), NULL, "there is no second");
    is(na_cookies_get(all, "b", 0), "2", "quotes are cut");
    is(na_cookies_get(all, "u", 0), "ü", "values are decoded");
    is(na_cookies_get(all, "bad", 0), "%zz", "or left as they are");
    int at = INT_MAX;
    is(na_cookies_last(all, "a.", &at), "a.2", "from the last to the first");
    is(na_cookies_last(all, "a.", &at), "a.1", "  of those that begin alike");
    is(na_cookies_last(all, "a.", &at), NULL, "  and then none");

    na_cookie elsewhere = {"n", "example.org", "/", "Lax", 1, NULL, 0};
    static const struct {
        const char *host, *name, *domain, *expected;
    } places[] = {{"www.shop.example.org", "n", NULL,
                   "www.shop.example.org,shop.example.org,example.org,"},
                  {"www.example.org", "n", ".example.org", "-,www.example.org,"},
                  {"www.example.org", "__Host-n", NULL, ""},
                  {"localhost", "n", NULL, ""},
                  {"127.0.0.1", "n", NULL, ""},
                  {"a.1.2.3.4.5.6.7.8.9.example.org", "n", "example.org",
                   "-,a.1.2.3.4.5.6.7.8.9.example.org,1.2.3.4.5.6.7.8.9.example.org,"
                   "2.3.4.5.6.7.8.9.example.org,3.4.5.6.7.8.9.example.org,4.5.6.7.8.9.example.org,"
                   "5.6.7.8.9.example.org,6.7.8.9.example.org,7.8.9.example.org,"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *found = "";
        elsewhere.name = places[i].name;
        elsewhere.domain = places[i].domain;
        for (const char *const *domain = na_cookie_elsewhere(pool, &elsewhere, places[i].host);
             *domain; domain++)
            found = apr_pstrcat(pool, found, **domain ? *domain : "-", ",", NULL);
        is(found, places[i].expected,
           apr_psprintf(pool, "where else one of %s can be", places[i].host));
    }

    const na_cookie cookie = {"n", "example.org", "/", "Lax", 1, NULL, 0};
    is(na_cookie_write(pool, &cookie, "n", "a;b", 900, apr_time_from_sec(0) + 1),
       "n=a%3Bb; Max-Age=900; Domain=example.org; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; "
       "HttpOnly; Secure; SameSite=Lax",
       "attributes in NextAuth's order");
    is(na_cookie_clear(pool, &cookie, "n.0"),
       "n.0=; Max-Age=0; Domain=example.org; Path=/; HttpOnly; Secure; SameSite=Lax", "cleared");
}

static void forms(apr_pool_t *pool)
{
    apr_table_t *fields = na_form_parse(pool, "a=1&b=x+y&a=2&c&=z&%zz=1&d=%0&e=%41", 100);
    is(apr_table_get(fields, "a"), "1", "the first field of one name counts");
    is(apr_table_get(fields, "b"), "x y", "plus is a space");
    is(apr_table_get(fields, "c"), "", "a field without a value is empty");
    is(apr_table_get(fields, "d"), NULL, "a malformed one is left out");
    is(apr_table_get(fields, "e"), "A", "escapes are decoded");
    is_number(apr_table_elts(na_form_parse(pool, "a=1&b=2&c=3", 2))->nelts, 2,
              "no more fields than asked for");
}

static void envfiles(apr_pool_t *pool)
{
    const na_envfile *v;
    succeeds(na_envfile_parse(pool, "f",
                              "# comment\n\nA=1\nexport B = two words # why\n"
                              "C='lit $x # y'\r\nD=\"a\\nb\\\"c\"\nE=\nF=a#b\n",
                              &v),
             "a .env file is read");
    is(apr_table_get(v->values, "A"), "1", "a plain value");
    is(apr_table_get(v->values, "B"), "two words", "a comment behind a value is cut");
    is(apr_table_get(v->values, "C"), "lit $x # y", "single quotes are literal");
    is(apr_table_get(v->values, "D"), "a\nb\"c", "double quotes know escapes");
    is(apr_table_get(v->values, "E"), "", "an empty value");
    is(apr_table_get(v->values, "F"), "a#b", "a hash inside a word is one");
    is(apr_table_get(v->lines, "C"), "5", "and the line of each is kept");
    succeeds(na_envfile_parse(pool, "f", "A=1\nA=2\n", &v), "one that is set twice");
    is(apr_table_get(v->values, "A"), "2", "is the last");
    is(apr_table_get(v->lines, "A"), "2", "with its line");
    na_error *error = na_envfile_parse(pool, "f", "A=1\nB=\"open\n", &v);
    is(error ? error->message : NULL, "f:2: the quoted value of B is not closed",
       "errors name the line");
    fails(na_envfile_parse(pool, "f", "no equals", &v), "a line without '=' is refused");
    fails(na_envfile_parse(pool, "f", "1A=x", &v), "so is a bad name");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    parsing(pool);
    loopback();
    redirects(pool);
    cookies(pool);
    forms(pool);
    envfiles(pool);
    return tap_done();
}
