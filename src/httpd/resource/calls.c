/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP clients, and limits on threads that wait for providers, renewals, or password checks. */
#include <ap_mpm.h>

#include "base/call_limits.h"
#include "httpd/resource/resource.h"
#include "metrics/observers.h"

/* passwords that a child process checks at once, because each occupies a core */
#define PASSWORD_PLACES 2

/*
 * one in so many request threads can wait for a provider, one in so many for a password check,
 * including the wait for its turn, and one in so many for tokens that another request renews
 */
#define CALLS 4
#define CHECKS 2
#define WAITS 2

static void *block, *checks, *waits;

static int query_mpm(int what)
{
    int result;
    return ap_mpm_query(what, &result) == APR_SUCCESS && result > 0 ? result : 1;
}

static int share_of(int threads, int one_in)
{
    return threads < one_in ? 1 : threads / one_in;
}

/* Counts the threads of all child processes, because in prefork each has only one. */
static int count_places(int one_in)
{
    return share_of(query_mpm(AP_MPMQ_MAX_DAEMONS) * query_mpm(AP_MPMQ_MAX_THREADS), one_in);
}

static na_error *prepare_calls(apr_pool_t *pconf, server_rec *s)
{
    NA_TRY(na_share(pconf, na_call_limits_size(count_places(CHECKS)), "password checks", &checks));
    NA_TRY(na_share(pconf, na_call_limits_size(count_places(WAITS)), "renewals", &waits));
    return na_share(pconf, na_call_limits_size(count_places(CALLS)), "outgoing calls", &block);
}

static na_error *open_block(apr_pool_t *pool, void *shared, int one_in, na_call_limits **limits)
{
    return na_call_limits_open(pool, shared, count_places(one_in),
                               share_of(query_mpm(AP_MPMQ_MAX_THREADS), one_in), limits);
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
    NA_TRY(open_block(pool, waits, WAITS, &process->waits));
    NA_TRY(na_password_gate_make(pool, PASSWORD_PLACES, &process->passwords));
    NA_TRY(na_htpasswd_index_make(pool, &process->password_files));
    return limit_calls(pool, s);
}

const na_resource na_calls = {.prepare = prepare_calls, .open = open_calls};
