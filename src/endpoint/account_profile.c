/* SPDX-License-Identifier: Apache-2.0 */
/* The account page: changes of the name, the password, and the email address. */
#include <string.h>

#include <apr_strings.h>

#include "auth/limit.h"
#include "auth/mail_link.h"
#include "auth/notice.h"
#include "auth/password_user.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "endpoint/account.h"
#include "endpoint/endpoints.h"
#include "endpoint/opened_link.h"
#include "mail/address.h"

#define VALID_FOR (24L * 3600)

/* A change that is decided again if the user changed meanwhile. */
typedef struct change {
    na_account_visit *visit;
    const na_event *event;
    const char *name;          /* for put_name */
    const char *email, *token; /* for take_email */
} change;

/* Reads the user again. */
static na_error *reload(na_account_visit *v, const char *code)
{
    const na_db_who who = {.id = v->person.user.id, .current = 1};
    int found;
    NA_TRY(na_db_find(v->request->db, v->request->pool, &who, &v->person, &found));
    return found && !v->person.credential.disabled
               ? NULL
               : na_error_new(v->request->pool, code, "the user no longer exists");
}

/* ── the name ──────────────────────────────────────────────────────────────────────────────── */

static na_error *put_name(void *data, int *held)
{
    const change *c = data;
    na_account_visit *v = c->visit;
    NA_TRY(reload(v, NA_ERR_ACCESS_DENIED));
    na_decision decision = na_db_decision_about(&v->person);
    na_db_user changed = v->person.user;
    changed.name = c->name;
    decision.user = &changed;
    NA_TRY(na_account_decide(v, &decision, c->event, held));
    v->person.user = changed;
    return NULL;
}

na_error *na_account_name(na_account_visit *v)
{
    na_request *request = v->request;
    const char *name = na_password_user_name(request);
    if (!name) {
        v->fault = na_say(v->request->language, "Enter a valid name.");
        return NULL;
    }
    na_event event = na_event_of_db_user(request, NA_EVENT_UPDATE_USER, &v->person.user);
    event.name = name;
    event.detail = "name";
    change c = {.visit = v, .event = &event, .name = name};
    NA_TRY(na_db_settle(request->pool, put_name, &c));
    na_report(request, &event);
    v->said = na_say(v->request->language, "Your name has been changed.");
    return NULL;
}

/* ── the password ──────────────────────────────────────────────────────────────────────────── */

/* The first password is for an address that is vouched for: with another's, its owner could not. */
static int can_set(const na_account_visit *v)
{
    return na_account_has_password(v) ||
           (v->person.user.email_verified && na_password_user_provider(v->request));
}

static na_error *check_new(na_account_visit *v, const char *password)
{
    const na_db_user *user = &v->person.user;
    v->fault = na_password_user_fault(v->request, user->name, user->email, password);
    if (!v->fault)
        v->fault = na_password_user_breach(v->request, password);
    return NULL;
}

static na_error *put_password(na_account_visit *v, const char *hash, const na_event *event)
{
    na_request *request = v->request;
    const na_db_user *user = &v->person.user;
    na_decision decision = {.user_id = user->id,
                            .revision = &v->person.revision,
                            .ended = na_link_identifiers(request->pool, user->email)};
    int held;
    na_password_user_put(request, hash, &decision);
    NA_TRY(na_account_decide(v, &decision, event, &held));
    if (!held) {
        v->fault = na_say(v->request->language,
                          "Your account was changed elsewhere in the meantime. Please try again.");
        return NULL;
    }
    na_report(request, event);
    na_notice_send(request, NA_MAIL_PASSWORD_CHANGED, user->email, NA_NOTICE_SECONDS);
    v->person.credential.hash = hash;
    v->said = na_say(
        v->request->language,
        "Your password has been changed, and you have been signed out on all other devices.");
    request->account = na_limit_account(request->pool, NULL, user->email);
    na_limit_remember(request, v->response, decision.revision_now);
    return na_account_stay(v, decision.revision_now);
}

na_error *na_account_password(na_account_visit *v)
{
    const char *hash, *password = apr_table_get(v->request->form, "password");
    if (!can_set(v)) {
        v->fault = na_say(v->request->language, "Confirm an email address first.");
        return NULL;
    }
    NA_TRY(na_account_confirm(v, NA_EVENT_PASSWORD_CHANGE));
    if (!v->fault && !v->is_answered)
        NA_TRY(check_new(v, password));
    if (v->fault || v->is_answered)
        return NULL;
    NA_TRY(na_password_user_hash(v->request, password, &hash));
    const na_event event =
        na_event_of_db_user(v->request, NA_EVENT_PASSWORD_CHANGE, &v->person.user);
    return put_password(v, hash, &event);
}

/* ── the email address ─────────────────────────────────────────────────────────────────────── */

/* A new password invalidates the links that were requested with the old one. */
static const char *identifier_of(apr_pool_t *pool, const na_db_person *person, const char *email)
{
    return apr_psprintf(pool, "change:%s:%" APR_INT64_T_FMT ":%s", person->user.id,
                        person->revision, email);
}

na_error *na_account_email(na_account_visit *v)
{
    na_request *request = v->request;
    const char *email, *typed = apr_table_get(request->form, "email");
    NA_TRY(na_account_confirm(v, NA_EVENT_EMAIL_CHANGE));
    if (v->fault || v->is_answered)
        return NULL;
    if (na_email_normalize(request->pool, typed ? typed : "", &email) ||
        strlen(email) > NA_LINK_EMAIL_MAX) {
        v->fault = na_say(v->request->language, "Enter a valid email address.");
        return NULL;
    }
    const na_link link = {
        NA_MAIL_EMAIL_CHANGE, email,     identifier_of(request->pool, &v->person, email),
        "/confirm-email",     VALID_FOR, 0};
    v->said =
        na_say(v->request->language,
               "Check your inbox: while you are signed in, open the link sent to the new address "
               "and confirm the change.");
    return na_link_send(request, &link);
}

/* The link is used up although the address belongs to another user: it cannot be tried again. */
static na_error *refuse_address(const na_request *request, const na_db_token *row, const char *why)
{
    na_db_token used;
    int found;
    NA_TRY(na_db_use_token(request->db, request->pool, row->identifier, row->token, &used, &found));
    return na_error_new(request->pool, NA_ERR_VERIFICATION, "%s", why);
}

static na_error *check_address(const change *c, const na_db_token *row)
{
    const na_request *request = c->visit->request;
    const na_db_who who = {.email = c->email, .current = 1};
    na_db_person other;
    int found;
    NA_TRY(na_db_find(request->db, request->pool, &who, &other, &found));
    return !found || strcmp(other.user.id, c->visit->person.user.id) == 0
               ? NULL
               : refuse_address(request, row, "the email address belongs to another user");
}

/* If the session is ended meanwhile, the revision differs, and the next attempt fails. */
static na_error *take_email(void *data, int *held)
{
    change *c = data;
    na_account_visit *v = c->visit;
    na_request *request = v->request;
    na_db_token row;
    NA_TRY(reload(v, NA_ERR_VERIFICATION));
    if (!na_session_is_of_revision(request, v->session, v->person.revision))
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "the session ended before the new email address was confirmed");
    NA_TRY(
        na_link_find(request, identifier_of(request->pool, &v->person, c->email), c->token, &row));
    NA_TRY(check_address(c, &row));
    na_decision decision = na_db_decision_about(&v->person);
    na_db_user changed = v->person.user;
    changed.email = c->email;
    changed.email_verified = apr_time_as_msec(request->now);
    decision.email = c->email;
    decision.token = &row;
    decision.ended = na_link_identifiers(request->pool, v->person.user.email);
    decision.user = &changed;
    NA_TRY(na_account_decide(v, &decision, c->event, held));
    v->person.user = changed;
    return NULL;
}

static na_error *change_email(na_account_visit *v, const na_opened_link *link)
{
    na_request *request = v->request;
    const char *before = v->person.user.email;
    na_event event = na_event_of_db_user(request, NA_EVENT_EMAIL_CHANGE, &v->person.user);
    event.detail = link->email;
    change c = {.visit = v, .event = &event, .email = link->email, .token = link->token};
    NA_TRY(na_db_settle(request->pool, take_email, &c));
    na_limit_give_back(request);
    na_report(request, &event);
    na_event update = na_event_of_db_user(request, NA_EVENT_UPDATE_USER, &v->person.user);
    update.email = link->email;
    na_report(request, &update);
    na_notice_send(request, NA_MAIL_EMAIL_CHANGED, before, NA_NOTICE_SECONDS);
    if (!before || strcmp(before, link->email) != 0)
        na_notice_send(request, NA_MAIL_EMAIL_CHANGED, link->email, NA_NOTICE_SECONDS);
    v->said = na_say(v->request->language, "Your email address has been changed.");
    na_account_respond(v);
    return NULL;
}

na_error *na_confirm_email(na_request *request, na_response *response)
{
    na_account_visit v = {.request = request, .response = response};
    na_opened_link link;
    NA_TRY(na_link_open(request, response, &link));
    if (link.is_moved)
        return NULL;
    NA_TRY(na_account_load(&v, "/confirm-email"));
    if (v.is_answered)
        return NULL;
    if (request->csrf_verified) {
        NA_TRY(na_limit_take(request, NA_LIMIT_CALLBACK, NULL));
        return change_email(&v, &link);
    }
    na_page_form form = na_form_of_request(request);
    na_respond_page(request, response, 200, na_say(request->language, "Confirm your email address"),
                    na_page_confirm_email(request->pool, &form, link.email, link.token));
    return NULL;
}
