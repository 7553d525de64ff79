/* SPDX-License-Identifier: Apache-2.0 */
/* How to reach a database of MongoDB, and its names. */
#include "mongodb/options.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

#define CLIENTS 8
#define TIMEOUT_MS 4000

/* Most that a server is looked for, even if an operation may take longer. */
#define SELECTION_MAX_MS 10000

#define SCHEMA "authjs"

/* The database of a URL without one, in every driver. */
#define DATABASE "test"

static const char *const names[NA_COLLECTIONS] = {[NA_USERS] = "users",
                                                  [NA_ACCOUNTS] = "accounts",
                                                  [NA_SESSIONS] = "sessions",
                                                  [NA_TOKENS] = "verification_tokens",
                                                  [NA_AUTHENTICATORS] = "authenticators",
                                                  [NA_OWN_USERS] = "nextauth_users",
                                                  [NA_SECRETS] = "nextauth_secrets",
                                                  [NA_STORE] = "nextauth_store",
                                                  [NA_AUDIT] = "nextauth_audit",
                                                  [NA_LOCKS] = "nextauth_locks",
                                                  [NA_GENERATION] = "nextauth_generation",
                                                  [NA_MIGRATIONS] = "nextauth_migrations"};

static na_error *wrong(apr_pool_t *pool, const char *what, const char *hint)
{
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "%s", what), hint);
}

/* ── the URL ───────────────────────────────────────────────────────────────────────────────── */

/* Without verification, anybody between here and the server could be the server. */
static na_error *check_tls(apr_pool_t *pool, const mongoc_uri_t *uri)
{
    static const char *const off[] = {MONGOC_URI_TLSINSECURE,
                                      MONGOC_URI_TLSALLOWINVALIDCERTIFICATES,
                                      MONGOC_URI_TLSALLOWINVALIDHOSTNAMES};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        if (mongoc_uri_get_option_as_bool(uri, off[i], false))
            return wrong(pool,
                         apr_psprintf(pool, "%s would accept any server's certificate", off[i]),
                         "set tlsCAFile= to the CA of the servers");
    return NULL;
}

static na_error *check_reads(apr_pool_t *pool, const mongoc_uri_t *uri)
{
    mongoc_read_mode_t mode = mongoc_read_prefs_get_mode(mongoc_uri_get_read_prefs_t(uri));
    return mode == MONGOC_READ_PRIMARY || mode == MONGOC_READ_PRIMARY_PREFERRED
               ? NULL
               : wrong(pool,
                       "this readPreference reads members that lag behind: sessions that were "
                       "ended would last",
                       "set readPreference=primaryPreferred, which reads them only while there is "
                       "no primary");
}

/* A write without a response might not have been done. */
static na_error *check_writes(apr_pool_t *pool, const mongoc_uri_t *uri)
{
    const mongoc_write_concern_t *concern = mongoc_uri_get_write_concern(uri);
    return mongoc_write_concern_is_acknowledged(concern)
               ? NULL
               : wrong(pool, "w=0 does not report whether a write succeeded", "remove w=0");
}

/* The part after an @ in a password would be taken for a host, and shown. */
static int has_plain_hosts(const mongoc_uri_t *uri)
{
    for (const mongoc_host_list_t *host = mongoc_uri_get_hosts(uri); host; host = host->next)
        if (strchr(host->host, '@'))
            return 0;
    return 1;
}

static const char *hosts_of(apr_pool_t *pool, const mongoc_uri_t *uri)
{
    const char *all = mongoc_uri_get_srv_hostname(uri);
    if (all)
        return apr_pstrdup(pool, all);
    for (const mongoc_host_list_t *host = mongoc_uri_get_hosts(uri); host; host = host->next)
        all = apr_pstrcat(pool, all ? all : "", all ? "," : "", host->host_and_port, NULL);
    return all ? all : "";
}

static na_error *read_uri(apr_pool_t *pool, const char *url, const mongoc_uri_t *uri,
                          na_db_options *options)
{
    const char *database = mongoc_uri_get_database(uri);
    na_mongo_settings *settings = apr_palloc(pool, sizeof *settings);
    NA_TRY(check_tls(pool, uri));
    NA_TRY(check_reads(pool, uri));
    NA_TRY(check_writes(pool, uri));
    *settings = (na_mongo_settings){url, apr_pstrdup(pool, database ? database : DATABASE), {0}};
    memcpy(settings->collections, names, sizeof names);
    options->settings = settings;
    options->identity = url;
    options->name = apr_pstrcat(pool, "MongoDB at ", hosts_of(pool, uri), NULL);
    options->engine = "mongodb";
    options->schema = SCHEMA;
    options->max_connections = CLIENTS;
    options->timeout_ms = TIMEOUT_MS;
    return NULL;
}

na_error *na_mongo_parse(apr_pool_t *pool, const char *url, const char *root,
                         na_db_options *options)
{
    bson_error_t error;
    mongoc_log_set_handler(NULL, NULL); /* it would show parts of the URL */
    mongoc_uri_t *uri = na_has_control(url) ? NULL : mongoc_uri_new_with_error(url, &error);
    if (!uri || !has_plain_hosts(uri))
        return wrong(pool, "invalid MongoDB URL: expected mongodb://USER:PASSWORD@HOST/DATABASE",
                     "percent-encode other characters than letters and digits in user and "
                     "password, and check the names of options");
    na_error *failed = read_uri(pool, apr_pstrdup(pool, url), uri, options);
    mongoc_uri_destroy(uri);
    return failed;
}

static long less(long a, long b)
{
    return a < b ? a : b;
}

/* A limit in the URL that is shorter than ours holds. */
static void limit(mongoc_uri_t *uri, const char *option, long most)
{
    int given = mongoc_uri_get_option_as_int32(uri, option, 0);
    mongoc_uri_set_option_as_int32(uri, option, (int32_t)(given > 0 ? less(given, most) : most));
}

/*
 * An operation first finds a server, then waits for its answer: each takes half of the time.
 * Writes count once most members have them, so that a failover loses none, unless the URL says
 * otherwise. Secondaries are read while there is no primary, unless it says "primary".
 */
mongoc_uri_t *na_mongo_uri(const na_db_options *options)
{
    bson_error_t error;
    const na_mongo_settings *settings = options->settings;
    mongoc_uri_t *uri = mongoc_uri_new_with_error(settings->url, &error);
    if (!uri)
        return NULL;
    long half = options->timeout_ms / 2 > 0 ? options->timeout_ms / 2 : 1;
    limit(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, less(half, SELECTION_MAX_MS));
    limit(uri, MONGOC_URI_CONNECTTIMEOUTMS, less(half, SELECTION_MAX_MS));
    limit(uri, MONGOC_URI_SOCKETTIMEOUTMS, half);
    limit(uri, MONGOC_URI_WAITQUEUETIMEOUTMS, options->timeout_ms);
    limit(uri, MONGOC_URI_MAXPOOLSIZE, options->max_connections);
    if (!mongoc_uri_get_appname(uri))
        mongoc_uri_set_appname(uri, "mod_nextauth");
    if (!mongoc_uri_has_option(uri, MONGOC_URI_W)) {
        mongoc_write_concern_t *most = mongoc_write_concern_new();
        mongoc_write_concern_set_w(most, MONGOC_WRITE_CONCERN_W_MAJORITY);
        mongoc_uri_set_write_concern(uri, most);
        mongoc_write_concern_destroy(most);
    }
    return uri;
}

/* ── names of collections ──────────────────────────────────────────────────────────────────── */

static int find_name(const char *name)
{
    for (int i = 0; i < NA_SHARED_COLLECTIONS; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

/* MongoDB reserves "system." and "$"; the prefix is that of this module's own collections. */
static int is_free(const char *name)
{
    return *name && strlen(name) <= 120 && !strchr(name, '$') && !na_has_control(name) &&
           na_is_utf8(name) && strncmp(name, "system.", 7) != 0 &&
           strncmp(name, "nextauth_", 9) != 0;
}

static na_error *check_different(apr_pool_t *pool, const na_mongo_settings *settings)
{
    for (int i = 0; i < NA_SHARED_COLLECTIONS; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(settings->collections[i], settings->collections[j]) == 0)
                return wrong(pool,
                             apr_psprintf(pool, "invalid schema=: '%s' is named twice",
                                          settings->collections[i]),
                             "give each collection a name of its own");
    return NULL;
}

static na_error *rename_collections(apr_pool_t *pool, const char *renamed,
                                    na_mongo_settings *settings)
{
    char *state, *list = apr_pstrdup(pool, renamed);
    for (char *each = apr_strtok(list, ",", &state); each; each = apr_strtok(NULL, ",", &state)) {
        char *is = strchr(each, '=');
        if (is)
            *is++ = '\0';
        int which = find_name(each);
        if (!is || which < 0 || !is_free(is))
            return wrong(pool, apr_psprintf(pool, "invalid schema=: '%s'", each),
                         "for MongoDB, set schema=authjs, or NAME=COLLECTION, separated by commas; "
                         "the names are users, accounts, sessions, verification_tokens, and "
                         "authenticators");
        settings->collections[which] = is;
    }
    return check_different(pool, settings);
}

na_error *na_mongo_set_schema(apr_pool_t *pool, const char *name, na_db_options *options)
{
    na_mongo_settings *settings = apr_pmemdup(pool, options->settings, sizeof *settings);
    memcpy(settings->collections, names, sizeof names);
    if (name && strcmp(name, SCHEMA) != 0)
        NA_TRY(rename_collections(pool, name, settings));
    options->schema = name ? apr_pstrdup(pool, name) : SCHEMA;
    options->settings = settings;
    return NULL;
}

na_error *na_mongo_check(apr_pool_t *pool, const na_db_options *options)
{
    return options->replicas && options->replicas->nelts
               ? wrong(pool, "replica= is not for MongoDB",
                       "name all members of the replica set in the URL, with replicaSet=")
               : NULL;
}
