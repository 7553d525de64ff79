/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/access_token.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/token_scope.h"
#include "base/text.h"
#include "tap.h"

static void test_text(apr_pool_t *pool)
{
    char *token = na_access_token_new(pool), *other = na_access_token_new(pool);
    is_number((long long)strlen(token), NA_ACCESS_TOKEN_LEN, "a token has a fixed length");
    ok(strcmp(token, other) != 0, "two tokens differ");
    ok(na_access_token_is_well_formed(token), "a new token is well-formed");
    /* its checksum is zlib's */
    ok(na_access_token_is_well_formed("na_pat_000000000000000000000000000000000000000000041nxNc"),
       "a known one is, too");
    int wrong = 0;
    for (int i = 0; i < NA_ACCESS_TOKEN_LEN; i++) {
        char before = token[i];
        token[i] = before == 'a' ? 'b' : 'a';
        wrong += !na_access_token_is_well_formed(token);
        token[i] = before;
    }
    is_number(wrong, NA_ACCESS_TOKEN_LEN, "a mistyped character is noticed, wherever it is");
    ok(!na_access_token_is_well_formed(apr_pstrcat(pool, token, "0", NULL)), "one is too long");
    ok(!na_access_token_is_well_formed("na_pat_"), "one is too short");
    ok(na_access_token_is_meant("na_pat_x") && !na_access_token_is_meant("Na_pat_x"),
       "the prefix tells what is meant");
}

static void test_parsing(apr_pool_t *pool)
{
    static const struct {
        const char *text, *scope;
    } rows[] = {{"/", "/"},
                {"/svn", "/svn"},
                {"/svn/", "/svn"},
                {" GET , PROPFIND   /svn/project/ ; /dav", "GET,PROPFIND /svn/project; /dav"},
                {"PUT /a b/c;VERSION-CONTROL /", "PUT /a b/c; VERSION-CONTROL /"},
                {"/Bücher", "/Bücher"},
                {"/a.b/..c/d..", "/a.b/..c/d.."},
                {"", NULL},
                {" ", NULL},
                {";", NULL},
                {"/a;", NULL},
                {"GET", NULL},
                {"svn", NULL},
                {"get /svn", NULL},
                {"GET,, PUT /svn", NULL},
                {"GET, /svn", NULL},
                {"GET PUT /svn", NULL},
                {"* /svn", NULL},
                {"/svn/*", NULL},
                {"/svn?x=1", NULL},
                {"/svn%20x", NULL},
                {"/a//b", NULL},
                {"/a/../b", NULL},
                {"/a/.", NULL},
                {"/a\\b", NULL},
                {"/a\nb", NULL},
                {"/\xff", NULL},
                {"https://site/svn", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *scope = NULL;
        na_error *error = na_scope_parse(pool, rows[i].text, &scope);
        if (rows[i].scope)
            is(error ? error->message : scope, rows[i].scope, rows[i].text);
        else
            ok(error != NULL, "'%s' is refused", na_one_line(pool, rows[i].text, 100));
    }
    char *many = apr_pstrdup(pool, "/a"), *path = apr_pcalloc(pool, NA_SCOPE_MAX + 1);
    for (int i = 0; i < NA_SCOPE_ENTRIES_MAX; i++)
        many = apr_pstrcat(pool, many, ";/a", NULL);
    const char *scope;
    ok(na_scope_parse(pool, many, &scope) != NULL, "too many paths are refused");
    memset(path, '/', 1);
    memset(path + 1, 'a', NA_SCOPE_MAX - 1);
    ok(na_scope_parse(pool, path, &scope) == NULL, "as many bytes as allowed are accepted");
    ok(na_scope_parse(pool, apr_pstrcat(pool, path, "a", NULL), &scope) != NULL,
       "one more is refused");
}

static void test_covering(apr_pool_t *pool)
{
    static const struct {
        const char *scope, *method, *path;
        int covers;
    } rows[] = {{"/", "DELETE", "/anything", 1},
                {"/", "GET", "/a/..%2fb", 1},
                {"/", "GET", "", 1},
                {"/svn", "GET", "/svn", 1},
                {"/svn", "GET", "/svn/", 1},
                {"/svn", "PUT", "/svn/a/b", 1},
                {"/svn", "GET", "/svnx", 0},
                {"/svn", "GET", "/sv", 0},
                {"/svn", "GET", "/SVN/a", 0},
                {"/svn", "GET", "//svn/a", 0},
                {"/svn", "GET", "", 0},
                {"/svn", "GET", "/", 0},
                {"GET,PUT /svn", "GET", "/svn/a", 1},
                {"GET,PUT /svn", "HEAD", "/svn/a", 1},
                {"GET,PUT /svn", "PUT", "/svn/a", 1},
                {"GET,PUT /svn", "POST", "/svn/a", 0},
                {"GET,PUT /svn", "PU", "/svn/a", 0},
                {"GET,PUT /svn", "get", "/svn/a", 0},
                {"PUT /svn", "HEAD", "/svn/a", 0},
                {"GET /a; PUT /b", "PUT", "/a", 0},
                {"GET /a; PUT /b", "PUT", "/b", 1},
                {"/svn", "GET", "/svn/..", 0},
                {"/svn", "GET", "/svn/../x", 0},
                {"/svn", "GET", "/svn/..%2fx", 0},
                {"/svn", "GET", "/svn/%2e%2E/x", 0},
                {"/svn", "GET", "/svn/a%5c..%5Cx", 0},
                {"/svn", "GET", "/svn\\..\\x", 0},
                {"/svn", "GET", "/svn/..;v=1/x", 0},
                {"/svn", "GET", "/svn/a%2fb", 1},
                {"/svn", "GET", "/svn/..a/b..", 1},
                {"/svn", "GET", "/svn/;/...", 1},
                {"", "GET", "/", 0},
                {NULL, "GET", "/", 0},
                {"GET", "GET", "/", 0},
                {"svn", "GET", "svn", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_number(na_scope_covers(rows[i].scope, rows[i].method, rows[i].path), rows[i].covers,
                  apr_psprintf(pool, "'%s': %s %s", rows[i].scope ? rows[i].scope : "none",
                               rows[i].method, rows[i].path));
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    test_text(pool);
    test_parsing(pool);
    test_covering(pool);
    return tap_done();
}
