/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks of httpd's start: builds the configuration, opens resources, sets up child processes. */
#include <http_main.h>
#include <util_mutex.h>

#include "base/freed.h"
#include "httpd/findings.h"
#include "httpd/config/sections.h"
#include "httpd/config/build.h"
#include "httpd/resource/resource.h"
#include "httpd/watchdog.h"

static int fail_start(const server_rec *s, const na_directive *at, const na_error *error,
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
    na_resources_begin(pconf);
    for (server_rec *each = s; each; each = each->next) {
        na_builder b;
        na_error *error = na_config_build(&b, pconf, each);
        if (error)
            return fail_start(each, b.at, error, ptemp);
        if (b.is_on && na_findings_are_wanted(s))
            na_check(&b);
    }
    na_sites_separate(s);
    na_warn_of_shared_cookies(s);
    na_warn_of_sections(s);
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST && !na_findings_are_wanted(s))
        na_warn_of_exposure(s, ptemp);
    na_error *error = na_findings_are_wanted(s) ? na_findings_write(s) : NULL;
    return error ? fail_start(s, NULL, error, ptemp) : OK;
}

int na_pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    na_wrap_require_expr(pconf);
    return ap_mutex_register(pconf, NA_SOCACHE_MUTEX, NULL, APR_LOCK_DEFAULT, 0) == APR_SUCCESS &&
                   ap_mutex_register(pconf, NA_RATE_MUTEX, NULL, APR_LOCK_DEFAULT, 0) ==
                       APR_SUCCESS &&
                   ap_mutex_register(pconf, NA_DOCUMENT_MUTEX, NULL, APR_LOCK_DEFAULT, 0) ==
                       APR_SUCCESS
               ? OK
               : HTTP_INTERNAL_SERVER_ERROR;
}

int na_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    /* na_config_build has found all mistakes of the configuration */
    na_error *error = na_resources_prepare(pconf, s);
    if (error)
        return fail_start(s, NULL, error, ptemp);
    na_warn_of_exposure(s, ptemp);
    return OK;
}

void na_child_init(apr_pool_t *pool, server_rec *s)
{
    na_variables_forget(s);
    na_watchdog_guard(pool);
    na_wipe_what_is_freed();
    na_http_global_init();
    na_error *error = na_resources_open(pool, s);
    if (!error)
        return;
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "mod_nextauth could not start: %s",
                 na_error_text(pool, error));
    exit(APEXIT_CHILDSICK);
}
