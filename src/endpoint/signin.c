/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the sign-in page, and sends browsers to providers. */
#include <string.h>

#include <apr_strings.h>

#include "auth/checks.h"
#include "auth/direct.h"
#include "endpoint/endpoints.h"
#include "auth/fresh.h"
#include "auth/passkey.h"
#include "auth/password_user.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "base/url.h"
#include "mail/address.h"
#include "oauth/oauth.h"

/* most characters of an unknown provider's ID in the log */
#define ID_SAID_MAX 64

static const char *own_page(na_request *request, const char *page, const char *error)
{
    const char *url = na_url_add(request->pool, page, "callbackUrl", request->callback_url);
    return error ? na_url_add(request->pool, url, "error", error) : url;
}

/* A link to signin/ID opens the page: starting a sign-in requires a POST with the CSRF token. */
na_error *na_get_signin(na_request *request, na_response *response)
{
    const na_config *config = request->config;
    const char *error = apr_table_get(request->query, "error");
    if (config->pages.sign_in) {
        na_respond_redirect(request, response, 200,
                            own_page(request, config->pages.sign_in, error));
        return NULL;
    }
    na_page_form form = na_form_of_request(request);
    if (!error && apr_table_get(request->query, "csrf"))
        error = NA_ERR_MISSING_CSRF;
    const na_page_offers offers = {na_feature_is_offered(request, NA_FEATURE_SIGN_UP),
                                   na_feature_is_offered(request, NA_FEATURE_RESET)};
    na_page_attempt attempt = {.error = error, .user = apr_table_get(request->query, "email")};
    if (error)
        na_take_attempt(request, response, &attempt);
    response->runs_script = na_passkey_provider(config) != NULL;
    na_respond_page(request, response, 200, na_say(request->language, "Sign in"),
                    na_page_signin(request->pool, &form, config->providers, offers, &attempt));
    return NULL;
}

static na_error *start_oauth(na_request *request, na_response *response)
{
    na_oauth oauth;
    na_metadata metadata;
    na_checks checks;
    char *url;
    na_oauth_of_request(request, &oauth);
    NA_TRY(na_oauth_metadata(&oauth, &metadata));
    int cookies = response->set_cookies->nelts;
    NA_TRY(na_checks_make(request, response, &checks));
    checks.asks_again = na_fresh_is_asked(request) && !request->is_direct;
    na_error *error = na_oauth_authorization_url(&oauth, &metadata, &checks, request->query, &url);
    if (error) {
        response->set_cookies->nelts = cookies; /* those of a sign-in that has not begun */
        return error;
    }
    na_respond_redirect(request, response, 200, url);
    return NULL;
}

na_error *na_start_at_provider(na_request *request, na_response *response)
{
    na_error *error = start_oauth(request, response);
    return error ? na_error_wrap(request->pool, error,
                                 na_is_unavailable(error) ? NULL : NA_ERR_OAUTH_SIGNIN,
                                 "could not create the authorization request for '%s'",
                                 request->provider->id)
                 : NULL;
}

/*
 * Finds the provider by the domain of what was typed into the form of the sign-in page, or into
 * that for links; NULL if there is none.
 */
static const na_provider *provider_of_domain(const na_request *request)
{
    const char *email, *typed = apr_table_get(request->form, "email");
    int has_choice =
        request->provider ? request->provider->type != NA_EMAIL : request->provider_id != NULL;
    return typed && !has_choice && !na_email_normalize(request->pool, typed, &email)
               ? na_provider_of_email(request->config->providers, email)
               : NULL;
}

/* The address is only a hint, with which the provider fills in its form. */
static na_error *start_with_hint(na_request *request, na_response *response,
                                 const na_provider *provider)
{
    apr_table_t *query = apr_table_make(request->pool, 1);
    apr_table_setn(query, "login_hint", apr_table_get(request->form, "email"));
    request->query = query;
    request->provider = provider;
    request->provider_id = provider->id;
    na_direct_resume(request, response);
    return na_start_at_provider(request, response);
}

na_error *na_post_signin(na_request *request, na_response *response)
{
    const na_provider *by_domain = provider_of_domain(request);
    if (by_domain)
        return start_with_hint(request, response, by_domain);
    if (!request->provider_id && apr_table_get(request->form, "email"))
        return na_error_new(request->pool, NA_ERR_EMAIL_DOMAIN,
                            "no provider has emailDomains= for this email address");
    if (request->provider_id && !request->provider) {
        na_error *unknown =
            na_error_new(request->pool, NA_ERR_INVALID_PROVIDER, "unknown provider '%s'",
                         na_one_line(request->pool, request->provider_id, ID_SAID_MAX));
        if (na_speaks_v5(request))
            return unknown;
        na_log_error(request, NA_LOG_WARNING, "SIGNIN_OAUTH_ERROR", unknown);
    }
    if (!request->provider || request->provider->type == NA_CREDENTIALS ||
        request->provider->type == NA_WEBAUTHN) {
        int is_choice = request->provider || (!request->provider_id && na_speaks_v5(request));
        const char *page = is_choice ? "/signin" : "/signin?csrf=true";
        na_respond_redirect(request, response, 200,
                            apr_pstrcat(request->pool, request->config->base_url, page, NULL));
        return NULL;
    }
    if (request->provider->type == NA_EMAIL)
        return na_signin_email(request, response);
    na_direct_resume(request, response);
    return na_start_at_provider(request, response);
}
