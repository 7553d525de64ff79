/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthDatabase: the database of users, and its replicas. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/targets.h"
#include "httpd/config/settings.h"
#include "sql/adapters.h"

/* The member is the first of the options. */
static na_error *as_schema(na_builder *b, const char *value, void *member)
{
    na_db_options *options = (na_db_options *)((char *)member - offsetof(na_db_options, schema));
    na_error *error = na_db_options_set_schema(b->pool, value, options);
    return error ? na_wrong(b, "%s", na_error_reason(b->pool, error)) : NULL;
}

static na_error *as_at_rest(na_builder *b, const char *value, void *member)
{
    *(int *)member = strcmp(value, "protected") == 0;
    return *(int *)member || strcmp(value, "plain") == 0
               ? NULL
               : na_wrong(b, "invalid atRest='%s': expected plain or protected", value);
}

static na_error *parse_url(na_builder *b, const char *url, na_db_options *options)
{
    const na_adapter *adapter;
    NA_TRY(na_adapter_of_url(b->pool, url, &adapter));
    return na_db_options_parse(b->pool, adapter, url, ap_server_root_relative(b->pool, ""),
                               options);
}

static na_error *add_replica(na_builder *b, const char *value, void *member)
{
    const apr_array_header_t **replicas = member;
    na_db_options *replica = apr_pcalloc(b->pool, sizeof *replica);
    const char *url;
    NA_TRY(na_as_url(b, value, &url));
    NA_TRY(parse_url(b, url, replica));
    if (!*replicas)
        *replicas = apr_array_make(b->pool, 2, sizeof(const na_db_options *));
    APR_ARRAY_PUSH((apr_array_header_t *)*replicas, const na_db_options *) = replica;
    return NULL;
}

/* A replica has the options of its primary. */
static na_error *finish_replicas(na_builder *b, const na_db_options *primary)
{
    for (int i = 0; primary->replicas && i < primary->replicas->nelts; i++) {
        na_db_options *replica = APR_ARRAY_IDX(primary->replicas, i, na_db_options *);
        if (strcmp(replica->engine, primary->engine) != 0)
            return na_error_with_hint(na_wrong(b, "invalid replica=: it is not the same kind of "
                                                  "database as its primary"),
                                      "set replica= to a copy of this database");
        if (strcmp(replica->identity, primary->identity) == 0)
            return na_error_with_hint(na_wrong(b, "invalid replica=: it is the primary itself"),
                                      "set the copy's own URL, or remove replica=");
        NA_TRY(na_db_options_set_schema(b->pool, primary->schema, replica));
        replica->max_connections = primary->max_connections;
        replica->timeout_ms = primary->timeout_ms;
        replica->protects = primary->protects;
    }
    return NULL;
}

/* SQLite creates temporary files in the directory of its file. */
static na_error *check_directory(na_builder *b, const na_db_options *options)
{
    const char *path = options->file;
    int is_there;
    if (!path)
        return NULL;
    size_t len = (size_t)(strrchr(path, '/') - path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    na_error *error =
        na_children_check_directory(b->pool, apr_pstrmemdup(b->pool, path, len ? len : 1),
                                    &is_there);
    if (!error || !is_there)
        return error;
    na_build_warn_aloud(b, error);
    return NULL;
}

static na_error *set_database(na_builder *b, const char *url, const na_directive *w)
{
    static const na_setting settings[] = {
        {"schema", offsetof(na_db_options, schema), as_schema},
        {"maxConnections", offsetof(na_db_options, max_connections), na_as_connections},
        {"timeout", offsetof(na_db_options, timeout_ms), na_as_duration},
        {"replica", offsetof(na_db_options, replicas), add_replica},
        {"atRest", offsetof(na_db_options, protects), as_at_rest},
        {NULL, 0, NULL}};
    na_db_options *options = apr_pcalloc(b->pool, sizeof *options);
    NA_TRY(parse_url(b, url, options));
    NA_TRY(na_build_settings(b, w, 1, settings, options));
    NA_TRY(finish_replicas(b, options));
    b->config->database = options;
    NA_TRY(na_db_options_check(b->pool, options));
    return check_directory(b, options);
}

na_error *na_build_database(na_builder *b, const na_directive *w)
{
    const char *url;
    NA_TRY(na_as_url(b, w->argv[0], &url));
    return set_database(b, url, w);
}

na_error *na_build_role_column(na_builder *b, const na_directive *w)
{
    return na_as_switch(b, w->argv[0], &b->config->session.role_column);
}
