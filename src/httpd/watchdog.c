/* SPDX-License-Identifier: Apache-2.0 */
/* Periodic work in threads of mod_watchdog. */
#include "httpd/watchdog.h"

#include <ap_mpm.h>
#include <apr_atomic.h>

#include "base/crypto.h"

/* of this child process: whether it is stopping, and the number of running calls */
static volatile apr_uint32_t is_ending, busy;

typedef struct call {
    ap_watchdog_callback_fn_t *function;
    void *data;
} call;

/*
 * mod_watchdog does not join its threads in child processes: this one can still run during exit().
 * When the call no longer counts as running, nothing of it is left: neither its memory, whose
 * cleanups use resources of the child process, nor what OpenSSL keeps for a thread.
 */
static apr_status_t run_and_clean_up(const call *c, int state, apr_pool_t *parent)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, parent);
    apr_status_t status = c->function(state, c->data, pool);
    apr_pool_destroy(pool);
    na_crypto_release_thread();
    return status;
}

static apr_status_t run_call(int state, void *data, apr_pool_t *pool)
{
    apr_status_t status = APR_SUCCESS;
    apr_atomic_inc32(&busy);
    if (!apr_atomic_read32(&is_ending))
        status = run_and_clean_up(data, state, pool);
    apr_atomic_dec32(&busy);
    return status;
}

static apr_status_t wait_for_calls(void *unused)
{
    apr_atomic_set32(&is_ending, 1);
    while (apr_atomic_read32(&busy))
        apr_sleep(apr_time_from_msec(10));
    return APR_SUCCESS;
}

void na_watchdog_guard(apr_pool_t *pool)
{
    apr_atomic_set32(&is_ending, 0);
    apr_pool_pre_cleanup_register(pool, NULL, wait_for_calls);
}

int na_watchdog_is_ending(void)
{
    int state;
    return apr_atomic_read32(&is_ending) ||
           ap_mpm_query(AP_MPMQ_MPM_STATE, &state) != APR_SUCCESS || state == AP_MPMQ_STOPPING;
}

int na_watchdog_is_here(void)
{
    return APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance) != NULL;
}

na_error *na_watchdog_check(apr_pool_t *pool, const char *why)
{
    return na_watchdog_is_here()
               ? NULL
               : na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "%s", why),
                                    "load mod_watchdog (LoadModule watchdog_module)");
}

na_error *na_watchdog_call(apr_pool_t *pconf, const char *thread, apr_interval_time_t interval,
                           const void *data, ap_watchdog_callback_fn_t *function)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *watch =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    call *c = apr_palloc(pconf, sizeof *c);
    *c = (call){function, (void *)data};
    return get && watch && get(&watchdog, thread, 0, 1, pconf) == APR_SUCCESS &&
                   watch(watchdog, interval, c, run_call) == APR_SUCCESS
               ? NULL
               : na_error_new(pconf, NA_ERR_CONFIGURATION,
                              "could not register a mod_watchdog callback");
}
