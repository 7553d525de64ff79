/* SPDX-License-Identifier: Apache-2.0 */
/* The database that a command works on. */
#include "ctl/connect.h"

#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "base/secret.h"
#include "sql/adapters.h"

/* An index over a million rows takes longer than any request can wait. */
#define TIMEOUT_MS (600 * 1000L)

/* One is used at a time; the others replace it when it breaks. */
#define MAX_CONNECTIONS 4

static const char *from_environment(void)
{
    static const char *const names[] = {"NEXTAUTH_DATABASE_URL", "DATABASE_URL", "MONGODB_URI"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *url = getenv(names[i]);
        if (url && *url)
            return url;
    }
    return NULL;
}

static na_error *read_url(apr_pool_t *pool, const char *given, const char **url)
{
    char *text;
    *url = given ? given : from_environment();
    if (!*url || !**url)
        return na_error_new(
            pool, NA_ERR_CONFIGURATION,
            "missing database: use --database URL or set NEXTAUTH_DATABASE_URL: the URL of "
            "NextAuthDatabase, or file:PATH");
    if (strncmp(*url, "file:", 5) != 0)
        return NULL;
    NA_TRY(na_secret_read(pool, *url + 5, &text));
    *url = text;
    return NULL;
}

static const char *working_directory(apr_pool_t *pool)
{
    char *path;
    return apr_filepath_get(&path, 0, pool) == APR_SUCCESS ? path : ".";
}

na_error *na_ctl_connect(apr_pool_t *pool, const char *given, const char *schema,
                         const na_db_options **options, na_db **db)
{
    const na_adapter *adapter;
    const char *url;
    na_db_options *made = apr_palloc(pool, sizeof *made);
    na_breaker *breaker = apr_pcalloc(pool, sizeof *breaker);
    NA_TRY(read_url(pool, given, &url));
    NA_TRY(na_adapter_of_url(pool, url, &adapter));
    NA_TRY(na_db_options_parse(pool, adapter, url, working_directory(pool), made));
    NA_TRY(na_db_options_set_schema(pool, schema, made));
    NA_TRY(na_db_options_check(pool, made));
    made->timeout_ms = TIMEOUT_MS;
    made->max_connections = MAX_CONNECTIONS;
    breaker->name = made->name;
    breaker->health = apr_pcalloc(pool, sizeof *breaker->health);
    *options = made;
    return na_db_open(pool, made, breaker, db);
}
