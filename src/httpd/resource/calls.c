/* SPDX-License-Identifier: Apache-2.0 */
#include <ap_mpm.h>

#include "base/call_limits.h"
#include "httpd/startup.h"

/* Of the threads that serve requests, one in so many may wait for a provider. */
#define SHARE 4

static void *block, *checks;

static int query(int what)
{
    int result;
    return ap_mpm_query(what, &result) == APR_SUCCESS && result > 0 ? result : 1;
}

static int share_of(int threads)
{
    return threads < SHARE ? 1 : threads / SHARE;
}

/* A process of one thread (prefork) is held up whole by its call: all of them are counted. */
static int places(void)
{
    return share_of(query(AP_MPMQ_MAX_DAEMONS) * query(AP_MPMQ_MAX_THREADS));
}

/*
 * Places of password checks, waiting ones included. A process of threads has a gate of its own, and
 * all its threads may stand there; of processes with one thread, half may check passwords.
 */
static int check_places(void)
{
    int threads = query(AP_MPMQ_MAX_THREADS), processes = query(AP_MPMQ_MAX_DAEMONS);
    return threads > 1 ? threads * processes : processes > 1 ? processes / 2 : 1;
}

na_error *na_calls_prepare(apr_pool_t *pconf)
{
    NA_TRY(na_share(pconf, na_call_limits_size(check_places()), "password checks", &checks));
    return na_share(pconf, na_call_limits_size(places()), "outgoing calls", &block);
}

na_error *na_calls_open(apr_pool_t *pool, na_call_limits **limits)
{
    return na_call_limits_open(pool, block, places(), share_of(query(AP_MPMQ_MAX_THREADS)), limits);
}

/* Within a process the gate has the say. */
na_error *na_checks_open(apr_pool_t *pool, na_call_limits **limits)
{
    int places = check_places();
    return na_call_limits_open(pool, checks, places, places, limits);
}
