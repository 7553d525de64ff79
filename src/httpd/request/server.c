/* SPDX-License-Identifier: Apache-2.0 */
/* na_host: the functions of httpd that actions can call. */
#include <ap_provider.h>
#include <apr_strings.h>
#include <mod_auth.h>

#include "httpd/module.h"
#include "httpd/request/wishes.h"
#include "mod_nextauth.h"

static void log_record(void *data, const na_log_record *record)
{
    na_log_record_of_request(data, record);
}

static int is_dropped(void *data, na_level level)
{
    return na_log_is_dropped(data, level);
}

static na_error *evaluation_error(request_rec *r, const char *reason)
{
    return na_error_new(r->pool, NA_ERR_CONFIGURATION, "could not evaluate the expression: %s",
                        reason);
}

static na_error *evaluate_condition(void *data, const na_expression *expression,
                                    const na_subject *subject, int *result)
{
    request_rec *r = data;
    const char *reason = NULL;
    na_state_of(r)->subject = subject;
    int value = ap_expr_exec(r, (const ap_expr_info_t *)expression, &reason);
    na_state_of(r)->subject = NULL;
    *result = value > 0;
    return value < 0 || reason ? evaluation_error(r, reason ? reason : "no reason given") : NULL;
}

static na_error *evaluate_text(void *data, const na_expression *expression,
                               const na_subject *subject, const char **result)
{
    request_rec *r = data;
    const char *reason = NULL;
    na_state_of(r)->subject = subject;
    *result = ap_expr_str_exec(r, (const ap_expr_info_t *)expression, &reason);
    na_state_of(r)->subject = NULL;
    return reason ? evaluation_error(r, reason) : NULL;
}

/* The variable that mod_authnz_ldap sets to the attribute; NULL if `attribute` is NULL. */
static const char *attribute_variable(request_rec *r, const char *attribute)
{
    char *variable = attribute ? apr_pstrcat(r->pool, "AUTHENTICATE_", attribute, NULL) : NULL;
    if (variable)
        ap_str_toupper(variable);
    return variable;
}

static void forget_attribute(request_rec *r, const char *attribute)
{
    if (attribute)
        apr_table_unset(r->subprocess_env, attribute_variable(r, attribute));
}

static const char *attribute_value(request_rec *r, const char *attribute)
{
    const char *value =
        attribute ? apr_table_get(r->subprocess_env, attribute_variable(r, attribute)) : NULL;
    return value && *value ? value : NULL;
}

/* Like mod_auth_basic, asks the next authentication provider only if the user is unknown. */
static na_password_result ask_authn_providers(request_rec *r, const apr_array_header_t *names,
                                              const char *user, const char *password)
{
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const authn_provider *provider =
            ap_lookup_provider(AUTHN_PROVIDER_GROUP, name, AUTHN_PROVIDER_VERSION);
        if (!provider || !provider->check_password)
            return NA_PASSWORD_FAILED;
        apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, name); /* an alias reads its name here */
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

/*
 * As with mod_auth_basic, r->user is the username that was sent. A backend can replace it
 * (AuthLDAPRemoteUserAttribute), with NULL if the user's entry lacks the attribute.
 */
static na_password_result check_password(void *data, const na_provider *provider,
                                         const char *password, na_user *user)
{
    request_rec *r = data;
    char *before = r->user;
    forget_attribute(r, provider->name_attribute);
    forget_attribute(r, provider->email_attribute);
    r->user = apr_pstrdup(r->pool, user->id);
    na_password_result result =
        ask_authn_providers(r, provider->authn_providers, user->id, password);
    *user = (na_user){.id = r->user,
                      .name = attribute_value(r, provider->name_attribute),
                      .email = attribute_value(r, provider->email_attribute)};
    r->user = before;
    return result;
}

APR_IMPLEMENT_OPTIONAL_HOOK_RUN_ALL(nextauth, NEXTAUTH, int, nextauth_event,
                                    (request_rec * r, const nextauth_event *event), (r, event), OK,
                                    DECLINED)

static void run_event_hook(void *data, const na_event *event)
{
    const nextauth_event told = {.name = na_event_name(event->kind),
                                 .failure = event->failure,
                                 .is_new_user = event->is_new_user,
                                 .user_id = event->user,
                                 .user_name = event->name,
                                 .user_email = event->email,
                                 .user_image = event->image,
                                 .provider = event->provider,
                                 .account_type = event->account_type,
                                 .account_id = event->account_id,
                                 .site = event->origin.site,
                                 .address = event->origin.address,
                                 .request_id = event->origin.request_id,
                                 .trace_id = event->origin.trace_id};
    if (told.name)
        nextauth_run_nextauth_event(data, &told);
}

const na_host *na_host_of(request_rec *r)
{
    na_host *server = apr_palloc(r->pool, sizeof *server);
    *server = (na_host){r,
                        log_record,
                        is_dropped,
                        evaluate_condition,
                        evaluate_text,
                        check_password,
                        run_event_hook,
                        na_wishes_of};
    return server;
}
