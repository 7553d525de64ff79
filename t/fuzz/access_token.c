/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "auth/access_token.h"
#include "auth/token_scope.h"

/* Returns 1 if some server could take the path for one outside of `folder`. */
static int leads_out(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) != 0 || (path[len] && path[len] != '/') ||
           strstr(path, "/../") || strstr(path, "\\..\\") || strstr(path, "/..;");
}

static void check_token(const char *text)
{
    char *token = na_access_token_new(fuzz_pool);
    if (!na_access_token_is_well_formed(token) || strlen(token) != NA_ACCESS_TOKEN_LEN)
        abort();
    if (na_access_token_is_well_formed(text) &&
        (!na_access_token_is_meant(text) || strlen(text) != NA_ACCESS_TOKEN_LEN))
        abort();
    size_t at = *text ? (unsigned char)*text % NA_ACCESS_TOKEN_LEN : 0;
    char before = token[at];
    token[at] = before == 'x' ? 'y' : 'x';
    if (na_access_token_is_well_formed(token)) /* CRC-32 notices every change of one byte */
        abort();
}

/* A scope that is accepted is the same once more, and never covers what is outside of it. */
static void check_scope(const char *text, const char *path)
{
    const char *scope, *again;
    if (!na_scope_parse(fuzz_pool, text, &scope) &&
        (na_scope_parse(fuzz_pool, scope, &again) || strcmp(scope, again) != 0))
        abort();
    if (na_scope_covers("GET,PROPFIND /svn/project; /dav", "GET", path) &&
        leads_out(path, "/svn/project") && leads_out(path, "/dav"))
        abort();
    if (na_scope_covers("GET,PROPFIND /svn/project; PUT /dav", "PUT", path) &&
        leads_out(path, "/dav"))
        abort();
    na_scope_covers(text, "GET", path);
}

/* The input: a token or a scope, and after a line feed a path. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *line = strchr(text, '\n');
    if (line)
        *line++ = '\0';
    check_token(text);
    check_scope(text, line ? line : text);
    return 0;
}
