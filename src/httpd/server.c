/* SPDX-License-Identifier: Apache-2.0 */
#include <ap_provider.h>
#include <mod_auth.h>

#include "httpd/module.h"

/* na_server's functions: what the actions may ask of the server. */

static void log_record(void *data, const na_log_record *record)
{
    na_log_record_of_request(data, record);
}

static na_error *failed(request_rec *r, const char *reason)
{
    return na_error_new(r->pool, NA_CONFIGURATION, "an expression cannot be evaluated: %s", reason);
}

static na_error *is_true(void *data, const na_expression *expression, const na_subject *subject,
                         int *result)
{
    request_rec *r = data;
    const char *reason = NULL;
    na_state_of(r)->subject = subject;
    int value = ap_expr_exec(r, (const ap_expr_info_t *)expression, &reason);
    na_state_of(r)->subject = NULL;
    *result = value > 0;
    return value < 0 || reason ? failed(r, reason ? reason : "no reason given") : NULL;
}

static na_error *value_of(void *data, const na_expression *expression, const na_subject *subject,
                          const char **result)
{
    request_rec *r = data;
    const char *reason = NULL;
    na_state_of(r)->subject = subject;
    *result = ap_expr_str_exec(r, (const ap_expr_info_t *)expression, &reason);
    na_state_of(r)->subject = NULL;
    return reason ? failed(r, reason) : NULL;
}

/* As mod_auth_basic asks AuthBasicProvider's: on to the next only where the user is unknown. */
static na_password_result check_password(void *data, const apr_array_header_t *names,
                                         const char *user, const char *password)
{
    request_rec *r = data;
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const authn_provider *provider =
            ap_lookup_provider(AUTHN_PROVIDER_GROUP, name, AUTHN_PROVIDER_VERSION);
        if (!provider || !provider->check_password)
            return NA_PASSWORD_FAILED;
        apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, name); /* how an alias knows itself */
        authn_status status = provider->check_password(r, user, password);
        apr_table_unset(r->notes, AUTHN_PROVIDER_NAME_NOTE);
        if (status == AUTH_GRANTED)
            return NA_PASSWORD_GRANTED;
        if (status == AUTH_DENIED)
            return NA_PASSWORD_DENIED;
        if (status != AUTH_USER_NOT_FOUND)
            return NA_PASSWORD_FAILED;
    }
    return NA_PASSWORD_DENIED;
}

const na_server *na_server_of(request_rec *r)
{
    na_server *server = apr_palloc(r->pool, sizeof *server);
    *server = (na_server){r, log_record, is_true, value_of, check_password, na_run_event_hook};
    return server;
}
