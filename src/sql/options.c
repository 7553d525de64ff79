/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of databases. */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_uri.h>

#include "base/text.h"
#include "base/url.h"
#include "sql/database.h"

#define CONNECTIONS 8
#define TIMEOUT_MS 4000

static na_error *wrong(apr_pool_t *pool, const char *what)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "%s", what);
}

static const char *decoded(apr_pool_t *pool, const char *text)
{
    return text ? na_percent_decode(pool, text, 0) : NULL;
}

/* ── PostgreSQL: libpq reads such URLs itself ──────────────────────────────────────────────── */

/* Returns 1 for Prisma's own parameters, which libpq would reject. */
static int is_prismas(const char *name)
{
    static const char *const names[] = {"connection_limit", "pool_timeout", "pgbouncer",
                                        "socket_timeout",   "sslaccept",    "statement_cache_size",
                                        "sslidentity",      "sslpassword"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return 0;
}

static na_error *read_postgresql(apr_pool_t *pool, const char *url, na_db_options *options)
{
    apr_uri_t uri;
    const char *question = strchr(url, '?');
    const char *kept = question ? apr_pstrmemdup(pool, url, (apr_size_t)(question - url)) : url;
    const apr_table_t *query = na_form_parse(pool, question ? question + 1 : "", 50);
    const apr_array_header_t *fields = apr_table_elts(query);
    if (apr_uri_parse(pool, kept, &uri) != APR_SUCCESS)
        return wrong(pool, "invalid PostgreSQL URL: expected postgresql://USER@HOST:PORT/DATABASE");
    for (int i = 0; i < fields->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(fields, i, apr_table_entry_t);
        if (strcmp(field->key, "schema") == 0)
            kept = na_url_add(pool, kept, "options",
                              apr_pstrcat(pool, "-csearch_path=", field->val, NULL));
        else if (!is_prismas(field->key))
            kept = na_url_add(pool, kept, field->key, field->val);
    }
    if (!apr_table_get(query, "connect_timeout"))
        kept = na_url_add(pool, kept, "connect_timeout", "3");
    if (!apr_table_get(query, "tcp_user_timeout"))
        kept = na_url_add(pool, kept, "tcp_user_timeout", "5000");
    options->identity = kept;
    options->name = apr_psprintf(pool, "PostgreSQL at %s%s%s", uri.hostname ? uri.hostname : "",
                                 uri.port_str ? ":" : "", uri.port_str ? uri.port_str : "");
    return NULL;
}

/* ── MySQL: apr_dbd's driver has its own parameters ────────────────────────────────────────── */

/* Returns 0 if the word has characters that end it; the driver has no way to quote them. */
static int can_be_said(const char *word)
{
    return !word || !word[strcspn(word, " ,;|\t")];
}

static na_error *read_mysql(apr_pool_t *pool, const char *url, na_db_options *options)
{
    apr_uri_t uri;
    const char *group = NULL;
    if (apr_uri_parse(pool, url, &uri) != APR_SUCCESS || !uri.hostname || !uri.path || !uri.path[1])
        return wrong(pool, "invalid MySQL URL: expected mysql://USER:PASSWORD@HOST:PORT/DATABASE");
    const char *user = decoded(pool, uri.user), *password = decoded(pool, uri.password);
    const apr_array_header_t *fields =
        apr_table_elts(na_form_parse(pool, uri.query ? uri.query : "", 50));
    for (int i = 0; i < fields->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(fields, i, apr_table_entry_t);
        if (strcmp(field->key, "group") == 0)
            group = field->val;
        else if (strncmp(field->key, "ssl", 3) == 0)
            return wrong(pool,
                         "the MySQL driver reads TLS settings only from an option file: set ssl-ca "
                         "and ssl-verify-server-cert in a group of my.cnf, and group=NAME here");
        else if (!is_prismas(field->key))
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "unsupported parameter '%s' in the MySQL URL: expected group",
                                field->key);
    }
    if (!can_be_said(password))
        return wrong(pool,
                     "the MySQL driver does not support a password with a space, comma, semicolon, "
                     "or bar: choose another, or set it in an option file and group=NAME here");
    if (!can_be_said(user) || !can_be_said(uri.path + 1) || !can_be_said(group))
        return na_error_with_hint(
            wrong(pool,
                  "the MySQL driver does not support names with a space, comma, semicolon, or bar"),
            "choose others, or set them in an option file and group=NAME here");
    options->identity =
        apr_pstrcat(pool, "host=", uri.hostname, uri.port_str ? ",port=" : "",
                    uri.port_str ? uri.port_str : "", ",dbname=", uri.path + 1,
                    user ? ",user=" : "", user ? user : "", password ? ",pass=" : "",
                    password ? password : "", group ? ",group=" : "", group ? group : "",
                    ",reconnect=0", NULL);
    options->name = apr_pstrcat(pool, "MySQL at ", uri.hostname, uri.port_str ? ":" : "",
                                uri.port_str ? uri.port_str : "", NULL);
    return NULL;
}

/* ── SQLite ────────────────────────────────────────────────────────────────────────────────── */

static na_error *read_sqlite(apr_pool_t *pool, const char *path, const char *root,
                             na_db_options *options)
{
    if (strncmp(path, "//", 2) == 0)
        path += 2;
    if (!*path)
        return wrong(pool, "sqlite: requires the path of a file");
    options->identity = *path == '/' ? path : apr_pstrcat(pool, root, "/", path, NULL);
    options->name = apr_pstrcat(pool, "SQLite ", options->identity, NULL);
    return NULL;
}

/* ── the adapter's functions ───────────────────────────────────────────────────────────────── */

const na_sql_settings *na_sql_settings_of(const na_db_options *options)
{
    return options->settings;
}

static int has_scheme(const char *url, const char *scheme)
{
    return strncmp(url, scheme, strlen(scheme)) == 0;
}

static na_error *read_url(apr_pool_t *pool, const char *url, const char *root,
                          na_db_options *options, na_sql_engine *engine)
{
    *engine = NA_POSTGRESQL;
    if (has_scheme(url, "postgresql://") || has_scheme(url, "postgres://"))
        return read_postgresql(pool, url, options);
    *engine = NA_MYSQL;
    if (has_scheme(url, "mysql://") || has_scheme(url, "mariadb://"))
        return read_mysql(pool, url, options);
    *engine = NA_SQLITE;
    return read_sqlite(pool, strchr(url, ':') + 1, root, options);
}

na_error *na_sql_parse(apr_pool_t *pool, const char *url, const char *root, na_db_options *options)
{
    static const char *const engines[] = {"postgresql", "mysql", "sqlite"};
    na_sql_settings *settings = apr_pcalloc(pool, sizeof *settings);
    options->settings = settings;
    options->max_connections = CONNECTIONS;
    options->timeout_ms = TIMEOUT_MS;
    if (na_has_control(url))
        return na_error_with_hint(wrong(pool, "the URL contains control characters"),
                                  "write it on one line");
    NA_TRY(read_url(pool, url, root, options, &settings->engine));
    options->engine = engines[settings->engine];
    options->file = settings->engine == NA_SQLITE ? options->identity : NULL;
    return NULL;
}

na_error *na_sql_set_schema(apr_pool_t *pool, const char *name, na_db_options *options)
{
    na_sql_settings *settings = apr_pmemdup(pool, options->settings, sizeof *settings);
    NA_TRY(na_schema_open(pool, name ? name : "authjs", &settings->schema));
    options->settings = settings;
    options->schema = na_schema_name(settings->schema);
    options->has_numbers = na_schema_makes_ids(settings->schema);
    return NULL;
}
