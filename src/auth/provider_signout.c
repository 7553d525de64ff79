/* SPDX-License-Identifier: Apache-2.0 */
/* A sign-out that continues at the provider (OpenID Connect RP-Initiated Logout 1.0). */
#include "auth/provider_signout.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/callback_url.h"
#include "auth/checks.h"
#include "auth/kept_tokens.h"
#include "auth/report.h"
#include "auth/session.h"
#include "base/json.h"
#include "base/url.h"
#include "oauth/provider_token.h"

/* Seconds that a user has at the provider. */
#define STATE_SECONDS 3600

/* The state and the ID token are in one URL, which servers accept up to 8190 bytes. */
#define CALLBACK_URL_MAX 1000
#define ID_TOKEN_MAX 5000

/* ── before the session ends ───────────────────────────────────────────────────────────────── */

/* Section 2: of a token that was encrypted for this client, the one inside. */
static const char *signed_token(const na_request *request, const na_provider *provider,
                                const char *token)
{
    const na_oauth oauth = {.pool = request->pool, .provider = provider};
    int is_encrypted;
    return !token || na_provider_token_decrypt(&oauth, &token, &is_encrypted) ||
                   strlen(token) > ID_TOKEN_MAX
               ? NULL
               : token;
}

void na_provider_signout_prepare(na_request *request, na_provider_signout *signout)
{
    const apr_array_header_t *providers = request->config->providers;
    const na_session *session;
    na_kept_tokens kept;
    int found;
    *signout = (na_provider_signout){0};
    if (na_request_session(request, &session) || !session)
        return;
    const char *id = na_session_claim(session, NA_CLAIM_PROVIDER);
    int at = id ? na_provider_find(providers, id) : -1;
    const na_provider *provider = at < 0 ? NULL : APR_ARRAY_IDX(providers, at, const na_provider *);
    if (!provider || provider->logout != NA_LOGOUT_BOTH)
        return;
    signout->provider = provider;
    signout->email = session->email ? apr_pstrdup(request->pool, session->email) : NULL;
    if (!na_kept_tokens_find(request, session, &kept, &found) && found)
        signout->id_token = signed_token(request, provider, kept.id_token);
}

/* ── the way to the provider ───────────────────────────────────────────────────────────────── */

/*
 * The state is the way back itself, encrypted: no cookie has to survive Clear-Site-Data, and a
 * callback with a state that this site did not issue leads nowhere (section 3).
 */
static na_error *make_state(na_request *request, const char **state)
{
    char *token;
    const char *url = na_callback_url_carried(request, CALLBACK_URL_MAX);
    json_t *claims =
        na_json_own(request->pool,
                    json_pack("{s:s, s:s, s:s}", NA_CLAIM_SITE, request->config->session.site,
                              NA_CLAIM_PROVIDER, request->provider->id, "callbackUrl", url));
    NA_TRY(na_keyring_seal(request->pool, &request->config->signout_ring, claims, request->now,
                           STATE_SECONDS, &token));
    *state = token;
    return NULL;
}

/* Section 2: client_id for a provider that has no ID token to know the client by. */
static na_error *make_url(na_request *request, const na_provider_signout *signout,
                          const na_metadata *metadata, const char **url)
{
    const char *state;
    apr_table_t *fields = apr_table_make(request->pool, 6);
    const char *back = apr_pstrcat(request->pool, request->config->base_url, "/signout-callback/",
                                   request->provider->id, NULL);
    NA_TRY(make_state(request, &state));
    if (signout->id_token)
        apr_table_setn(fields, "id_token_hint", signout->id_token);
    else if (signout->email)
        apr_table_setn(fields, "logout_hint", signout->email);
    apr_table_setn(fields, "client_id", request->provider->client_id);
    apr_table_setn(fields, "post_logout_redirect_uri", back);
    apr_table_setn(fields, "state", state);
    *url = na_url_add_all(request->pool, metadata->end_session_url, fields);
    return NULL;
}

static na_error *find_url(na_request *request, const na_provider_signout *signout, const char **url)
{
    na_oauth oauth;
    na_metadata metadata;
    na_oauth_of_request(request, &oauth);
    NA_TRY(na_oauth_metadata(&oauth, &metadata));
    if (!metadata.end_session_url)
        return na_error_with_hint(na_error_new(request->pool, NA_ERR_CONFIGURATION,
                                               "provider '%s' has no end_session_endpoint",
                                               request->provider->id),
                                  "set end_session_endpoint=, or logout=fromProvider");
    return make_url(request, signout, &metadata, url);
}

/* The user is signed out here by then, so that a failure must not keep the browser here. */
const char *na_provider_signout_url(na_request *request, const na_provider_signout *signout)
{
    na_request at_provider = *request;
    const char *url = NULL;
    at_provider.provider = signout->provider;
    na_error *error = signout->provider ? find_url(&at_provider, signout, &url) : NULL;
    if (error)
        na_log_error(request, NA_LOG_WARNING, "SIGNOUT_ERROR",
                     na_error_wrap(request->pool, error, NULL,
                                   "the user stays signed in at the provider"));
    return url;
}

/* ── and back ──────────────────────────────────────────────────────────────────────────────── */

na_error *na_provider_signout_finish(na_request *request, const char *state, const char **url)
{
    json_t *claims = NULL;
    na_error *error = na_keyring_open(request->pool, &request->config->signout_ring,
                                      na_bytes_of(state ? state : ""), request->now, &claims);
    if (error)
        return na_error_wrap(request->pool, error, NA_ERR_INVALID_CHECK,
                             "the state of the sign-out is missing, or was not issued here");
    const char *site = na_json_string(claims, NA_CLAIM_SITE);
    const char *provider = na_json_string(claims, NA_CLAIM_PROVIDER);
    *url = na_safe_redirect(request->pool, request->config, na_json_string(claims, "callbackUrl"));
    if (!site || strcmp(site, request->config->session.site) != 0 || !provider ||
        strcmp(provider, request->provider->id) != 0 || !*url)
        return na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                            "the state of the sign-out was issued for another site or provider");
    return NULL;
}
