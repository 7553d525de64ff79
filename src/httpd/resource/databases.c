/* SPDX-License-Identifier: Apache-2.0 */
/* Databases: virtual hosts with equal options share one, which also serves as a session store. */
#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <http_main.h>

#include "db/database.h"
#include "httpd/resource/resource.h"
#include "httpd/watchdog.h"

/* limit for all virtual hosts together */
#define DATABASES_MAX 16

typedef struct shared_database {
    const na_db_options *options;
    const server_rec *server; /* one of those that name it */
    int is_replica;
    na_breaker breaker;
    na_db *db;
} shared_database;

/* filled when the configuration is checked, opened in the child process */
static shared_database databases[DATABASES_MAX];
static int database_count;

/* Only the databases are compared: a replica inherits all other options from its primary. */
static int have_same_replicas(const apr_array_header_t *a, const apr_array_header_t *b)
{
    int count = a ? a->nelts : 0;
    if (count != (b ? b->nelts : 0))
        return 0;
    for (int i = 0; i < count; i++)
        if (!na_db_is_same(APR_ARRAY_IDX(a, i, const na_db_options *),
                           APR_ARRAY_IDX(b, i, const na_db_options *)))
            return 0;
    return 1;
}

static int have_same_options(const na_db_options *a, const na_db_options *b)
{
    return na_db_is_same(a, b) && a->max_connections == b->max_connections &&
           a->timeout_ms == b->timeout_ms && a->protects == b->protects &&
           have_same_replicas(a->replicas, b->replicas);
}

static shared_database *find_database(const na_db_options *options)
{
    for (int i = 0; i < database_count; i++)
        if (have_same_options(databases[i].options, options))
            return &databases[i];
    return NULL;
}

static void log_database_change(void *data, int is_down, const char *message)
{
    const shared_database *database = data;
    na_log_server(database->server, is_down ? NA_LOG_ERROR : NA_LOG_WARNING, "ADAPTER_ERROR",
                  "database: %s", message);
}

static void count_database_failure(void *data)
{
    const shared_database *database = data;
    na_metrics_count(na_process_of_child()->metrics, NA_METRIC_DATABASE_ERRORS,
                     database->options->name, NULL);
}

void na_databases_read(apr_array_header_t *readings)
{
    for (int i = 0; i < database_count; i++) {
        const na_breaker *breaker = &databases[i].breaker;
        const na_reading up = {NA_METRIC_DATABASE_UP,
                               {breaker->name},
                               !apr_atomic_read32(&breaker->health->failures)};
        na_reading_add(readings, &up);
    }
}

static na_error *share_database_health(apr_pool_t *pconf)
{
    void *memory;
    if (!database_count)
        return NULL;
    NA_TRY(na_share(pconf, sizeof(na_breaker_state) * DATABASES_MAX, "the databases' health",
                    &memory));
    na_breaker_state *health = memory;
    for (int i = 0; i < database_count; i++)
        databases[i].breaker = (na_breaker){.name = databases[i].options->name,
                                            .health = &health[i],
                                            .changed = log_database_change,
                                            .failed = count_database_failure,
                                            .data = &databases[i]};
    return NULL;
}

static na_error *add_database(apr_pool_t *pool, const server_rec *s, const na_db_options *options,
                              int is_replica)
{
    if (find_database(options))
        return NULL;
    if (database_count == DATABASES_MAX)
        return na_error_with_hint(
            na_error_new(pool, NA_ERR_CONFIGURATION,
                         "too many different databases: at most %d, including replicas",
                         DATABASES_MAX),
            "use the same options in several virtual hosts, so that they share a database");
    databases[database_count++] =
        (shared_database){.options = options, .server = s, .is_replica = is_replica};
    for (int i = 0; options->replicas && i < options->replicas->nelts; i++)
        NA_TRY(
            add_database(pool, s, APR_ARRAY_IDX(options->replicas, i, const na_db_options *), 1));
    return NULL;
}

static void begin_databases(apr_pool_t *pconf)
{
    database_count = 0;
}

static na_error *take_databases(apr_pool_t *pool, server_rec *s, const na_directive **at)
{
    const na_server_conf *conf = na_server_conf_of(s);
    *at = na_last_of(conf->written, NextAuthDatabase);
    if (!conf->config->database)
        return NULL;
    NA_TRY(
        na_watchdog_check(pool, "NextAuthDatabase requires mod_watchdog to delete expired rows"));
    return add_database(pool, s, conf->config->database, 0);
}

static void connect_replicas(apr_pool_t *pool, const shared_database *primary)
{
    const apr_array_header_t *named = primary->options->replicas;
    int count = named ? named->nelts : 0;
    na_db **replicas = apr_palloc(pool, (apr_size_t)(count + 1) * sizeof *replicas);
    for (int i = 0; i < count; i++)
        replicas[i] = find_database(APR_ARRAY_IDX(named, i, const na_db_options *))->db;
    na_db_set_replicas(primary->db, pool, replicas, count);
}

static na_error *open_databases(apr_pool_t *pool, server_rec *s)
{
    for (int i = 0; i < database_count; i++) {
        NA_TRY(na_db_open(pool, databases[i].options, &databases[i].breaker, &databases[i].db));
        na_metrics_name(na_process_of_child()->metrics, NA_DATABASES, databases[i].options->name);
    }
    for (int i = 0; i < database_count; i++)
        connect_replicas(pool, &databases[i]);
    for (; s; s = s->next) {
        na_server_conf *conf = na_server_conf_of(s);
        if (conf->config && conf->config->database)
            conf->db = find_database(conf->config->database)->db;
    }
    return NULL;
}

/* ── expired rows ──────────────────────────────────────────────────────────────────────────── */

#define PURGE_INTERVAL apr_time_from_sec(300)

/* Runs in one child process at a time. Replicas follow their primary. */
static apr_status_t purge_all(int state, void *unused, apr_pool_t *pool)
{
    for (int i = 0; state == AP_WATCHDOG_STATE_RUNNING && i < database_count; i++) {
        if (!databases[i].db || databases[i].is_replica)
            continue;
        na_error *error = na_db_purge(databases[i].db, pool, apr_time_as_msec(apr_time_now()));
        if (error && !na_is_unavailable(error))
            na_log_server(databases[i].server, NA_LOG_WARNING, "ADAPTER_ERROR", "database: %s",
                          na_error_text(pool, error));
    }
    return APR_SUCCESS;
}

static na_error *prepare_databases(apr_pool_t *pconf, server_rec *s)
{
    NA_TRY(share_database_health(pconf));
    return database_count
               ? na_watchdog_call(pconf, NA_WATCHDOG, PURGE_INTERVAL, databases, purge_all)
               : NULL;
}

const na_resource na_databases = {begin_databases, take_databases, prepare_databases,
                                  open_databases};

/* ── the database as a session store ───────────────────────────────────────────────────────── */

static na_error *check_database(apr_pool_t *pool, const server_rec *s, const char **notice)
{
    return na_server_conf_of(s)->plan.stores.database
               ? NULL
               : na_error_with_hint(
                     na_error_new(pool, NA_ERR_CONFIGURATION,
                                  "session store database requires NextAuthDatabase"),
                     "set NextAuthDatabase, then run nextauthctl migrate");
}

static const char *database_identity(const server_rec *s)
{
    const na_db_options *options = na_server_conf_of(s)->plan.stores.database;
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(options->identity), na_bytes_of(options->schema));
    return na_hex(s->process->pconf, hash, sizeof hash);
}

static na_error *open_store(apr_pool_t *pool, server_rec *s, na_store *store)
{
    store->breaker.name = na_server_conf_of(s)->plan.stores.database->name;
    na_db_make_store(na_server_conf_of(s)->db, store);
    return NULL;
}

const na_store_provider na_database_provider = {.kind = NA_STORE_DATABASE,
                                                .directive = "NextAuthDatabase",
                                                .check = check_database,
                                                .identity = database_identity,
                                                .open = open_store};
