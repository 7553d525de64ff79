/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds on calls that are under way, in memory that all child processes share. */
#include <ap_mpm.h>

#include "base/call_limits.h"
#include "httpd/resource/resource.h"
#include "metrics/observers.h"

/* Passwords a child checks at once: each takes a core for as long as its hash was made to. */
#define PASSWORD_PLACES 2

/*
 * Of the threads that serve requests, one in so many may wait for a provider, and one in so many
 * for a password check, its turn included.
 */
#define CALLS 4
#define CHECKS 2

static void *block, *checks;

static int query(int what)
{
    int result;
    return ap_mpm_query(what, &result) == APR_SUCCESS && result > 0 ? result : 1;
}

static int share_of(int threads, int one_in)
{
    return threads < one_in ? 1 : threads / one_in;
}

/* A process of one thread (prefork) is held up whole: all of them are counted. */
static int places(int one_in)
{
    return share_of(query(AP_MPMQ_MAX_DAEMONS) * query(AP_MPMQ_MAX_THREADS), one_in);
}

static na_error *prepare_calls(apr_pool_t *pconf, server_rec *s)
{
    NA_TRY(na_share(pconf, na_call_limits_size(places(CHECKS)), "password checks", &checks));
    return na_share(pconf, na_call_limits_size(places(CALLS)), "outgoing calls", &block);
}

static na_error *open_block(apr_pool_t *pool, void *shared, int one_in, na_call_limits **limits)
{
    return na_call_limits_open(pool, shared, places(one_in),
                               share_of(query(AP_MPMQ_MAX_THREADS), one_in), limits);
}

static na_error *limit_calls(apr_pool_t *pool, server_rec *s)
{
    const na_http_observer *observer = na_metrics_of_calls(pool, na_process_of_child()->metrics);
    na_call_limits *limits;
    NA_TRY(open_block(pool, block, CALLS, &limits));
    for (; s; s = s->next) {
        na_server_conf *conf = na_server_conf_of(s);
        if (!conf->config)
            continue;
        NA_TRY(na_http_make(pool, &conf->config->http, &conf->http));
        na_http_limit(conf->http, limits);
        na_http_observe(conf->http, observer);
    }
    return NULL;
}

static na_error *open_calls(apr_pool_t *pool, server_rec *s)
{
    na_process *process = na_process_of_child();
    NA_TRY(open_block(pool, checks, CHECKS, &process->checks));
    NA_TRY(na_password_gate_make(pool, PASSWORD_PLACES, &process->passwords));
    NA_TRY(na_documents_make(pool, &process->documents));
    return limit_calls(pool, s);
}

const na_resource na_calls = {.prepare = prepare_calls, .open = open_calls};
