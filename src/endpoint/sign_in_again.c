/* SPDX-License-Identifier: Apache-2.0 */
/* The page on which a user who is signed in signs in again, before a sensitive change. */
#include <string.h>

#include <apr_strings.h>

#include "auth/factors.h"
#include "auth/fresh.h"
#include "auth/passkey.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/error_codes.h"
#include "base/url.h"
#include "endpoint/endpoints.h"

/* The user who is signed in. */
typedef struct signed_in {
    const na_session *session;
    na_db_person person;          /* zero without a database */
    apr_array_header_t *accounts; /* na_db_account */
} signed_in;

static na_error *load_user(const na_request *request, signed_in *in)
{
    int found;
    *in = (signed_in){.accounts = apr_array_make(request->pool, 4, sizeof(na_db_account))};
    na_error *error = na_request_session_now(request, &in->session);
    if (na_is_unavailable(error) || !in->session)
        return na_is_unavailable(error) ? error : NULL;
    if (!request->db || !na_session_claim(in->session, NA_CLAIM_DATABASE_USER))
        return NULL;
    const na_db_who who = {.id = in->session->user};
    NA_TRY(na_db_find(request->db, request->pool, &who, &in->person, &found));
    if (!found)
        in->person = (na_db_person){0};
    return na_db_list_accounts(request->db, request->pool, in->session->user, in->accounts);
}

/* Returns the user's ID at the provider, NULL if the user has no account there. */
static const char *id_at(const signed_in *in, const na_provider *provider)
{
    const char *began = na_session_claim(in->session, NA_CLAIM_PROVIDER);
    for (int i = 0; i < in->accounts->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(in->accounts, i, na_db_account);
        if (strcmp(account->provider, provider->id) == 0)
            return account->provider_account_id;
    }
    return !in->person.user.id && began && strcmp(began, provider->id) == 0 ? in->session->user
                                                                            : NULL;
}

/* Returns the name that the user signs in with at the provider, NULL if the user cannot. */
static const char *name_at(const signed_in *in, const na_provider *provider)
{
    if (provider->type == NA_EMAIL)
        return in->person.user.email;
    if (provider->in_database)
        return in->person.credential.hash ? in->person.user.email : NULL;
    return id_at(in, provider);
}

static const apr_array_header_t *ways_of(const na_request *request, const signed_in *in)
{
    const apr_array_header_t *providers = request->config->providers;
    apr_array_header_t *ways = apr_array_make(request->pool, 4, sizeof(na_page_way));
    const na_provider *passkey = na_passkey_provider(request->config);
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        const char *name = name_at(in, provider);
        if (name && provider != passkey)
            APR_ARRAY_PUSH(ways, na_page_way) = (na_page_way){provider, name};
    }
    if (passkey && id_at(in, passkey)) /* the last, because it is not shown where no script runs */
        APR_ARRAY_PUSH(ways, na_page_way) = (na_page_way){passkey, ""};
    return ways;
}

/* Sets *has to 1 if the user can give a second factor, which is as good as a sign-in. */
static na_error *find_second_factor(const na_request *request, const signed_in *in, int *has)
{
    na_factors factors;
    *has = 0;
    if (request->config->session.two_factor == NA_TWO_FACTOR_OFF || !in->person.user.id)
        return NULL;
    NA_TRY(na_factors_find(request, in->person.user.id, &factors));
    *has = na_factors_are_any(&factors);
    return NULL;
}

/* Returns what the user is about to do: the page to which the sign-in leads says it. */
static const char *reason_of(const na_request *request)
{
    static const struct {
        const char *path, *reason;
    } reasons[] = {
        {"/passkeys", NA_TEXT("Sign in again to change your passkeys.")},
        {"/tokens", NA_TEXT("Sign in again to change your access tokens.")},
        {"/two-factor-setup", NA_TEXT("Sign in again to change your second factor.")},
    };
    const char *base = request->config->base_url, *url = request->callback_url;
    size_t len = strlen(base);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strncmp(url, base, len) == 0 &&
            strncmp(url + len, reasons[i].path, strlen(reasons[i].path)) == 0)
            return na_say(request->language, reasons[i].reason);
    return na_say(request->language, "Sign in again to change your account.");
}

/* A provider that did not ask leaves a new session that is not fresh. */
static const char *problem_of(const na_request *request, const na_session *session)
{
    const char *code = apr_table_get(request->query, "error");
    const char *known = code ? na_error_code_of(code)->sign_in : NULL;
    int was_just_now = session->auth_time >= apr_time_sec(request->now) - NA_FRESH_SECONDS;
    if (code)
        return na_say(request->language, known ? known : "Unable to sign in. Please try again.");
    return was_just_now && !na_fresh_at(session, apr_time_sec(request->now))
               ? na_say(
                     request->language,
                     "The sign-in service did not ask you to sign in. Sign out there first, or use "
                     "another way.")
               : NULL;
}

na_error *na_get_sign_in_again(na_request *request, na_response *response)
{
    const char *base = request->config->base_url;
    signed_in in;
    NA_TRY(load_user(request, &in));
    if (!in.session) {
        na_respond_redirect(request, response, 401,
                            na_url_add(request->pool,
                                       apr_pstrcat(request->pool, base, "/signin", NULL),
                                       "callbackUrl", request->callback_url));
        return NULL;
    }
    int has_second_factor;
    NA_TRY(find_second_factor(request, &in, &has_second_factor));
    na_page_form form = na_form_of_request(request);
    const apr_array_header_t *ways = ways_of(request, &in);
    response->runs_script =
        ways->nelts &&
        APR_ARRAY_IDX(ways, ways->nelts - 1, na_page_way).provider->type == NA_WEBAUTHN;
    na_respond_page(request, response, 200, na_say(request->language, "Sign in again"),
                    na_page_sign_in_again(request->pool, &form, reason_of(request),
                                          problem_of(request, in.session), has_second_factor,
                                          ways));
    return NULL;
}
