/* SPDX-License-Identifier: Apache-2.0 */
/* The page on which a user gives a second factor, to sign in or for a page that requires one. */
#include <string.h>

#include <apr_strings.h>

#include "auth/limit.h"
#include "auth/notice.h"
#include "auth/passkey.h"
#include "auth/remembered.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/second_factor.h"
#include "base/url.h"
#include "endpoint/endpoints.h"
#include "endpoint/two_factor.h"

static const char wrong_code[] = NA_TEXT("The code is wrong, has expired, or was used already.");

static const char wrong_passkey[] =
    NA_TEXT("The passkey could not be used. Try again, or sign in another way.");

const char *na_two_factor_url(const na_request *request, const char *page, const char *callback)
{
    const char *url = apr_pstrcat(request->pool, request->config->base_url, page, NULL);
    size_t len = strlen(url);
    int is_same = strncmp(callback, url, len) == 0 && (!callback[len] || callback[len] == '?');
    return is_same ? url : na_url_add(request->pool, url, "callbackUrl", callback);
}

void na_two_factor_sign_in(na_request *request, na_response *response, const char *page)
{
    const char *url = apr_pstrcat(request->pool, request->config->base_url, "/signin", NULL);
    const char *next =
        page ? na_two_factor_url(request, page, request->callback_url) : request->callback_url;
    na_pending_clear(request, response);
    na_respond_redirect(request, response, 401,
                        na_url_add(request->pool, url, "callbackUrl", next));
}

/*
 * Returns the provider of passkeys that can be the second factor, NULL if there is none: one that
 * was the first factor cannot be the second as well.
 */
static const na_provider *passkey_provider(const na_request *request, const na_challenge *challenge)
{
    const na_provider *provider = na_passkey_provider(request->config);
    const char *first = challenge->is_pending
                            ? challenge->sign_in.event.provider
                            : na_session_claim(challenge->session, NA_CLAIM_PROVIDER);
    return provider && challenge->factors.passkeys && first && strcmp(first, provider->id) != 0
               ? provider
               : NULL;
}

static void respond_challenge(na_request *request, na_response *response,
                              const na_challenge *challenge, const char *error, const char *alert)
{
    const na_db_user *user = &challenge->person.user;
    na_page_form form = na_form_of_request(request);
    form.callback_url = na_challenge_target(request, challenge);
    const na_page_challenge page = {.user = user->email ? user->email : user->name,
                                    .has_code = challenge->factors.totp != NULL,
                                    .passkeys = passkey_provider(request, challenge),
                                    .remember_days = request->config->remember_days,
                                    .error = na_say(request->language, error),
                                    .alert = na_say(request->language, alert)};
    response->runs_script = page.passkeys != NULL;
    na_respond_page(request, response, 200, na_say(request->language, "Confirm that it is you"),
                    na_page_two_factor(request->pool, &form, &page));
}

na_error *na_get_two_factor(na_request *request, na_response *response)
{
    na_challenge challenge;
    int found;
    NA_TRY(na_challenge_find(request, &challenge, &found));
    if (!found)
        na_two_factor_sign_in(request, response, NULL);
    else if (na_factors_are_any(&challenge.factors))
        respond_challenge(request, response, &challenge, NULL, NULL);
    else
        na_respond_redirect(request, response, 200,
                            na_two_factor_url(request, "/two-factor-setup",
                                              na_challenge_target(request, &challenge)));
    return NULL;
}

/* ── a code ────────────────────────────────────────────────────────────────────────────────── */

static na_error *refuse_code(na_request *request, na_response *response,
                             const na_challenge *challenge)
{
    na_error *error = na_error_new(request->pool, NA_ERR_SECOND_FACTOR,
                                   "wrong code of a second factor, or one that was used");
    request->is_recorded = 1; /* by na_dispatch, if it gets the error */
    if (!request->wants_html)
        return error;
    NA_TRY(na_record_failure(request, error));
    na_log_error(request, NA_LOG_WARNING, "SECOND_FACTOR", error);
    respond_challenge(request, response, challenge, wrong_code, NULL);
    return NULL;
}

/*
 * Uses the code up, so that one of several concurrent requests gets it, and remembers the browser
 * if the user asked for that. A key that an earlier secret sealed is sealed with the newest one.
 */
static na_error *spend_code(na_request *request, na_response *response,
                            const na_challenge *challenge, const na_db_secret *spend, int *held)
{
    const na_factors *factors = &challenge->factors;
    apr_array_header_t *added = apr_array_make(request->pool, 2, sizeof(na_db_secret));
    apr_array_header_t *removed = apr_array_make(request->pool, 2, sizeof(na_db_secret));
    na_decision decision = {.user_id = factors->user_id,
                            .revision = &challenge->person.revision,
                            .spent = spend,
                            .removed = removed,
                            .secrets = added};
    if (factors->totp && spend->sealed && spend->sealed != factors->totp->sealed) {
        APR_ARRAY_PUSH(removed, na_db_secret) = *factors->totp;
        APR_ARRAY_PUSH(added, na_db_secret) = *spend;
    }
    if (apr_table_get(request->form, "remember") && request->config->remember_days)
        na_remembered_add(request, response, factors, added, removed);
    NA_TRY(na_db_decide(request->db, request->pool, &decision));
    *held = decision.held;
    return NULL;
}

/* ── a passkey ─────────────────────────────────────────────────────────────────────────────── */

static na_error *take_passkey(na_request *request, na_response *response, na_challenge *challenge)
{
    na_db_authenticator passkey;
    int is_verified;
    request->provider = passkey_provider(request, challenge);
    if (!request->provider)
        return na_error_new(request->pool, NA_ERR_WEBAUTHN,
                            "a passkey cannot be the second factor of this sign-in");
    NA_TRY(na_passkey_authenticate(request, response, challenge->factors.user_id, &passkey,
                                   &is_verified));
    if (strcmp(passkey.user_id, challenge->factors.user_id) != 0)
        return na_error_new(request->pool, NA_ERR_WEBAUTHN,
                            "the passkey belongs to a user other than the one who signs in");
    na_limit_give_back(request);
    NA_TRY(na_second_factor_pass(request, response, challenge, "hwk")); /* RFC 8176 section 2 */
    na_respond_redirect(request, response, 200, na_challenge_target(request, challenge));
    return NULL;
}

/* A refusal is recorded, and the user can try again. */
static na_error *post_passkey(na_request *request, na_response *response, na_challenge *challenge)
{
    na_error *error = take_passkey(request, response, challenge);
    if (!error || na_is_unavailable(error))
        return error;
    NA_TRY(na_record_failure(request, error));
    if (!request->wants_html)
        return error;
    na_log_error(request, NA_LOG_WARNING, "SECOND_FACTOR", error);
    respond_challenge(request, response, challenge, NULL, wrong_passkey);
    return NULL;
}

na_error *na_post_two_factor(na_request *request, na_response *response)
{
    na_challenge challenge;
    na_db_secret spend;
    const char *method;
    int found, held = 0;
    NA_TRY(na_challenge_find(request, &challenge, &found));
    if (!found) {
        na_two_factor_sign_in(request, response, NULL);
        return NULL;
    }
    request->attempted = NA_EVENT_SECOND_FACTOR;
    NA_TRY(na_limit_take(request, NA_LIMIT_SECOND_FACTOR,
                         na_limit_factor_account(request->pool, challenge.factors.user_id)));
    if (apr_table_get(request->form, "data"))
        return post_passkey(request, response, &challenge);
    NA_TRY(na_factors_check(request, &challenge.factors, apr_table_get(request->form, "code"),
                            &method, &spend));
    int cookies = response->set_cookies->nelts;
    if (method)
        NA_TRY(spend_code(request, response, &challenge, &spend, &held));
    if (!held) {
        response->set_cookies->nelts = cookies;
        return refuse_code(request, response, &challenge);
    }
    na_limit_give_back(request);
    NA_TRY(na_second_factor_pass(request, response, &challenge, method));
    if (strcmp(method, NA_METHOD_RECOVERY) == 0)
        na_notice_change(request, NA_CHANGE_RECOVERY_CODE_USED, challenge.person.user.email);
    na_respond_redirect(request, response, 200, na_challenge_target(request, &challenge));
    return NULL;
}
