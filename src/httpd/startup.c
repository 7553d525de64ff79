/* SPDX-License-Identifier: Apache-2.0 */
#include <http_main.h>
#include <util_mutex.h>

#include "base/freed.h"
#include "httpd/findings.h"
#include "httpd/config/sections.h"
#include "httpd/startup.h"
#include "httpd/watchdog.h"
#include "metrics/observers.h"

/* Verified tokens a child remembers: about 1.5 KB each. */
#define TOKENS 4096

/* Passwords a child checks at once: each takes a core for as long as its hash was made to. */
#define PASSWORD_PLACES 2

static na_process process_of_child;

const na_process *na_process_of_child(void)
{
    return &process_of_child;
}

static int report(const server_rec *s, const na_written *at, const na_error *error,
                  apr_pool_t *pool)
{
    if (at && at->file)
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s, "%s on line %d of %s: %s",
                     at->directive, at->line, at->file, na_error_text(pool, error));
    else if (at)
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s,
                     "%s in the server's environment: %s", at->directive,
                     na_error_text(pool, error));
    else if (s->defn_name)
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s,
                     "mod_nextauth for %s (line %d of %s): %s", s->server_hostname,
                     s->defn_line_number, s->defn_name, na_error_text(pool, error));
    else
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s, "mod_nextauth: %s",
                     na_error_text(pool, error));
    return HTTP_INTERNAL_SERVER_ERROR;
}

int na_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    na_findings_begin(s);
    na_databases_begin();
    na_stores_begin();
    na_sinks_begin();
    na_audits_begin(pconf);
    for (server_rec *each = s; each; each = each->next) {
        na_server_conf *conf = na_server_conf_of(each);
        const na_written *at = NULL;
        na_error *error = na_config_build(pconf, each, conf, &at);
        if (error)
            return report(each, at, error, ptemp);
    }
    na_sites_separate(s);
    na_warn_of_shared_cookies(s, ptemp);
    na_warn_of_sections(s);
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST && !na_findings_are_wanted(s))
        na_warn_of_exposure(s, ptemp);
    na_error *error = na_findings_are_wanted(s) ? na_findings_write(s) : NULL;
    return error ? report(s, NULL, error, ptemp) : OK;
}

int na_pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    na_wrap_require_expr(pconf);
    return ap_mutex_register(pconf, NA_SOCACHE_MUTEX, NULL, APR_LOCK_DEFAULT, 0) == APR_SUCCESS &&
                   ap_mutex_register(pconf, NA_RATE_MUTEX, NULL, APR_LOCK_DEFAULT, 0) == APR_SUCCESS
               ? OK
               : HTTP_INTERNAL_SERVER_ERROR;
}

/* What can go wrong here for the configuration's sake was found by na_config_build. */
static na_error *prepare(apr_pool_t *pconf, server_rec *s)
{
    NA_TRY(na_logs_open(pconf, s));
    NA_TRY(na_metrics_prepare(pconf, s));
    NA_TRY(na_audits_prepare(pconf, s));
    NA_TRY(na_databases_prepare(pconf));
    NA_TRY(na_delivery_prepare(pconf, s));
    NA_TRY(na_stores_prepare(pconf));
    NA_TRY(na_calls_prepare(pconf));
    NA_TRY(na_replays_prepare(s));
    NA_TRY(na_rates_prepare(pconf, s));
    return na_health_prepare(pconf, s);
}

int na_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    na_error *error = prepare(pconf, s);
    if (error)
        return report(s, NULL, error, ptemp);
    na_warn_of_exposure(s, ptemp);
    return OK;
}

static na_error *start_child(apr_pool_t *pool, server_rec *s)
{
    na_token_cache *tokens;
    na_call_limits *calls;
    na_variables_forget(s);
    na_watchdog_guard(pool);
    na_wipe_what_is_freed();
    na_http_global_init();
    process_of_child.metrics = na_metrics_of_child(pool);
    const na_session_observer *of_sessions = na_metrics_of_sessions(pool, process_of_child.metrics);
    const na_http_observer *of_calls = na_metrics_of_calls(pool, process_of_child.metrics);
    NA_TRY(na_token_cache_make(pool, TOKENS, &tokens));
    process_of_child.replays = na_replays_of_child();
    NA_TRY(na_calls_open(pool, &calls));
    NA_TRY(na_checks_open(pool, &process_of_child.checks));
    NA_TRY(na_documents_make(pool, &process_of_child.documents));
    NA_TRY(na_password_gate_make(pool, PASSWORD_PLACES, &process_of_child.passwords));
    for (server_rec *each = s; each; each = each->next) {
        na_server_conf *conf = na_server_conf_of(each);
        if (!conf->config)
            continue;
        NA_TRY(na_http_make(pool, &conf->config->http, &conf->http));
        na_http_limit(conf->http, calls);
        na_http_observe(conf->http, of_calls);
        conf->sessions = (na_sessions){.config = &conf->config->session,
                                       .tokens = tokens,
                                       .observer = of_sessions};
    }
    NA_TRY(na_databases_open(pool, s));
    NA_TRY(na_mails_open(pool, s));
    NA_TRY(na_delivery_open(pool));
    NA_TRY(na_stores_open(pool, s));
    NA_TRY(na_rates_open(pool, s));
    return na_health_open(pool, s);
}

void na_child_init(apr_pool_t *pool, server_rec *s)
{
    na_error *error = start_child(pool, s);
    if (!error)
        return;
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "mod_nextauth cannot start: %s",
                 na_error_text(pool, error));
    exit(APEXIT_CHILDSICK);
}
