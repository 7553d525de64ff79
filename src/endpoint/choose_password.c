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

static void respond_ask(na_request *request, na_response *response, const char *path,
                        const char *title, const char *error)
{
    na_page_form form = {request->config->base_url, request->csrf_token, request->callback_url};
    na_respond_page(request, response, 200, title,
                    na_page_ask_email(request->pool, &form, path, title, error));
}

na_error *na_get_signup(na_request *request, na_response *response)
{
    NA_TRY(check_feature(request, NA_FEATURE_SIGN_UP));
    respond_ask(request, response, "/signup", "Create an account", NULL);
    return NULL;
}

na_error *na_get_reset(na_request *request, na_response *response)
{
    NA_TRY(check_feature(request, NA_FEATURE_RESET));
    respond_ask(request, response, "/reset-password", "Reset your password", NULL);
    return NULL;
}

static na_error *has_user(na_request *request, const char *email, int *found)
{
    na_db_user user;
    na_db_use *use;
    NA_TRY(na_db_write(request->db, request->pool, &use));
    return na_db_end(use, na_db_get_user_by_email(use, email, &user, found));
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
    const char *path = wants_new ? "/signup" : "/reset-password";
    const char *title = wants_new ? "Create an account" : "Reset your password";
    const char *email, *typed = apr_table_get(request->form, "email");
    NA_TRY(check_feature(request, wants_new ? NA_FEATURE_SIGN_UP : NA_FEATURE_RESET));
    if (na_email_normalize(request->pool, typed ? typed : "", &email) ||
        strlen(email) > NA_LINK_EMAIL_MAX) {
        respond_ask(request, response, path, title, "Enter a valid email address.");
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

static void respond_choose(na_request *request, na_response *response, const char *email,
                           const char *token, const char *error)
{
    na_page_form form = {request->config->base_url, request->csrf_token, request->callback_url};
    na_respond_page(request, response, 200, "Choose a password",
                    na_page_choose_password(request->pool, &form, email, token,
                                            apr_table_get(request->form, "name"), error));
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
        respond_choose(request, response, link.email, link.token, NULL);
    return NULL;
}

/* A password reset does not create a user again who was deleted since. */
static na_error *user_of_link(na_request *request, na_db_use *use, const char *email, int signs_up,
                              na_db_user *user, int *is_new, na_subject *subject, na_error **late)
{
    int found, may_sign_up = signs_up && request->config->features & NA_FEATURE_SIGN_UP;
    NA_TRY(na_db_get_user_by_email(use, email, user, &found));
    if (!found && !may_sign_up) {
        *late = na_error_new(request->pool, NA_ERR_VERIFICATION,
                             "the user of the link no longer exists");
        return NULL;
    }
    if (!found)
        *user = (na_db_user){.name = na_password_user_name(request), .email = email};
    *is_new = !found;
    if (found)
        NA_TRY(na_account_vouch(request, use, user, NULL, subject));
    user->email_verified = apr_time_as_msec(request->now);
    return found ? na_db_update_user(use, user) : na_db_create_user(use, user);
}

/* Uses the link, which is a reset or a sign-up. An error in *late does not undo the transaction. */
static na_error *use_link(na_request *request, na_db_use *use, const char *email, const char *token,
                          int *is_new, na_error **late)
{
    *is_new = 0;
    *late = na_link_use(request, use, identifier_of(request->pool, 0, email), token);
    if (*late && !na_is_unavailable(*late)) {
        *is_new = 1;
        *late = na_link_use(request, use, identifier_of(request->pool, 1, email), token);
    }
    return na_is_unavailable(*late) ? *late : NULL;
}

/* Verifies that the link is a reset or a sign-up, before any password is hashed for it. */
static na_error *check_link(na_request *request, na_db_use *use, const char *email,
                            const char *token)
{
    na_error *none = na_link_check(request, use, identifier_of(request->pool, 0, email), token);
    return none && !na_is_unavailable(none)
               ? na_link_check(request, use, identifier_of(request->pool, 1, email), token)
               : none;
}

static na_event_kind kind_of(int is_new)
{
    return is_new ? NA_EVENT_CREATE_USER : NA_EVENT_PASSWORD_RESET;
}

static na_error *set_password(na_request *request, na_db_use *use, const char *email,
                              const char *token, const char *hash, na_db_user *user, int *is_new,
                              na_subject *subject, na_error **late)
{
    int signs_up;
    NA_TRY(na_db_lock(use, apr_pstrcat(request->pool, "email ", email, NULL)));
    NA_TRY(use_link(request, use, email, token, &signs_up, late));
    if (!*late)
        NA_TRY(user_of_link(request, use, email, signs_up, user, is_new, subject, late));
    if (*late)
        return NULL;
    NA_TRY(na_link_end_all(request, use, email));
    NA_TRY(na_password_user_put(request, use, user->id, hash, NULL, &subject->revision));
    subject->is_checked = 1;
    subject->user = (na_user){user->id, user->name, user->email, user->image};
    NA_TRY(na_account_audit(request, use, subject));
    const na_event event = na_event_of_db_user(request, kind_of(*is_new), user);
    return na_record_event(request, use, &event);
}

na_error *na_post_set_password(na_request *request, na_response *response)
{
    const char *hash, *password = apr_table_get(request->form, "password");
    na_opened_link link;
    na_db_user user;
    na_db_use *use;
    int is_new = 0;
    na_error *late = NULL;
    na_subject subject = {.provider = na_password_user_provider(request)};
    NA_TRY(open_link(request, response, &link));
    const char *email = link.email, *token = link.token;
    const char *fault =
        request->csrf_verified
            ? na_password_user_fault(request, na_password_user_name(request), email, password)
            : "This form has expired. Please try again. If this keeps happening, allow cookies for "
              "this site.";
    if (fault) {
        respond_choose(request, response, email, token, fault);
        return NULL;
    }
    NA_TRY(na_limit_take(request, NA_LIMIT_CALLBACK, NULL));
    request->account = na_limit_account(request->pool, NULL, email);
    request->claimant.email = email;
    NA_TRY(na_db_write(request->db, request->pool, &use));
    NA_TRY(na_db_end(use, check_link(request, use, email, token)));
    fault = na_password_user_breach(request, password);
    if (fault) {
        respond_choose(request, response, email, token, fault);
        return NULL;
    }
    NA_TRY(na_password_user_hash(request, password, &hash));
    NA_TRY(na_db_write(request->db, request->pool, &use));
    NA_TRY(na_db_end(use, set_password(request, use, email, token, hash, &user, &is_new, &subject,
                                       &late)));
    if (late)
        return late;
    subject.events |= 1u << kind_of(is_new);
    subject.account =
        na_json_own(request->pool, json_pack("{s:s, s:s, s:s}", "provider", subject.provider->id,
                                             "type", "credentials", "providerAccountId", user.id));
    na_report_changes(request, &subject);
    if (!is_new)
        na_notice_send(request, NA_MAIL_PASSWORD_CHANGED, user.email, NA_NOTICE_SECONDS);
    request->is_recorded = 1; /* the sign-in is recorded, which is what can fail now */
    /* ends all sessions that the old password began */
    NA_TRY(na_password_user_sign_out(request, user.id));
    return na_complete_sign_in(request, response, &subject);
}
