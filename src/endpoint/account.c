/* SPDX-License-Identifier: Apache-2.0 */
/* The account page: change the name, password, or email address, and delete the account. */
#include <string.h>

#include <apr_strings.h>

#include "auth/csrf.h"
#include "endpoint/endpoints.h"
#include "auth/limit.h"
#include "auth/mail_link.h"
#include "auth/notice.h"
#include "endpoint/opened_link.h"
#include "auth/password_user.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/url.h"
#include "mail/address.h"

#define VALID_FOR (24L * 3600)

static na_error *check_feature(const na_request *request)
{
    return (request->config->features & NA_FEATURE_ACCOUNT) && request->db
               ? NULL
               : na_error_new(request->pool, NA_ERR_CONFIGURATION,
                              "NextAuthFeature account is not set");
}

static na_error *read_enabled(na_db_use *use, const char *id, na_db_user *user)
{
    na_db_credential credential = {0};
    int found;
    NA_TRY(na_db_get_user(use, id, user, &found));
    if (found)
        NA_TRY(na_db_get_credential(use, id, &credential));
    if (!found || credential.disabled)
        *user = (na_db_user){0};
    return NULL;
}

/* Loads the user who is signed in; user->id is NULL if there is none or the user was disabled
 * since. */
static na_error *load_user(na_request *request, const na_session **session, na_db_user *user)
{
    na_db_use *use;
    *user = (na_db_user){0};
    na_error *error = na_request_session_now(request, session);
    if (na_is_unavailable(error))
        return error;
    if (!*session || !na_session_claim(*session, NA_CLAIM_DATABASE_USER))
        return NULL;
    NA_TRY(na_db_read(request->db, request->pool, &use));
    return na_db_end(use, read_enabled(use, (*session)->user, user));
}

/* Sends the browser to the sign-in page, and from there to `path`. */
static void ask_to_sign_in(na_request *request, na_response *response, const char *path)
{
    const char *base = request->config->base_url;
    na_respond_redirect(request, response, 401,
                        na_url_add(request->pool, apr_pstrcat(request->pool, base, "/signin", NULL),
                                   "callbackUrl", apr_pstrcat(request->pool, base, path, NULL)));
}

static void respond_account(na_request *request, na_response *response, const na_db_user *user,
                            const char *said, int is_error)
{
    na_page_form form = {request->config->base_url, request->csrf_token, request->callback_url};
    na_respond_page(request, response, 200, "Your account",
                    na_page_account(request->pool, &form, user->name, user->email,
                                    (request->config->features & NA_FEATURE_DELETE) != 0, said,
                                    is_error));
}

na_error *na_get_account(na_request *request, na_response *response)
{
    const na_session *session;
    na_db_user user;
    NA_TRY(check_feature(request));
    NA_TRY(load_user(request, &session, &user));
    if (user.id)
        respond_account(request, response, &user, NULL, 0);
    else
        ask_to_sign_in(request, response, "/account");
    return NULL;
}

/* ── changes: each sets *said, or *fault if it fails ───────────────────────────────────────── */

typedef na_error *changer(na_request *request, na_response *response, const na_session *session,
                          na_db_user *user, const char **said, const char **fault);

/* All columns are written, so the row is read again first, with the changes of others. */
static na_error *put_name(na_request *request, na_db_use *use, na_db_user *user,
                          const na_event *event)
{
    NA_TRY(read_enabled(use, apr_pstrdup(na_db_pool(use), user->id), user));
    if (!user->id)
        return na_error_new(na_db_pool(use), NA_ERR_ACCESS_DENIED, "the user no longer exists");
    user->name = event->name;
    NA_TRY(na_db_update_user(use, user));
    return na_record_event(request, use, event);
}

static na_error *change_name(na_request *request, na_response *response, const na_session *session,
                             na_db_user *user, const char **said, const char **fault)
{
    na_db_use *use;
    const char *name = na_password_user_name(request);
    if (!name) {
        *fault = "Enter a valid name.";
        return NULL;
    }
    *said = "Your name has been changed.";
    na_event event = na_event_of_db_user(request, NA_EVENT_UPDATE_USER, user);
    event.name = name;
    event.detail = "name";
    NA_TRY(na_db_write(request->db, request->pool, &use));
    NA_TRY(na_db_end(use, put_name(request, use, user, &event)));
    na_report(request, &event);
    return NULL;
}

static const char wrong_password[] = "The current password is incorrect.";

/* Important changes require the password again: another person might use the session. */
static na_error *check_password(na_request *request, na_event_kind kind, const na_db_user *user,
                                apr_int64_t *revision, const char **fault)
{
    const char *password = apr_table_get(request->form, "currentPassword");
    na_db_user checked;
    int found = 0;
    request->attempted = kind;
    NA_TRY(na_limit_take_signed_in(request, NA_LIMIT_SIGN_IN, user->id));
    if (user->email && password && *password && strlen(password) <= NA_PASSWORD_MAX)
        NA_TRY(na_password_user_check(request, user->email, password, &checked, revision, &found));
    if (found && strcmp(checked.id, user->id) == 0) {
        na_limit_give_back(request);
        return NULL;
    }
    *fault = wrong_password;
    na_event event = na_event_of_db_user(request, kind, user);
    event.failure = NA_ERR_CREDENTIALS_SIGNIN;
    event.reason = "the current password is incorrect";
    return na_record_event(request, NULL, &event);
}

static na_error *put_password(na_request *request, na_db_use *use, const na_db_user *user,
                              const char *hash, const na_event *event, apr_int64_t *revision)
{
    apr_int64_t checked = *revision;
    NA_TRY(na_link_end_all(request, use, user->email));
    NA_TRY(na_password_user_put(request, use, user->id, hash, &checked, revision));
    return na_record_event(request, use, event);
}

static na_error *change_password(na_request *request, na_response *response,
                                 const na_session *session, na_db_user *user, const char **said,
                                 const char **fault)
{
    const char *hash, *password = apr_table_get(request->form, "password");
    apr_int64_t revision;
    na_db_use *use;
    NA_TRY(check_password(request, NA_EVENT_PASSWORD_CHANGE, user, &revision, fault));
    if (!*fault)
        *fault = na_password_user_fault(request, user->name, user->email, password);
    if (!*fault)
        *fault = na_password_user_breach(request, password);
    if (*fault)
        return NULL;
    NA_TRY(na_password_user_hash(request, password, &hash));
    const na_event event = na_event_of_db_user(request, NA_EVENT_PASSWORD_CHANGE, user);
    NA_TRY(na_db_write(request->db, request->pool, &use));
    na_error *error = na_db_end(use, put_password(request, use, user, hash, &event, &revision));
    if (na_error_is(error, NA_ERR_CREDENTIALS_SIGNIN)) {
        *fault = wrong_password;
        return NULL;
    }
    NA_TRY(error);
    na_report(request, &event);
    na_notice_send(request, NA_MAIL_PASSWORD_CHANGED, user->email, NA_NOTICE_SECONDS);
    *said = "Your password has been changed, and you have been signed out on all other devices.";
    NA_TRY(na_password_user_sign_out(request, user->id));
    request->account = na_limit_account(request->pool, NULL, user->email);
    na_limit_remember(request, response, revision);
    return na_session_restart(request->sessions, &request->visit, session, revision,
                              response->set_cookies);
}

/* A new password invalidates the links that were requested with the old one. */
static const char *identifier_of(apr_pool_t *pool, const na_db_user *user, apr_int64_t revision,
                                 const char *email)
{
    return apr_psprintf(pool, "change:%s:%" APR_INT64_T_FMT ":%s", user->id, revision, email);
}

static na_error *change_email(na_request *request, na_response *response, const na_session *session,
                              na_db_user *user, const char **said, const char **fault)
{
    const char *email, *typed = apr_table_get(request->form, "email");
    apr_int64_t revision;
    NA_TRY(check_password(request, NA_EVENT_EMAIL_CHANGE, user, &revision, fault));
    if (*fault)
        return NULL;
    if (na_email_normalize(request->pool, typed ? typed : "", &email) ||
        strlen(email) > NA_LINK_EMAIL_MAX) {
        *fault = "Enter a valid email address.";
        return NULL;
    }
    const na_link link = {
        NA_MAIL_EMAIL_CHANGE, email,     identifier_of(request->pool, user, revision, email),
        "/confirm-email",     VALID_FOR, 0};
    *said = "Check your inbox: while you are signed in, open the link sent to the new address and "
            "confirm the change.";
    return na_link_send(request, &link);
}

static na_error *delete_user(na_request *request, na_db_use *use, const na_db_user *user,
                             apr_int64_t checked, const na_event *event)
{
    apr_int64_t revision;
    NA_TRY(na_db_hold_revision(use, user->id, &revision));
    if (revision != checked)
        return na_error_new(request->pool, NA_ERR_CREDENTIALS_SIGNIN,
                            "the password has been changed in the meantime");
    NA_TRY(na_link_end_all(request, use, user->email));
    NA_TRY(na_db_delete_user(use, user->id));
    return na_record_event(request, use, event);
}

static na_error *delete_account(na_request *request, na_response *response,
                                const na_session *session, na_db_user *user, const char **said,
                                const char **fault)
{
    na_db_use *use;
    apr_int64_t revision;
    if (!(request->config->features & NA_FEATURE_DELETE)) {
        *fault = "Only the site's administrator can delete accounts.";
        return NULL;
    }
    NA_TRY(check_password(request, NA_EVENT_DELETE_USER, user, &revision, fault));
    if (*fault)
        return NULL;
    const na_event event = na_event_of_db_user(request, NA_EVENT_DELETE_USER, user);
    NA_TRY(na_password_user_sign_out(request, user->id));
    NA_TRY(na_db_write(request->db, request->pool, &use));
    NA_TRY(na_db_end(use, delete_user(request, use, user, revision, &event)));
    na_report(request, &event);
    user->id = NULL;
    return NULL;
}

static changer *find_change(const char *name)
{
    static const struct {
        const char *name;
        changer *change;
    } changes[] = {{"name", change_name},
                   {"password", change_password},
                   {"email", change_email},
                   {"delete", delete_account}};
    for (int i = 0; name && i < 4; i++)
        if (strcmp(changes[i].name, name) == 0)
            return changes[i].change;
    return NULL;
}

na_error *na_post_account(na_request *request, na_response *response)
{
    const na_session *session;
    na_db_user user;
    const char *said = NULL, *fault = NULL;
    changer *change = find_change(apr_table_get(request->form, "change"));
    NA_TRY(check_feature(request));
    NA_TRY(load_user(request, &session, &user));
    if (!user.id) {
        ask_to_sign_in(request, response, "/account");
        return NULL;
    }
    if (change)
        NA_TRY(change(request, response, session, &user, &said, &fault));
    else
        fault = "This form is not supported. Please try again.";
    if (user.id) {
        respond_account(request, response, &user, fault ? fault : said, fault != NULL);
        return NULL;
    }
    na_session_clear(&request->config->session, &request->visit, response->set_cookies);
    na_respond_redirect(request, response, 200, request->config->home);
    return NULL;
}

/* ── the new email address ─────────────────────────────────────────────────────────────────── */

/* If the session is ended meanwhile, either that waits for the transaction or the transaction
 * fails. */
static na_error *take_email(na_request *request, na_db_use *use, const na_session *session,
                            na_db_user *user, const char *email, const char *token,
                            const na_event *event, na_error **late)
{
    na_db_user other;
    apr_int64_t revision;
    int found;
    NA_TRY(na_db_lock(use, apr_pstrcat(request->pool, "email ", email, NULL)));
    NA_TRY(na_db_hold_revision(use, user->id, &revision));
    if (!na_session_is_of_revision(request, session, revision))
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "the session ended before the new email address was confirmed");
    *late = na_link_use(request, use, identifier_of(request->pool, user, revision, email), token);
    if (*late)
        return na_is_unavailable(*late) ? *late : NULL;
    NA_TRY(na_db_get_user_by_email(use, email, &other, &found));
    if (found && strcmp(other.id, user->id) != 0) {
        *late = na_error_new(request->pool, NA_ERR_VERIFICATION,
                             "the email address belongs to another user");
        return NULL;
    }
    NA_TRY(read_enabled(use, apr_pstrdup(request->pool, user->id), user));
    if (!user->id) {
        *late = na_error_new(request->pool, NA_ERR_VERIFICATION, "the user no longer exists");
        return NULL;
    }
    NA_TRY(na_link_end_all(request, use, user->email));
    user->email = email;
    user->email_verified = apr_time_as_msec(request->now);
    NA_TRY(na_db_update_user(use, user));
    return na_record_event(request, use, event);
}

na_error *na_confirm_email(na_request *request, na_response *response)
{
    const na_session *session;
    na_db_user user;
    na_db_use *use;
    na_error *late = NULL;
    na_opened_link link;
    NA_TRY(check_feature(request));
    NA_TRY(na_link_open(request, response, &link));
    if (link.is_moved)
        return NULL;
    const char *email = link.email, *token = link.token;
    NA_TRY(load_user(request, &session, &user));
    if (!user.id) {
        ask_to_sign_in(request, response, "/confirm-email");
        return NULL;
    }
    if (request->csrf_verified)
        NA_TRY(na_limit_take(request, NA_LIMIT_CALLBACK, NULL));
    if (!request->csrf_verified) {
        na_page_form form = {request->config->base_url, request->csrf_token, request->callback_url};
        na_respond_page(request, response, 200, "Confirm your email address",
                        na_page_confirm_email(request->pool, &form, email, token));
        return NULL;
    }
    const char *before = user.email;
    na_event event = na_event_of_db_user(request, NA_EVENT_EMAIL_CHANGE, &user);
    event.detail = email;
    NA_TRY(na_db_write(request->db, request->pool, &use));
    NA_TRY(na_db_end(use, take_email(request, use, session, &user, email, token, &event, &late)));
    if (late)
        return late;
    na_limit_give_back(request);
    na_report(request, &event);
    na_event update = na_event_of_db_user(request, NA_EVENT_UPDATE_USER, &user);
    update.email = email;
    na_report(request, &update);
    na_notice_send(request, NA_MAIL_EMAIL_CHANGED, before, NA_NOTICE_SECONDS);
    if (!before || strcmp(before, email) != 0)
        na_notice_send(request, NA_MAIL_EMAIL_CHANGED, email, NA_NOTICE_SECONDS);
    respond_account(request, response, &user, "Your email address has been changed.", 0);
    return NULL;
}
