/* SPDX-License-Identifier: Apache-2.0 */
/* Reads .env files. */
#include "base/envfile.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/secret.h"

/*
 * Returns a value in double quotes, `p` after the opening one; NULL if it does not end on this
 * line.
 */
static char *double_quoted(apr_pool_t *pool, const char *p)
{
    char *value = apr_palloc(pool, strlen(p) + 1);
    char *out = value;
    for (; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1]) {
            p++;
            *out++ = *p == 'n' ? '\n' : *p;
            continue;
        }
        *out++ = *p;
    }
    *out = '\0';
    return *p == '"' ? value : NULL;
}

static char *unquoted(apr_pool_t *pool, const char *p)
{
    const char *end = p;
    while (*end && !(*end == '#' && (end == p || apr_isspace(end[-1]))))
        end++;
    while (end > p && apr_isspace(end[-1]))
        end--;
    return apr_pstrmemdup(pool, p, (apr_size_t)(end - p));
}

static char *value_of(apr_pool_t *pool, const char *p)
{
    if (*p == '"')
        return double_quoted(pool, p + 1);
    if (*p != '\'')
        return unquoted(pool, p);
    const char *end = strchr(p + 1, '\'');
    return end ? apr_pstrmemdup(pool, p + 1, (apr_size_t)(end - p - 1)) : NULL;
}

static int is_name(const char *name)
{
    if (!*name || apr_isdigit(*name))
        return 0;
    for (; *name; name++)
        if (!apr_isalnum(*name) && *name != '_')
            return 0;
    return 1;
}

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static na_error *parse_line(apr_pool_t *pool, const na_envfile *envfile, int number,
                            const char *line)
{
    const char *path = envfile->path;
    line = skip_blanks(line);
    if (!*line || *line == '#')
        return NULL;
    if (strncmp(line, "export ", 7) == 0)
        line = skip_blanks(line + 7);
    const char *equals = strchr(line, '=');
    if (!equals)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "%s:%d: expected NAME=VALUE", path, number),
                                  "use NAME=VALUE, or # before a comment");
    char *name = unquoted(pool, apr_pstrmemdup(pool, line, (apr_size_t)(equals - line)));
    if (!is_name(name))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "%s:%d: invalid variable name", path, number),
                                  "use letters, digits, and _, not beginning with a digit");
    char *value = value_of(pool, skip_blanks(equals + 1));
    if (!value)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "%s:%d: the quoted value of %s is not closed", path,
                                               number, name),
                                  "close it on the same line, and use \\n for a line break");
    apr_table_setn(envfile->values, name, value);
    apr_table_setn(envfile->lines, name, apr_itoa(pool, number));
    return NULL;
}

na_error *na_envfile_parse(apr_pool_t *pool, const char *path, const char *text,
                           const na_envfile **envfile)
{
    na_envfile *made = apr_palloc(pool, sizeof *made);
    *made = (na_envfile){path, apr_table_make(pool, 16), apr_table_make(pool, 16)};
    *envfile = made;
    for (int number = 1; *text; number++) {
        size_t len = strcspn(text, "\n");
        size_t keep = len && text[len - 1] == '\r' ? len - 1 : len;
        char *line = apr_pstrmemdup(pool, text, keep);
        text += len + (text[len] == '\n');
        NA_TRY(parse_line(pool, made, number, line));
    }
    return NULL;
}

na_error *na_envfile_read(apr_pool_t *pool, const char *path, const na_envfile **envfile)
{
    char *text;
    NA_TRY(na_secret_file_read(pool, path, &text));
    return na_envfile_parse(pool, path, text, envfile);
}
