/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a request that sessions depend on. */
#include "httpd/module.h"

/* NextAuthActivity: what cannot be evaluated does not keep a session alive. */
static int is_passive(request_rec *r)
{
    const ap_expr_info_t *activity = na_dir_conf_of(r)->activity;
    const char *error = NULL;
    if (!activity)
        return 0;
    int is_activity = ap_expr_exec(r, activity, &error);
    if (error)
        na_log_request(r, NA_LOG_ERROR, "SESSION_ERROR", "could not evaluate NextAuthActivity: %s",
                       error);
    return error || is_activity <= 0;
}

void na_visit_of(request_rec *r, na_visit *visit)
{
    *visit = (na_visit){.pool = r->pool,
                        .now = apr_time_now(), /* r->request_time is old if the client was slow */
                        .cookie_header = na_cookie_header_of(r),
                        .binding = na_binding_of(r),
                        .client = {.address = r->useragent_ip,
                                   .user_agent = apr_table_get(r->headers_in, "User-Agent"),
                                   .is_passive = is_passive(r)}};
}
