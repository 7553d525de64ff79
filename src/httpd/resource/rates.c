/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of rate limits. */
#include <apr_atomic.h>
#include <apr_strings.h>
#include <http_main.h>
#include <util_mutex.h>

#include "httpd/resource/resource.h"

/*
 * Attempts are counted in the first session store if servers can share it, and otherwise, or while
 * the store fails, in a table in this server's memory. A shared object cache is never used: any
 * visitor can create many counters, which would push sessions out of it.
 */

/* Survives a graceful restart. Each layout has its own table. */
typedef struct retained {
    apr_global_mutex_t *mutex;
    void *memory; /* the table, then whether the store fails */
} retained;

#define RETAINED_NAME "nextauth-rates-1"

static na_rate_table table;
static volatile apr_uint32_t *is_failing;

static na_error *make_table(server_rec *s, retained *kept)
{
    apr_pool_t *pool = s->process->pool;
    if (!kept->mutex &&
        ap_global_mutex_create(&kept->mutex, NULL, NA_RATE_MUTEX, NULL, s, pool, 0) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create the rate limit mutex");
    return kept->memory ? NULL
                        : na_share(pool, NA_RATE_TABLE_SIZE + sizeof *is_failing, "rate limits",
                                   &kept->memory);
}

static na_error *prepare_rate_limits(apr_pool_t *pconf, server_rec *s)
{
    retained *kept = ap_retained_data_get(RETAINED_NAME);
    table = (na_rate_table){0};
    if (!na_is_any_on(s))
        return NULL;
    if (!kept)
        kept = ap_retained_data_create(RETAINED_NAME, sizeof *kept);
    NA_TRY(make_table(s, kept));
    table = (na_rate_table){kept->memory, kept->mutex};
    is_failing = (volatile apr_uint32_t *)((char *)kept->memory + NA_RATE_TABLE_SIZE);
    return NULL;
}

/* Logs one line for all child processes when the store begins to fail, one when it recovers. */
static void log_rate_change(void *data, const na_error *error)
{
    const server_rec *s = data;
    apr_uint32_t failing = error != NULL;
    if (apr_atomic_read32(is_failing) == failing ||
        apr_atomic_xchg32(is_failing, failing) == failing)
        return;
    if (error)
        na_log_server(s, NA_LOG_WARNING, "RATE_LIMIT",
                      "rate limits are counted in this server's memory: %s", error->message);
    else
        na_log_server(s, NA_LOG_WARNING, "RATE_LIMIT",
                      "rate limits are counted in the session store again");
}

static const na_store *store_of(const na_server_conf *conf)
{
    const na_registry *registry = conf->sessions.registry;
    return registry && na_first_store_kind(conf) != NA_STORE_MEMORY ? registry->stores[0] : NULL;
}

static na_error *open_rate_limits(apr_pool_t *pool, server_rec *s)
{
    if (!table.mutex)
        return NULL;
    const char *lock_file = apr_global_mutex_lockfile(table.mutex);
    if (apr_global_mutex_child_init(&table.mutex, lock_file, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not open the rate limit mutex");
    for (; s; s = s->next) {
        na_server_conf *conf = na_server_conf_of(s);
        if (conf->config)
            conf->rates = (na_rates){store_of(conf), &table, log_rate_change, s};
    }
    return NULL;
}

const na_resource na_rate_limits = {.prepare = prepare_rate_limits, .open = open_rate_limits};
