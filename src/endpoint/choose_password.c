/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-up and password reset: sends the link, and serves the form that it opens. */
#include <string.h>

#include <apr_strings.h>

#include "auth/complete.h"
#include "endpoint/endpoints.h"
#include "auth/limit.h"
#include "auth/mail_link.h"
#include "auth/notice.h"
#include "endpoint/opened_link.h"
#include "auth/password_user.h"
#include "auth/reclaim.h"
#include "auth/report.h"
#include "auth/resolve_user.h"
#include "auth/respond.h"
#include "base/json.h"
#include "mail/address.h"

/*
 * Sign-up and password reset work the same way: a link goes to an email address, and the user who
 * opens it chooses a password. No response reveals whether the email address has a user.
 */

#define VALID_FOR (24L * 3600)

static na_error *check_feature(const na_request *request, int features)
{
    return na_feature_is_offered(request, features)
               ? NULL
               : na_error_new(request->pool, NA_ERR_CONFIGURATION,
                              "NextAuthFeature does not enable this page");
}

static const char *identifier_of(apr_pool_t *pool, int is_new, const char *email)
{
    return apr_pstrcat(pool, is_new ? NA_LINK_SIGN_UP : NA_LINK_RESET, email, NULL);
}

/* ── requesting a link ─────────────────────────────────────────────────────────────────────── */

static void respond_ask(na_request *request, na_response *response, int wants_new,
                        const char *error)
{
    na_page_form form = na_form_of_request(request);
    const char *typed = apr_table_get(request->form, "email");
    if (wants_new)
        na_respond_page(request, response, 200, na_say(request->language, "Create an account"),
                        na_page_sign_up(request->pool, &form, typed, error));
    else
        na_respond_page(request, response, 200, na_say(request->language, "Reset your password"),
                        na_page_reset(request->pool, &form, typed, error));
}

na_error *na_get_signup(na_request *request, na_response *response)
{
    NA_TRY(check_feature(request, NA_FEATURE_SIGN_UP));
    respond_ask(request, response, 1, NULL);
    return NULL;
}

na_error *na_get_reset(na_request *request, na_response *response)
{
    NA_TRY(check_feature(request, NA_FEATURE_RESET));
    respond_ask(request, response, 0, NULL);
    return NULL;
}

static na_error *has_user(na_request *request, const char *email, int *found)
{
    const na_db_who who = {.email = email, .current = 1};
    na_db_person person;
    return na_db_find(request->db, request->pool, &who, &person, found);
}

/*
 * If the email queue is full or the audit log cannot be written, the response is the same as for an
 * email address that gets no link.
 */
static na_error *send_quietly(na_request *request, const na_link *link)
{
    na_error *error = na_link_send(request, link);
    int is_limited = na_error_is(error, NA_ERR_RATE_LIMITED);
    if (!error ||
        (!na_error_is(error, NA_ERR_EMAIL_SIGNIN) && !na_is_unavailable(error) && !is_limited))
        return error;
    if (is_limited && !request->is_limit_news)
        return NULL;
    na_log_error(request, NA_LOG_WARNING, "SEND_VERIFICATION_EMAIL_ERROR", error);
    request->claimant.email = link->email;
    na_record_failure(request, error);
    return NULL;
}

/*
 * A user who signs up again gets a link to reset the password, and an unknown one who resets it
 * gets none. Everything except sending the email is done in any case, so that the time does not
 * reveal who has an account.
 */
static na_error *send_what_fits(na_request *request, const char *email, int wants_new)
{
    int found;
    NA_TRY(has_user(request, email, &found));
    int needed = found ? NA_FEATURE_RESET : NA_FEATURE_SIGN_UP;
    int is_new = wants_new && !found;
    const na_link link = {.kind = is_new ? NA_MAIL_SIGN_UP : NA_MAIL_PASSWORD_RESET,
                          .email = email,
                          .identifier = identifier_of(request->pool, is_new, email),
                          .path = "/set-password",
                          .valid_for = VALID_FOR,
                          .is_for_nobody =
                              !(request->config->features & needed) || (!found && !wants_new)};
    return send_quietly(request, &link);
}

static na_error *post_email(na_request *request, na_response *response, int wants_new)
{
    const char *email, *typed = apr_table_get(request->form, "email");
    NA_TRY(check_feature(request, wants_new ? NA_FEATURE_SIGN_UP : NA_FEATURE_RESET));
    if (na_email_normalize(request->pool, typed ? typed : "", &email) ||
        strlen(email) > NA_LINK_EMAIL_MAX) {
        respond_ask(request, response, wants_new,
                    na_say(request->language, "Enter a valid email address."));
        return NULL;
    }
    NA_TRY(na_limit_take(request, wants_new ? NA_LIMIT_SIGN_UP : NA_LIMIT_PASSWORD_RESET,
                         na_limit_account(request->pool, NULL, email)));
    if (wants_new) {
        na_subject subject = {.user = {.id = email, .email = email},
                              .provider = na_password_user_provider(request)};
        NA_TRY(na_apply_rules(request, &subject));
    }
    NA_TRY(send_what_fits(request, email, wants_new));
    na_respond_redirect(request, response, 200,
                        apr_pstrcat(request->pool, request->config->base_url, "/verify-request",
                                    NULL));
    return NULL;
}

na_error *na_post_signup(na_request *request, na_response *response)
{
    return post_email(request, response, 1);
}

na_error *na_post_reset(na_request *request, na_response *response)
{
    return post_email(request, response, 0);
}

/* ── opening the link ──────────────────────────────────────────────────────────────────────── */

/* Finds the link, which is a reset or a sign-up; for the latter, *signs_up is 1. */
static na_error *find_link(na_request *request, const char *email, const char *token,
                           na_db_token *row, int *signs_up)
{
    *signs_up = 0;
    na_error *none = na_link_find(request, identifier_of(request->pool, 0, email), token, row);
    if (!none || na_is_unavailable(none))
        return none;
    *signs_up = 1;
    return na_link_find(request, identifier_of(request->pool, 1, email), token, row);
}

/*
 * Whether the link is one of a sign-up. Only the owner of the mailbox has its token, whose email
 * says the same; for any other token the answer is no.
 */
static int is_sign_up(na_request *request, const char *email, const char *token)
{
    na_db_token row;
    int signs_up;
    return !find_link(request, email, token, &row, &signs_up) && signs_up;
}

static void respond_choose(na_request *request, na_response *response, const na_opened_link *link,
                           const char *error)
{
    na_page_form form = na_form_of_request(request);
    const na_page_choice page = {.email = link->email,
                                 .token = link->token,
                                 .signs_up = is_sign_up(request, link->email, link->token),
                                 .name = apr_table_get(request->form, "name"),
                                 .error = error};
    na_respond_page(request, response, 200, na_say(request->language, "Choose a password"),
                    na_page_choose_password(request->pool, &form, &page));
}

static na_error *open_link(na_request *request, na_response *response, na_opened_link *link)
{
    NA_TRY(check_feature(request, NA_FEATURE_SIGN_UP | NA_FEATURE_RESET));
    return na_link_open(request, response, link);
}

na_error *na_get_set_password(na_request *request, na_response *response)
{
    na_opened_link link;
    NA_TRY(open_link(request, response, &link));
    if (!link.is_moved)
        respond_choose(request, response, &link, NULL);
    return NULL;
}

static na_event_kind kind_of(int is_new)
{
    return is_new ? NA_EVENT_CREATE_USER : NA_EVENT_PASSWORD_RESET;
}

/* A new password for the user of a link. Each attempt reads link and user again. */
typedef struct choice {
    na_request *request;
    na_subject *subject;
    const char *email, *token, *hash;
    na_db_user user;
    int is_new;
} choice;

static na_error *record_choice(void *data, na_db_use *use, const na_decision *decision)
{
    choice *c = data;
    na_subject *subject = c->subject;
    c->user.id = decision->id;
    subject->revision = decision->revision_now;
    subject->is_checked = 1;
    subject->user = (na_user){c->user.id, c->user.name, c->user.email, c->user.image};
    NA_TRY(na_account_audit(c->request, use, decision, subject));
    const na_event event = na_event_of_db_user(c->request, kind_of(c->is_new), &c->user);
    return na_record_event(c->request, use, &event);
}

/* A password reset does not create a user again who was deleted since. */
static na_error *refuse_unknown(const choice *c, const na_db_token *row)
{
    na_db_token used;
    int found;
    NA_TRY(na_db_use_token(c->request->db, c->request->pool, row->identifier, row->token, &used,
                           &found));
    return na_error_new(c->request->pool, NA_ERR_VERIFICATION,
                        "the user of the link no longer exists");
}

static na_error *set_password(void *data, int *held)
{
    choice *c = data;
    na_request *request = c->request;
    const na_db_who who = {.email = c->email, .current = 1};
    na_decision decision = {0};
    na_db_person person;
    na_db_token row;
    int found, signs_up;
    c->subject->events = 0;
    c->subject->is_first_vouched = 0;
    NA_TRY(find_link(request, c->email, c->token, &row, &signs_up));
    NA_TRY(na_db_find(request->db, request->pool, &who, &person, &found));
    if (!found && !(signs_up && request->config->features & NA_FEATURE_SIGN_UP))
        return refuse_unknown(c, &row);
    c->is_new = !found;
    c->user = found ? person.user
                    : (na_db_user){.name = na_password_user_name(request), .email = c->email};
    if (found) {
        decision = na_db_decision_about(&person);
        NA_TRY(na_account_vouch(request, &c->user, NULL, &decision, c->subject));
    }
    c->user.email_verified = apr_time_as_msec(request->now);
    na_password_user_put(request, c->hash, &decision);
    decision.email = c->email;
    decision.token = &row;
    decision.ended = na_link_identifiers(request->pool, c->email);
    decision.user = &c->user;
    decision.record = record_choice;
    decision.data = c;
    NA_TRY(na_db_decide(request->db, request->pool, &decision));
    *held = decision.held;
    return NULL;
}

na_error *na_post_set_password(na_request *request, na_response *response)
{
    const char *hash, *password = apr_table_get(request->form, "password");
    na_opened_link link;
    na_db_token row;
    int signs_up;
    na_subject subject = {.provider = na_password_user_provider(request)};
    NA_TRY(open_link(request, response, &link));
    const char *email = link.email, *token = link.token;
    const char *fault =
        request->csrf_verified
            ? na_password_user_fault(request, na_password_user_name(request), email, password)
            : na_say(request->language, "This form has expired. Please try again. If this keeps "
                                        "happening, allow cookies for "
                                        "this site.");
    if (fault) {
        respond_choose(request, response, &link, fault);
        return NULL;
    }
    NA_TRY(na_limit_take(request, NA_LIMIT_CALLBACK, NULL));
    request->account = na_limit_account(request->pool, NULL, email);
    request->claimant.email = email;
    /* before any password is hashed for it */
    NA_TRY(find_link(request, email, token, &row, &signs_up));
    fault = na_password_user_breach(request, password);
    if (fault) {
        respond_choose(request, response, &link, fault);
        return NULL;
    }
    NA_TRY(na_password_user_hash(request, password, &hash));
    choice c = {
        .request = request, .subject = &subject, .email = email, .token = token, .hash = hash};
    NA_TRY(na_db_settle(request->pool, set_password, &c));
    subject.events |= 1u << kind_of(c.is_new);
    subject.account = na_json_own(request->pool,
                                  json_pack("{s:s, s:s, s:s}", "provider", subject.provider->id,
                                            "type", "credentials", "providerAccountId", c.user.id));
    na_report_changes(request, &subject);
    if (!c.is_new)
        na_notice_send(request, NA_MAIL_PASSWORD_CHANGED, c.user.email, NA_NOTICE_SECONDS);
    request->is_recorded = 1; /* the sign-in is recorded, which is what can fail now */
    /* ends all sessions that the old password began */
    NA_TRY(na_password_user_sign_out(request, c.user.id));
    return na_complete_sign_in(request, response, &subject);
}
