/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies the password of a user, wherever the provider keeps it. */
#include "auth/credentials.h"

#include <string.h>

#include "auth/gate.h"
#include "auth/limit.h"
#include "auth/password_user.h"
#include "auth/report.h"
#include "base/json.h"
#include "mail/address.h"

static na_error *check_backend(na_request *request, const char *password, na_user *user,
                               na_password_result *result)
{
    const na_provider *provider = request->provider;
    na_error *error = NULL;
    NA_TRY(na_gate_enter(request));
    if (provider->password_file)
        *result = na_htpasswd_check(request->pool, request->process->password_files, request->now,
                                    provider->password_file, user->id, password, &error);
    else
        *result = request->server->check_password(request->server->data, provider, password, user);
    na_gate_leave(request);
    if (error)
        na_log_error(request, NA_LOG_ERROR, "CALLBACK_CREDENTIALS_HANDLER_ERROR", error);
    return NULL;
}

static na_error *refuse_sign_in(na_request *request, const char *why)
{
    return na_error_new(request->pool, NA_ERR_CREDENTIALS_SIGNIN, "%s", why);
}

/* A directory that is down or not configured is not the same as a wrong password. */
static na_error *backend_failed(na_request *request)
{
    na_error *error = na_error_new(request->pool, NA_ERR_UNAVAILABLE,
                                   "httpd's authentication provider could not verify the password "
                                   "(see its own line in the error log)");
    na_log_error(request, NA_LOG_ERROR, "CALLBACK_CREDENTIALS_HANDLER_ERROR", error);
    return error;
}

static int is_user_name(const char *user)
{
    return user && *user && strlen(user) <= 255 && !na_has_control(user) && !strchr(user, ':') &&
           na_is_utf8(user);
}

/*
 * Completes the user of the session, with attributes of a directory if some are configured. An
 * email address must have one form because REMOTE_USER depends on it, and mod_authnz_ldap joins
 * several values into one text.
 */
static na_error *complete_user(na_request *request, na_user *user)
{
    const char *said = user->email;
    if (!is_user_name(user->id) || na_has_blank_ends(user->id))
        return refuse_sign_in(
            request,
            "the backend has no valid username for this user (check AuthLDAPRemoteUserAttribute)");
    if (!user->name)
        user->name = user->id;
    if (!request->provider->email_attribute) {
        user->email = strchr(user->id, '@') ? user->id : NULL;
        return NULL;
    }
    user->email = said ? na_email_canonical(request->pool, said) : NULL;
    if (!user->email)
        na_log(request, NA_LOG_INFO, "PROFILE_DATA",
               "the user has no email address: the attribute '%s' is missing or not of the form "
               "local@domain",
               request->provider->email_attribute);
    return NULL;
}

static na_error *verify_in_database(na_request *request, const char *email, const char *password,
                                    na_subject *subject)
{
    na_db_user user;
    apr_int64_t revision;
    int found;
    NA_TRY(na_password_user_check(request, email, password, &user, &revision, &found));
    if (!found)
        return refuse_sign_in(request, "wrong email address or password");
    *subject = (na_subject){.user = {user.id, user.name, user.email, user.image},
                            .provider = request->provider,
                            .revision = revision,
                            .is_checked = 1};
    return NULL;
}

static na_error *verify_at_backend(na_request *request, const char *user, const char *password,
                                   na_subject *subject)
{
    na_password_result result;
    if (na_has_blank_ends(user)) /* backends and applications strip them */
        return refuse_sign_in(request, "the username begins or ends with a blank");
    *subject = (na_subject){.user = {.id = user}, .provider = request->provider};
    NA_TRY(check_backend(request, password, &subject->user, &result));
    if (result == NA_PASSWORD_FAILED)
        na_limit_give_back(request); /* no password was guessed */
    if (result == NA_PASSWORD_FAILED && request->provider->authn_providers)
        return backend_failed(request);
    if (result == NA_PASSWORD_FAILED)
        return refuse_sign_in(request, "could not verify the password");
    if (result == NA_PASSWORD_DENIED)
        return refuse_sign_in(request, "wrong username or password");
    return complete_user(request, &subject->user);
}

na_error *na_credentials_verify(na_request *request, const char *user, const char *password,
                                na_subject *subject)
{
    if (!is_user_name(user) || !password || !*password || strlen(password) > NA_PASSWORD_MAX)
        return refuse_sign_in(request, "missing or invalid username or password");
    request->claimant = (na_user){.name = user, .email = strchr(user, '@') ? user : NULL};
    request->account = na_limit_account(request->pool, request->provider, user);
    NA_TRY(na_limit_take(request, NA_LIMIT_SIGN_IN, request->account));
    if (request->provider->in_database)
        NA_TRY(verify_in_database(request, user, password, subject));
    else
        NA_TRY(verify_at_backend(request, user, password, subject));
    subject->account =
        na_json_own(request->pool,
                    json_pack("{s:s, s:s, s:s}", "provider", request->provider->id, "type",
                              "credentials", "providerAccountId", subject->user.id));
    return NULL;
}
