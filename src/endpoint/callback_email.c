/* SPDX-License-Identifier: Apache-2.0 */
/* Sends sign-in links, and signs in the user who opens one. */
#include <string.h>

#include <apr_strings.h>

#include "auth/callbacks.h"
#include "auth/complete.h"
#include "auth/csrf.h"
#include "endpoint/endpoints.h"
#include "auth/limit.h"
#include "auth/mail_link.h"
#include "endpoint/opened_link.h"
#include "auth/remember_me.h"
#include "auth/respond.h"
#include "base/json.h"
#include "mail/address.h"

static na_subject subject_of(na_request *request, const char *email)
{
    na_subject subject = {.user = {.id = email, .email = email}, .provider = request->provider};
    subject.account =
        na_json_own(request->pool, json_pack("{s:s, s:s, s:s}", "provider", request->provider->id,
                                             "type", "email", "providerAccountId", email));
    return subject;
}

/* ── sending a link ────────────────────────────────────────────────────────────────────────── */

/* The response does not reveal whether the email address has a user. */
na_error *na_signin_email(na_request *request, na_response *response)
{
    const char *email, *typed = apr_table_get(request->form, "email");
    na_error *error = na_email_normalize(request->pool, typed ? typed : "", &email);
    if (!error && strlen(email) > NA_LINK_EMAIL_MAX)
        error = na_error_new(request->pool, NA_ERR_EMAIL_SIGNIN, "the email address is too long");
    if (error)
        return na_error_wrap(request->pool, error, NA_ERR_EMAIL_SIGNIN, "could not send the link");
    na_subject subject = subject_of(request, email);
    request->claimant = subject.user;
    NA_TRY(
        na_limit_take(request, NA_LIMIT_MAGIC_LINK, na_limit_account(request->pool, NULL, email)));
    NA_TRY(na_apply_rules(request, &subject));
    const char *none;
    NA_TRY(na_callback_sign_in(request, &subject, 1, &none));
    const char *path = apr_pstrcat(request->pool, "/callback/", request->provider->id, NULL);
    const na_link link = {NA_MAIL_SIGN_IN, email, email, path, request->provider->max_age, 0};
    NA_TRY(na_link_send(request, &link));
    const char *page =
        apr_pstrcat(request->pool, request->config->base_url,
                    "/verify-request?provider=", request->provider->id, "&type=email", NULL);
    na_respond_redirect(request, response, 200, page);
    return NULL;
}

/* ── opening the link ──────────────────────────────────────────────────────────────────────── */

/*
 * Programs that scan emails open every link, so the link shows a page and its button signs in.
 */
na_error *na_callback_email(na_request *request, na_response *response)
{
    na_opened_link link;
    NA_TRY(na_link_open(request, response, &link));
    if (link.is_moved)
        return NULL;
    if (request->csrf_verified) { /* only a POST can have a verified form */
        NA_TRY(na_limit_take(request, NA_LIMIT_CALLBACK, NULL));
        request->account = na_limit_account(request->pool, NULL, link.email);
        na_subject subject = subject_of(request, link.email);
        request->claimant = subject.user;
        return na_complete_sign_in(request, response, &subject);
    }
    na_csrf_hand_out(request, response);
    na_page_form form = na_form_of_request(request);
    na_respond_page(request, response, 200, na_say(request->language, "Sign in"),
                    na_page_confirm(request->pool, &form, request->provider->id, link.email,
                                    link.token, na_remember_me_said(request)));
    return NULL;
}
