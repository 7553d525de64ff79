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

/* Loads a user who is not disabled; the ID is NULL if there is none. */
static na_error *load_enabled(na_request *request, const char *id, int current,
                              na_db_person *person)
{
    const na_db_who who = {.id = id, .current = current};
    int found;
    NA_TRY(na_db_find(request->db, request->pool, &who, person, &found));
    if (!found || person->credential.disabled)
        *person = (na_db_person){0};
    return NULL;
}

/* Loads the user who is signed in; user->id is NULL if there is none or the user was disabled
 * since. */
static na_error *load_user(na_request *request, const na_session **session, na_db_user *user)
{
    na_db_person person;
    *user = (na_db_user){0};
    na_error *error = na_request_session_now(request, session);
    if (na_is_unavailable(error))
        return error;
    if (!*session || !na_session_claim(*session, NA_CLAIM_DATABASE_USER))
        return NULL;
    NA_TRY(load_enabled(request, (*session)->user, 0, &person));
    *user = person.user;
    return NULL;
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
    na_page_form form = na_form_of_request(request);
    na_respond_page(request, response, 200, na_say(request->language, "Your account"),
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

/* A change of the user who is signed in. Each attempt reads the user again. */
typedef struct account_change {
    na_request *request;
    na_db_user *user;
    const na_event *event;
    const char *name;          /* for put_name */
    const char *hash;          /* for put_password */
    apr_int64_t revision;      /* at which the password was verified, then the new one */
    const na_session *session; /* for take_email */
    const char *email, *token; /* likewise */
} account_change;

static na_error *record_change(void *data, na_db_use *use, const na_decision *decision)
{
    account_change *c = data;
    c->revision = decision->revision_now;
    return na_record_event(c->request, use, c->event);
}

static na_error *decide(account_change *c, na_decision *decision, int *held)
{
    decision->record = record_change;
    decision->data = c;
    NA_TRY(na_db_decide(c->request->db, c->request->pool, decision));
    *held = decision->held;
    return NULL;
}

static na_error *put_name(void *data, int *held)
{
    account_change *c = data;
    na_db_person person;
    NA_TRY(load_enabled(c->request, c->user->id, 1, &person));
    if (!person.user.id)
        return na_error_new(c->request->pool, NA_ERR_ACCESS_DENIED, "the user no longer exists");
    na_decision decision = na_db_decision_about(&person);
    *c->user = person.user;
    c->user->name = c->name;
    decision.user = c->user;
    return decide(c, &decision, held);
}

static na_error *change_name(na_request *request, na_response *response, const na_session *session,
                             na_db_user *user, const char **said, const char **fault)
{
    const char *name = na_password_user_name(request);
    if (!name) {
        *fault = na_say(request->language, "Enter a valid name.");
        return NULL;
    }
    *said = na_say(request->language, "Your name has been changed.");
    na_event event = na_event_of_db_user(request, NA_EVENT_UPDATE_USER, user);
    event.name = name;
    event.detail = "name";
    account_change c = {.request = request, .user = user, .event = &event, .name = name};
    NA_TRY(na_db_settle(request->pool, put_name, &c));
    na_report(request, &event);
    return NULL;
}

static const char wrong_password[] = NA_TEXT("The current password is incorrect.");

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
    *fault = na_say(request->language, wrong_password);
    na_event event = na_event_of_db_user(request, kind, user);
    event.failure = NA_ERR_CREDENTIALS_SIGNIN;
    event.reason = "the current password is incorrect";
    return na_record_event(request, NULL, &event);
}

static na_error *has_changed(const na_request *request)
{
    return na_error_new(request->pool, NA_ERR_CREDENTIALS_SIGNIN,
                        "the password has been changed in the meantime");
}

static na_error *put_password(account_change *c)
{
    apr_int64_t checked = c->revision;
    na_decision decision = {.user_id = c->user->id,
                            .revision = &checked,
                            .ended = na_link_identifiers(c->request->pool, c->user->email)};
    int held = 0;
    na_password_user_put(c->request, c->hash, &decision);
    NA_TRY(decide(c, &decision, &held));
    return held ? NULL : has_changed(c->request);
}

static na_error *change_password(na_request *request, na_response *response,
                                 const na_session *session, na_db_user *user, const char **said,
                                 const char **fault)
{
    const char *hash, *password = apr_table_get(request->form, "password");
    apr_int64_t revision;
    NA_TRY(check_password(request, NA_EVENT_PASSWORD_CHANGE, user, &revision, fault));
    if (!*fault)
        *fault = na_password_user_fault(request, user->name, user->email, password);
    if (!*fault)
        *fault = na_password_user_breach(request, password);
    if (*fault)
        return NULL;
    NA_TRY(na_password_user_hash(request, password, &hash));
    const na_event event = na_event_of_db_user(request, NA_EVENT_PASSWORD_CHANGE, user);
    account_change c = {
        .request = request, .user = user, .event = &event, .hash = hash, .revision = revision};
    na_error *error = put_password(&c);
    if (na_error_is(error, NA_ERR_CREDENTIALS_SIGNIN)) {
        *fault = na_say(request->language, wrong_password);
        return NULL;
    }
    NA_TRY(error);
    na_report(request, &event);
    na_notice_send(request, NA_MAIL_PASSWORD_CHANGED, user->email, NA_NOTICE_SECONDS);
    *said = na_say(
        request->language,
        "Your password has been changed, and you have been signed out on all other devices.");
    NA_TRY(na_password_user_sign_out(request, user->id));
    request->account = na_limit_account(request->pool, NULL, user->email);
    na_limit_remember(request, response, c.revision);
    return na_session_restart(request->sessions, &request->visit, session, c.revision,
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
        *fault = na_say(request->language, "Enter a valid email address.");
        return NULL;
    }
    const na_link link = {
        NA_MAIL_EMAIL_CHANGE, email,     identifier_of(request->pool, user, revision, email),
        "/confirm-email",     VALID_FOR, 0};
    *said = na_say(
        request->language,
        "Check your inbox: while you are signed in, open the link sent to the new address and "
        "confirm the change.");
    return na_link_send(request, &link);
}

static na_error *delete_user(account_change *c)
{
    apr_int64_t checked = c->revision;
    na_decision decision = {.user_id = c->user->id,
                            .revision = &checked,
                            .ended = na_link_identifiers(c->request->pool, c->user->email),
                            .does = NA_DB_DELETES};
    int held = 0;
    NA_TRY(decide(c, &decision, &held));
    return held ? NULL : has_changed(c->request);
}

static na_error *delete_account(na_request *request, na_response *response,
                                const na_session *session, na_db_user *user, const char **said,
                                const char **fault)
{
    apr_int64_t revision;
    if (!(request->config->features & NA_FEATURE_DELETE)) {
        *fault = na_say(request->language, "Only the site's administrator can delete accounts.");
        return NULL;
    }
    NA_TRY(check_password(request, NA_EVENT_DELETE_USER, user, &revision, fault));
    if (*fault)
        return NULL;
    const na_event event = na_event_of_db_user(request, NA_EVENT_DELETE_USER, user);
    NA_TRY(na_password_user_sign_out(request, user->id));
    account_change c = {.request = request, .user = user, .event = &event, .revision = revision};
    NA_TRY(delete_user(&c));
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
        fault = na_say(request->language, "This form is not supported. Please try again.");
    if (user.id) {
        respond_account(request, response, &user, fault ? fault : said, fault != NULL);
        return NULL;
    }
    na_session_clear(&request->config->session, &request->visit, response->set_cookies);
    na_respond_redirect(request, response, 200, request->config->home);
    return NULL;
}

/* ── the new email address ─────────────────────────────────────────────────────────────────── */

/* The link is used up although the address belongs to another user: it cannot be tried again. */
static na_error *refuse_address(const na_request *request, const na_db_token *row, const char *why)
{
    na_db_token used;
    int found;
    NA_TRY(na_db_use_token(request->db, request->pool, row->identifier, row->token, &used, &found));
    return na_error_new(request->pool, NA_ERR_VERIFICATION, "%s", why);
}

static na_error *check_address(const account_change *c, const na_db_token *row)
{
    const na_db_who who = {.email = c->email, .current = 1};
    na_db_person other;
    int found;
    NA_TRY(na_db_find(c->request->db, c->request->pool, &who, &other, &found));
    return !found || strcmp(other.user.id, c->user->id) == 0
               ? NULL
               : refuse_address(c->request, row, "the email address belongs to another user");
}

/* If the session is ended meanwhile, the revision differs, and the next attempt fails. */
static na_error *take_email(void *data, int *held)
{
    account_change *c = data;
    na_request *request = c->request;
    na_db_person person;
    na_db_token row;
    NA_TRY(load_enabled(request, c->user->id, 1, &person));
    if (!person.user.id)
        return na_error_new(request->pool, NA_ERR_VERIFICATION, "the user no longer exists");
    if (!na_session_is_of_revision(request, c->session, person.revision))
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "the session ended before the new email address was confirmed");
    NA_TRY(na_link_find(request, identifier_of(request->pool, c->user, person.revision, c->email),
                        c->token, &row));
    NA_TRY(check_address(c, &row));
    na_decision decision = na_db_decision_about(&person);
    *c->user = person.user;
    c->user->email = c->email;
    c->user->email_verified = apr_time_as_msec(request->now);
    decision.email = c->email;
    decision.token = &row;
    decision.ended = na_link_identifiers(request->pool, person.user.email);
    decision.user = c->user;
    return decide(c, &decision, held);
}

na_error *na_confirm_email(na_request *request, na_response *response)
{
    const na_session *session;
    na_db_user user;
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
        na_page_form form = na_form_of_request(request);
        na_respond_page(request, response, 200,
                        na_say(request->language, "Confirm your email address"),
                        na_page_confirm_email(request->pool, &form, email, token));
        return NULL;
    }
    const char *before = user.email;
    na_event event = na_event_of_db_user(request, NA_EVENT_EMAIL_CHANGE, &user);
    event.detail = email;
    account_change c = {.request = request,
                        .user = &user,
                        .event = &event,
                        .session = session,
                        .email = email,
                        .token = token};
    NA_TRY(na_db_settle(request->pool, take_email, &c));
    na_limit_give_back(request);
    na_report(request, &event);
    na_event update = na_event_of_db_user(request, NA_EVENT_UPDATE_USER, &user);
    update.email = email;
    na_report(request, &update);
    na_notice_send(request, NA_MAIL_EMAIL_CHANGED, before, NA_NOTICE_SECONDS);
    if (!before || strcmp(before, email) != 0)
        na_notice_send(request, NA_MAIL_EMAIL_CHANGED, email, NA_NOTICE_SECONDS);
    respond_account(request, response, &user,
                    na_say(request->language, "Your email address has been changed."), 0);
    return NULL;
}
