/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-ins that another site begins, such as a provider's own page of applications. */
#include <string.h>

#include <apr_strings.h>

#include "auth/callback_url.h"
#include "auth/checks.h"
#include "auth/direct.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/url.h"
#include "endpoint/endpoints.h"

/*
 * OpenID Connect Core 1.0 section 4. Any page can lead a user here, so that only what a protected
 * page could do is done: a sign-in begins, bound to this browser, and ends at a page of the site.
 */

/* The form of another site comes without the cookies that are SameSite=Lax; with a link, they come.
 */
static void take_along(na_request *request, na_response *response)
{
    static const char *const names[] = {"iss", "login_hint", "target_link_uri"};
    const char *url = apr_pstrcat(request->pool, request->config->base_url, "/initiate/",
                                  request->provider->id, NULL);
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = apr_table_get(request->form, names[i]);
        if (value)
            url = na_url_add(request->pool, url, names[i], value);
    }
    response->status = 303;
    response->location = url;
}

static na_error *check_provider(const na_request *request)
{
    return request->provider->is_initiated
               ? NULL
               : na_error_new(request->pool, NA_ERR_INVALID_PROVIDER,
                              "other sites cannot begin sign-ins with provider '%s' "
                              "(initiatedSignIn=)",
                              request->provider->id);
}

static na_error *check_issuer(const na_request *request)
{
    const char *iss = apr_table_get(request->query, "iss");
    na_oauth oauth;
    na_metadata metadata;
    na_oauth_of_request(request, &oauth);
    NA_TRY(na_oauth_metadata(&oauth, &metadata));
    return iss && metadata.issuer && strcmp(iss, metadata.issuer) == 0
               ? NULL
               : na_error_new(request->pool, NA_ERR_CALLBACK,
                              "another site began a sign-in, and its iss does not match the "
                              "issuer of provider '%s'",
                              request->provider->id);
}

/* A target elsewhere counts as missing, so that this never redirects to another site. */
static void set_target(na_request *request, na_response *response)
{
    const char *target = apr_table_get(request->query, "target_link_uri");
    apr_table_t *form = apr_table_make(request->pool, 1);
    apr_table_setn(form, "callbackUrl", target ? target : request->config->home);
    request->form = form;
    na_callback_url(request, response);
}

/* The provider gets nothing else of the URL. */
static void keep_hint(na_request *request)
{
    const char *hint = apr_table_get(request->query, "login_hint");
    apr_table_t *query = apr_table_make(request->pool, 1);
    if (hint)
        apr_table_setn(query, "login_hint", hint);
    request->query = query;
}

static void show_sign_in_page(na_request *request, na_response *response)
{
    const char *page = apr_pstrcat(request->pool, request->config->base_url, "/signin", NULL);
    na_respond_redirect(request, response, 200,
                        na_url_add(request->pool, page, "callbackUrl", request->callback_url));
}

static na_error *begin(na_request *request, na_response *response)
{
    request->action = "signin";
    request->is_direct = 1;
    keep_hint(request);
    na_direct_count(request, response);
    return na_start_at_provider(request, response);
}

/*
 * A user who is signed in goes to the page: no other site can replace the session, or link an
 * account to its user. The sign-in page is shown in a frame, which could hide from the user what
 * happens (section 4, RFC 6819 section 4.4.1.9), to a user who has signed out here, and if sign-ins
 * begin again and again.
 */
na_error *na_get_initiate(na_request *request, na_response *response)
{
    const na_session *session;
    NA_TRY(check_provider(request));
    NA_TRY(check_issuer(request));
    request->wants_return = 0;
    set_target(request, response);
    na_error *error = na_request_session(request, &session);
    if (na_is_unavailable(error))
        return error;
    if (session) {
        na_respond_redirect(request, response, 200, request->callback_url);
        return NULL;
    }
    if (request->is_in_tab && na_direct_is_due(request) == NA_DIRECT_GO)
        return begin(request, response);
    show_sign_in_page(request, response);
    return NULL;
}

na_error *na_post_initiate(na_request *request, na_response *response)
{
    NA_TRY(check_provider(request));
    take_along(request, response);
    return NULL;
}
