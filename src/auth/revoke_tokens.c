/* SPDX-License-Identifier: Apache-2.0 */
/* Revokes the tokens kept for a session at their provider. */
#include "auth/revoke_tokens.h"

#include "auth/checks.h"
#include "auth/report.h"
#include "oauth/revocation.h"

static int revokes(const na_request *request)
{
    return request->config->keeping.is_on && request->config->keeping.revokes;
}

int na_tokens_to_revoke(na_request *request, na_kept_tokens *kept)
{
    const na_session *session;
    na_sessions unobserved = *request->sessions;
    if (!revokes(request))
        return 0;
    unobserved.observer = NULL;
    return !na_session_load(&unobserved, &request->visit, &session) && session &&
           na_tokens_to_revoke_at(request, na_session_key(request->pool, session), kept);
}

int na_tokens_to_revoke_at(na_request *request, const na_store_key *session, na_kept_tokens *kept)
{
    int found = 0;
    return revokes(request) && !na_kept_tokens_find_at(request, session, kept, &found) && found;
}

static na_error *revoke_in_place(const na_oauth *oauth, const na_kept_tokens *kept)
{
    na_metadata metadata;
    NA_TRY(na_oauth_metadata(oauth, &metadata));
    if (!metadata.revocation_url)
        return NULL;
    return kept->refresh_token
               ? na_oauth_revoke(oauth, &metadata, kept->refresh_token, "refresh_token")
               : na_oauth_revoke(oauth, &metadata, kept->access_token, "access_token");
}

void na_tokens_revoke(na_request *request, const na_kept_tokens *kept)
{
    const apr_array_header_t *providers = request->config->providers;
    int at = kept->provider ? na_provider_find(providers, kept->provider) : -1;
    na_request asking = *request;
    na_oauth oauth;
    if (at < 0 || (!kept->refresh_token && !kept->access_token))
        return;
    asking.provider = APR_ARRAY_IDX(providers, at, const na_provider *);
    na_oauth_of_request(&asking, &oauth);
    na_error *error = na_http_enter(oauth.http, asking.pool, &oauth.place);
    if (!error) {
        error = revoke_in_place(&oauth, kept);
        na_http_leave(oauth.place);
    }
    if (error)
        na_log_error(request, NA_LOG_WARNING, "REVOCATION_ERROR",
                     na_error_wrap(request->pool, error, NULL,
                                   "could not revoke the tokens of the session at '%s'",
                                   kept->provider));
}
