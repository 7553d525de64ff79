/* SPDX-License-Identifier: Apache-2.0 */
#include <ap_mpm.h>

#include "base/call_limits.h"
#include "httpd/resource/resource.h"
#include "metrics/observers.h"

/* Passwords a child checks at once: each takes a core for as long as its hash was made to. */
#define PASSWORD_PLACES 2

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

static na_error *prepare_calls(apr_pool_t *pconf, server_rec *s)
{
    NA_TRY(na_share(pconf, na_call_limits_size(check_places()), "password checks", &checks));
    return na_share(pconf, na_call_limits_size(places()), "outgoing calls", &block);
}

static na_error *limit_calls(apr_pool_t *pool, server_rec *s)
{
    const na_http_observer *observer = na_metrics_of_calls(pool, na_process_of_child()->metrics);
    na_call_limits *limits;
    NA_TRY(
        na_call_limits_open(pool, block, places(), share_of(query(AP_MPMQ_MAX_THREADS)), &limits));
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

/* Within a process the gate has the say. */
static na_error *open_calls(apr_pool_t *pool, server_rec *s)
{
    na_process *process = na_process_of_child();
    int places = check_places();
    NA_TRY(na_call_limits_open(pool, checks, places, places, &process->checks));
    NA_TRY(na_password_gate_make(pool, PASSWORD_PLACES, &process->passwords));
    NA_TRY(na_documents_make(pool, &process->documents));
    return limit_calls(pool, s);
}

const na_resource na_calls = {.prepare = prepare_calls, .open = open_calls};
