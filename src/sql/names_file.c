/* SPDX-License-Identifier: Apache-2.0 */
/* Files of names: how an application calls the tables and columns of Auth.js. */
#include "sql/names_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

/* Bytes of a line, and of a name: PostgreSQL's limit. */
#define LINE_MAX_BYTES 1024
#define NAME_MAX_BYTES 63

/* Lines of a file: more than there are names and comments. */
#define LINES_MAX 1000

#define COLUMNS_MAX 12

/* Tables, their columns, and those columns that a table can lack. */
static const struct {
    const char *name;
    const char *columns[COLUMNS_MAX], *optional[3];
} known[] = {{"users", {"id", "name", "email", "emailVerified", "image"}, {"role", "updatedAt"}},
             {"accounts",
              {"userId", "type", "provider", "providerAccountId", "refresh_token", "access_token",
               "expires_at", "token_type", "scope", "id_token", "session_state"},
              {"id", "updatedAt"}},
             {"sessions", {"sessionToken", "userId", "expires"}, {"id", "updatedAt"}},
             {"verificationTokens", {"identifier", "token", "expires"}, {NULL}},
             {"authenticators",
              {"credentialID", "userId", "providerAccountId", "credentialPublicKey", "counter",
               "credentialDeviceType", "credentialBackedUp", "transports"},
              {NULL}}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct reader {
    apr_pool_t *pool;
    const char *path;
    int line;
    na_names_file *names;
} reader;

static na_error *wrong(const reader *r, const char *what)
{
    return na_error_new(r->pool, NA_ERR_CONFIGURATION, "line %d of '%s': %s", r->line, r->path,
                        what);
}

/* ── what a line can have ──────────────────────────────────────────────────────────────────── */

static int has(const char *const *columns, const char *column)
{
    while (*columns && strcmp(*columns, column) != 0)
        columns++;
    return *columns != NULL;
}

/* Finds a table, or a table and a column of it with a dot between. Returns 0 if there is none. */
static int find(const char *word, int *is_optional)
{
    const char *dot = strchr(word, '.');
    size_t len = dot ? (size_t)(dot - word) : strlen(word);
    size_t i = 0;
    while (i < COUNT(known) &&
           (strlen(known[i].name) != len || strncmp(known[i].name, word, len) != 0))
        i++;
    if (i == COUNT(known))
        return 0;
    *is_optional = dot && has(known[i].optional, dot + 1);
    return !dot || *is_optional || has(known[i].columns, dot + 1);
}

/* Quotes, percent signs (apr_dbd's), and braces (na_schema_text's) would not remain part of a name.
 */
static int is_name(const char *name)
{
    if (!*name || strlen(name) > NAME_MAX_BYTES || !na_is_utf8(name))
        return 0;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("_$-", *name) && !(*name & 0x80))
            return 0;
    return 1;
}

/* Sets a property of the schema, once. */
static na_error *set_once(const reader *r, const char **member, const char *word, const char *value,
                          const char *const *expected)
{
    if (*member)
        return wrong(r, apr_psprintf(r->pool, "duplicate %s", word));
    if (expected && !has(expected, value))
        return wrong(r, apr_psprintf(r->pool, "invalid %s '%s': expected %s%s%s%s%s", word, value,
                                     expected[0], expected[2] ? ", " : " or ", expected[1],
                                     expected[2] ? ", or " : "", expected[2] ? expected[2] : ""));
    *member = value;
    return NULL;
}

static na_error *add_name(const reader *r, const char *word, const char *value)
{
    int is_optional;
    if (!find(word, &is_optional))
        return wrong(r, apr_psprintf(r->pool, "unknown table or column '%s'", word));
    if (apr_table_get(r->names->names, word))
        return wrong(r, apr_psprintf(r->pool, "duplicate %s", word));
    if (strcmp(value, NA_NAMES_NONE) == 0 && !is_optional)
        return wrong(r, apr_psprintf(r->pool, "%s is required", word));
    if (!is_name(value))
        return wrong(r, apr_psprintf(r->pool,
                                     "invalid name '%s': expected up to %d letters, digits, _, $, "
                                     "and -",
                                     value, NAME_MAX_BYTES));
    if (!strchr(word, '.') && strncmp(value, "nextauth_", 9) == 0)
        return wrong(r, apr_psprintf(r->pool, "%s is a table of this module's own", value));
    apr_table_set(r->names->names, word, value);
    return NULL;
}

static na_error *add_line(const reader *r, const char *word, const char *value)
{
    static const char *const ids[] = {"text", "uuid", "numbers", NULL};
    static const char *const times[] = {"plain", "zoned", NULL, NULL};
    na_names_file *names = r->names;
    if (strcmp(word, "base") == 0) {
        names->base_line = r->line;
        return set_once(r, &names->base, word, value, NULL);
    }
    if (strcmp(word, "ids") == 0)
        return set_once(r, &names->ids, word, value, ids);
    if (strcmp(word, "times") == 0)
        return set_once(r, &names->times, word, value, times);
    return add_name(r, word, value);
}

/* ── the file ──────────────────────────────────────────────────────────────────────────────── */

static na_error *read_line(reader *r, char *text)
{
    static const char blanks[] = " \t\r\n";
    char *state, *word, *value;
    r->line++;
    if (!strchr(text, '\n') && strlen(text) == LINE_MAX_BYTES - 1)
        return wrong(r, "the line is too long");
    if (r->line > LINES_MAX)
        return wrong(r, "the file has too many lines");
    text = apr_pstrdup(r->pool, na_one_line(r->pool, text, LINE_MAX_BYTES));
    if (!(word = apr_strtok(text, blanks, &state)) || *word == '#')
        return NULL;
    value = apr_strtok(NULL, blanks, &state);
    if (!value || apr_strtok(NULL, blanks, &state))
        return wrong(r, "expected a table or column, and its name");
    return add_line(r, word, value);
}

static na_error *read_lines(reader *r, FILE *file)
{
    char text[LINE_MAX_BYTES];
    while (fgets(text, sizeof text, file))
        NA_TRY(read_line(r, text));
    return ferror(file)
               ? na_error_new(r->pool, NA_ERR_CONFIGURATION, "could not read '%s'", r->path)
               : NULL;
}

na_error *na_names_file_read(apr_pool_t *pool, const char *path, na_names_file *names)
{
    reader r = {.pool = pool, .path = path, .names = names};
    char reason[120];
    *names = (na_names_file){.names = apr_table_make(pool, 20)};
    if (*path != '/')
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "invalid " NA_NAMES_FILE "%s: expected an absolute path", path);
    FILE *file = fopen(path, "re");
    if (!file)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not open '%s': %s", path,
                            apr_strerror(errno, reason, sizeof reason));
    na_error *error = read_lines(&r, file);
    fclose(file);
    return error;
}

const char *const *na_names_columns(int table)
{
    return known[table].columns;
}
