/* SPDX-License-Identifier: Apache-2.0 */
/* Ends sessions because a provider says so: back-channel and front-channel logout. */
#include <string.h>

#include <apr_strings.h>

#include "auth/checks.h"
#include "auth/limit.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "base/json.h"
#include "endpoint/device.h"
#include "endpoint/endpoints.h"
#include "oauth/logout_token.h"

/* Without a session store, nothing is known of the sessions that began, and none could be ended. */
static int is_set_up(const na_request *request)
{
    return request->provider && request->provider->logout && request->sessions->registry;
}

static void refuse(na_request *request, na_response *response, const char *why)
{
    na_respond_oauth_error(request, response, "invalid_request", why);
}

/* ── ending ────────────────────────────────────────────────────────────────────────────────── */

/* The name of a user in records has a prefix, which ends with the first slash (na_user_name). */
static na_error *report_end(na_request *request, const na_begun *begun, const char *how)
{
    const char *user = strchr(begun->record.user, '/');
    na_event event = na_event_of(request, NA_EVENT_SIGN_OUT, NULL);
    event.user = user ? user + 1 : begun->record.user;
    event.provider = request->provider->id;
    event.actor = "provider";
    event.detail = how;
    event.session_seconds = apr_time_sec(request->now) - begun->record.created;
    na_report(request, &event);
    return na_record_event(request, NULL, &event);
}

/* Reports what was ended, even if others could not be: the provider repeats its request then. */
static na_error *end_sessions(na_request *request, const na_provider_session *at_provider,
                              int remembers, const char *how)
{
    apr_array_header_t *ended = apr_array_make(request->pool, 4, sizeof(na_begun));
    na_error *error = na_session_end_at_provider(request->sessions, request->pool, at_provider,
                                                 remembers, request->now, ended);
    for (int i = 0; i < ended->nelts; i++) {
        na_error *unrecorded = report_end(request, &APR_ARRAY_IDX(ended, i, na_begun), how);
        error = error ? error : unrecorded;
    }
    na_log(request, NA_LOG_DEBUG, "PROVIDER_LOGOUT", "%s: the provider ended %d sessions", how,
           ended->nelts);
    return error;
}

/* ── back-channel ──────────────────────────────────────────────────────────────────────────── */

#define TAKEN ((na_bytes){(const unsigned char *)"1", 1})
#define GIVEN_BACK ((na_bytes){(const unsigned char *)"0", 1})

static na_store_key key_of_token(const na_request *request, const na_logout_token *logout)
{
    na_store_key key;
    na_store_key_make(&key, "logout-token",
                      apr_pstrcat(request->pool, request->sessions->registry->namespaces[0], " ",
                                  request->provider->id, " ", logout->id, NULL));
    return key;
}

/* A token that names a user would end the sessions that began since. */
static na_error *take_token(const na_request *request, const na_logout_token *logout)
{
    const na_store *store = request->sessions->registry->stores[0];
    const na_store_key key = key_of_token(request, logout);
    apr_time_t until = apr_time_from_sec(logout->expires + 1);
    int is_first;
    NA_TRY(na_store_swap(store, request->pool, &key, (na_bytes){0}, TAKEN, until, &is_first));
    if (!is_first)
        NA_TRY(na_store_swap(store, request->pool, &key, GIVEN_BACK, TAKEN, until, &is_first));
    return is_first ? NULL
                    : na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                                   "logout token refused: it was used before");
}

/* The provider can send it again, because not all sessions were ended. */
static void give_token_back(const na_request *request, const na_logout_token *logout)
{
    const na_store_key key = key_of_token(request, logout);
    int swapped;
    na_store_swap(request->sessions->registry->stores[0], request->pool, &key, TAKEN, GIVEN_BACK,
                  apr_time_from_sec(logout->expires + 1), &swapped);
}

static na_error *verify(na_request *request, const char *token, na_logout_token *logout)
{
    na_oauth oauth;
    na_metadata metadata;
    na_oauth_of_request(request, &oauth);
    NA_TRY(na_oauth_metadata(&oauth, &metadata));
    return na_oauth_verify_logout_token(&oauth, &metadata, token, logout);
}

static na_error *log_out(na_request *request, const char *token)
{
    na_logout_token logout;
    NA_TRY(verify(request, token, &logout));
    NA_TRY(take_token(request, &logout));
    const na_provider_session at_provider = {request->provider->id, logout.issuer, logout.subject,
                                             logout.session_id, logout.issued_at};
    na_error *error = end_sessions(request, &at_provider, 1, "back-channel");
    if (error)
        give_token_back(request, &logout);
    return error;
}

/* Section 2.8: also a logout that failed is answered with 400. */
na_error *na_post_backchannel_logout(na_request *request, na_response *response)
{
    const char *token = apr_table_get(request->form, "logout_token");
    if (!is_set_up(request) || !token) {
        refuse(request, response,
               token ? "this site does not take logouts of this provider"
                     : "logout_token is missing");
        return NULL;
    }
    request->attempted = NA_EVENT_SIGN_OUT;
    NA_TRY(na_limit_take_stray(request, NA_LIMIT_CALLBACK));
    na_error *error = log_out(request, token);
    if (!error || na_is_unavailable(error))
        na_limit_give_back(request);
    if (!error)
        return NULL;
    na_log_error(request, NA_LOG_WARNING, "BACKCHANNEL_LOGOUT_ERROR", error);
    if (na_is_unavailable(error))
        na_respond_oauth_error(request, response, "temporarily_unavailable",
                               "the sessions could not be ended: try again");
    else
        refuse(request, response, "the logout token is invalid");
    return NULL;
}

/* ── front-channel ─────────────────────────────────────────────────────────────────────────── */

/*
 * OpenID Connect Front-Channel Logout 1.0 section 3. Any page can load this URL, so that it ends
 * the sessions of the `sid` alone, which others cannot know, and never that of the browser's
 * cookie. Nothing else is written: anyone could fill the store.
 */
na_error *na_get_frontchannel_logout(na_request *request, na_response *response)
{
    const na_provider_session at_provider = {.provider = request->provider_id,
                                             .issuer = apr_table_get(request->query, "iss"),
                                             .id = apr_table_get(request->query, "sid")};
    if (!is_set_up(request) || !at_provider.issuer || !at_provider.id || !*at_provider.id) {
        refuse(request, response,
               is_set_up(request) ? "iss or sid is missing: the provider must send both"
                                  : "this site does not take logouts of this provider");
        return NULL;
    }
    request->attempted = NA_EVENT_SIGN_OUT;
    NA_TRY(end_sessions(request, &at_provider, 0, "front-channel"));
    response->content_type = "text/html; charset=utf-8";
    response->body = "";
    return NULL;
}
