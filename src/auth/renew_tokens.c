/* SPDX-License-Identifier: Apache-2.0 */
/* Renews the access token of a session before it expires, once for all threads and servers. */
#include "auth/renew_tokens.h"

#include "auth/checks.h"
#include "auth/report.h"
#include "auth/revoke_tokens.h"
#include "base/json.h"

/*
 * The request that renews takes a lease in the entry, by compare-and-swap: all others serve the old
 * token, or wait if it expired. Providers that rotate refresh tokens take a second use of one for
 * theft, so that two renewals at once would cost the user the session. The lease ends by itself if
 * its holder dies; the next one tries with the same refresh token, because it is unknown if that
 * was used.
 */
#define LEASE "l" /* random text of the holder */
#define LEASE_END "le"
#define RETRY_AT "w" /* not before, after a failure */

/* Milliseconds between two looks at an entry that another one renews. */
#define PAUSE_MS 100

/* Seconds for which a request waits for a renewal by another one. */
#define WAIT 10

/* Seconds until a renewal that failed is tried again. */
#define RETRY 10

/* Attempts to write an entry, a pause apart, before renewed tokens are given up. */
#define TRIES 50

typedef struct renewal {
    na_request *request;
    const na_registry *registry;
    const na_store_key *session;
    na_token_entry entry;
    na_kept_tokens kept;
    const char *lease;
} renewal;

static na_error *find_entry(renewal *r)
{
    NA_TRY(na_token_entry_find(r->registry, r->request->pool, r->session, &r->entry));
    na_kept_tokens_read(r->entry.json, &r->kept);
    return NULL;
}

static apr_int64_t seconds_of(const renewal *r, const char *name)
{
    json_int_t seconds = 0;
    na_json_number(r->entry.json, name, &seconds);
    return seconds;
}

/* ── the provider ──────────────────────────────────────────────────────────────────────────── */

static const na_provider *provider_of(const renewal *r)
{
    const apr_array_header_t *providers = r->request->config->providers;
    int at = r->kept.provider ? na_provider_find(providers, r->kept.provider) : -1;
    return at >= 0 ? APR_ARRAY_IDX(providers, at, const na_provider *) : NULL;
}

static na_error *refused(const renewal *r, const char *why)
{
    return na_error_new(r->request->pool, NA_ERR_INVALID_CHECK, "%s", why);
}

/*
 * OpenID Connect Core 1.0 section 12.2: a new ID token is of the same user. One that cannot be
 * verified now is left out, because the tokens beside it are the only valid ones.
 */
static na_error *check_id_token(const renewal *r, const na_oauth *oauth,
                                const na_metadata *metadata, na_tokens *tokens)
{
    const na_checks checks = {.is_renewal = 1};
    json_t *claims;
    if (!tokens->id_token || oauth->provider->type != NA_OIDC)
        return NULL;
    na_error *error = na_oauth_verify_id_token(oauth, metadata, tokens, &checks, &claims);
    if (na_is_unavailable(error)) {
        tokens->id_token = NULL;
        return NULL;
    }
    if (error)
        return na_error_wrap(r->request->pool, error, NA_ERR_INVALID_CHECK, "wrong renewed tokens");
    return r->kept.subject && na_is_same(na_json_string(claims, "sub"), r->kept.subject)
               ? NULL
               : refused(r, "the renewed ID token is of another user");
}

static na_error *ask_provider(const renewal *r, const na_provider *provider, na_tokens *tokens)
{
    na_request asking = *r->request;
    na_metadata metadata;
    na_oauth oauth;
    asking.provider = provider;
    na_oauth_of_request(&asking, &oauth);
    oauth.now = apr_time_now(); /* the request can have waited */
    NA_TRY(na_http_enter(oauth.http, asking.pool, &oauth.place));
    na_error *error = na_oauth_metadata(&oauth, &metadata);
    if (!error)
        error = na_oauth_renew_tokens(&oauth, &metadata, r->kept.refresh_token, tokens);
    if (!error)
        error = check_id_token(r, &oauth, &metadata, tokens);
    na_http_leave(oauth.place);
    return error;
}

/* ── the entry ─────────────────────────────────────────────────────────────────────────────── */

/* Longer than all calls of ask_provider, and the wait for a place, can take. */
static apr_int64_t lease_end(const renewal *r)
{
    return apr_time_sec(apr_time_now()) + 5 + 6 * r->request->config->http.timeout_ms / 1000;
}

static na_error *take_lease(renewal *r, int *is_taken)
{
    r->lease = na_random_base64url(r->request->pool, 16);
    if (seconds_of(r, LEASE_END))
        na_log(r->request, NA_LOG_WARNING, "REFRESH_TOKEN_ERROR",
               "a renewal of tokens did not end: trying again");
    json_object_set_new(r->entry.json, LEASE, json_string(r->lease));
    json_object_set_new(r->entry.json, LEASE_END, json_integer(lease_end(r)));
    return na_token_entry_write(r->registry, r->request->pool, &r->entry, is_taken);
}

/* The end of a renewal: at most one is set. */
typedef struct outcome {
    const na_tokens *tokens; /* the new ones */
    const na_error *refusal;
} outcome;

static void apply(renewal *r, const outcome *o)
{
    json_object_del(r->entry.json, LEASE);
    json_object_del(r->entry.json, LEASE_END);
    json_object_del(r->entry.json, RETRY_AT);
    if (o->tokens)
        na_kept_tokens_replace(r->entry.json, o->tokens);
    else if (o->refusal)
        na_kept_tokens_refuse(r->entry.json);
    else
        json_object_set_new(r->entry.json, RETRY_AT,
                            json_integer(apr_time_sec(apr_time_now()) + RETRY));
}

/* Returns 0 if the session ended, or if the lease did. */
static int holds_lease(const renewal *r)
{
    const char *lease = na_json_string(r->entry.json, LEASE);
    return lease && na_is_same(lease, r->lease);
}

/*
 * Writes the outcome, whatever else changes the entry meanwhile. New tokens are lost if that fails,
 * so an outage of the store is waited for. *is_written is 0 if the entry is no longer this
 * request's to change.
 */
static na_error *settle(renewal *r, const outcome *o, int *is_written)
{
    na_error *error = NULL;
    for (int i = 0; i < TRIES; i++) {
        if (i)
            apr_sleep(apr_time_from_msec(PAUSE_MS));
        *is_written = 0;
        if (!error && !holds_lease(r))
            return NULL;
        if (!error) {
            apply(r, o);
            error = na_token_entry_write(r->registry, r->request->pool, &r->entry, is_written);
        }
        if (!error && *is_written)
            return NULL;
        if (error && (!na_is_unavailable(error) || !o->tokens))
            return error;
        error = find_entry(r);
    }
    return error ? error
                 : na_error_new(r->request->pool, NA_ERR_BUSY,
                                "too many changes to one session's tokens at once");
}

/* ── a renewal ─────────────────────────────────────────────────────────────────────────────── */

static int is_expired(const na_kept_tokens *kept)
{
    return kept->expires_at && kept->expires_at <= apr_time_sec(apr_time_now());
}

/* A short token is renewed after half of its time, so that not each request renews it. */
static int is_due(const renewal *r)
{
    const na_kept_tokens *kept = &r->kept;
    apr_int64_t before = r->request->config->keeping.refresh_before;
    apr_int64_t half = (kept->expires_at - kept->received_at) / 2;
    return kept->expires_at &&
           kept->expires_at - (before < half ? before : half) <= apr_time_sec(apr_time_now());
}

static na_error *not_renewed(const renewal *r)
{
    return na_error_new(r->request->pool, NA_ERR_UNAVAILABLE,
                        "the access token expired, and is not renewed yet");
}

static void log_outcome(const renewal *r, const na_error *error)
{
    if (!error)
        na_log(r->request, NA_LOG_DEBUG, "REFRESH_TOKEN", "renewed the access token of '%s'",
               r->kept.provider);
    else if (na_error_is(error, NA_ERR_INVALID_CHECK))
        na_log(r->request, NA_LOG_WARNING, "REFRESH_TOKEN_ERROR",
               "'%s' refuses to renew the access token: %s", r->kept.provider,
               na_error_text(r->request->pool, error));
    else
        na_log(r->request, NA_LOG_ERROR, "REFRESH_TOKEN_ERROR",
               "could not renew the access token of '%s', trying again in %d s: %s",
               r->kept.provider, RETRY, na_error_text(r->request->pool, error));
}

/* If the session ended meanwhile, these tokens are nowhere else. */
static void give_up(const renewal *r, const char *provider, const na_tokens *tokens)
{
    const na_kept_tokens lost = {.provider = provider,
                                 .access_token = tokens->access_token,
                                 .refresh_token = tokens->refresh_token};
    if (!r->entry.json && r->request->config->keeping.revokes)
        na_tokens_revoke(r->request, &lost);
}

/* Renews under the lease. *is_settled is 0 if the entry has to be looked at again. */
static na_error *redeem(renewal *r, const na_provider *provider, int *is_settled)
{
    na_tokens tokens;
    na_error *error = ask_provider(r, provider, &tokens);
    log_outcome(r, error);
    const outcome o = {.tokens = error ? NULL : &tokens,
                       .refusal = na_error_is(error, NA_ERR_INVALID_CHECK) ? error : NULL};
    const char *name = r->kept.provider;
    NA_TRY(settle(r, &o, is_settled));
    if (o.tokens && !*is_settled)
        give_up(r, name, o.tokens);
    na_kept_tokens_read(r->entry.json, &r->kept);
    return *is_settled && !o.tokens && !o.refusal && is_expired(&r->kept) ? not_renewed(r) : NULL;
}

/* Looks at the entry once. *is_settled is 0 if it has to be looked at again. */
static na_error *look(renewal *r, int *is_settled)
{
    apr_int64_t now = apr_time_sec(apr_time_now());
    NA_TRY(find_entry(r));
    *is_settled = 1;
    if (!r->entry.json || r->kept.is_refused || !is_due(r))
        return NULL;
    const na_provider *provider = provider_of(r);
    if (!r->kept.refresh_token || !provider) {
        r->kept.is_refused = is_expired(&r->kept);
        return NULL;
    }
    int is_leased = seconds_of(r, LEASE_END) > now;
    if (is_leased || seconds_of(r, RETRY_AT) > now) {
        *is_settled = !is_leased || !is_expired(&r->kept);
        return *is_settled && is_expired(&r->kept) ? not_renewed(r) : NULL;
    }
    NA_TRY(take_lease(r, is_settled));
    return *is_settled ? redeem(r, provider, is_settled) : NULL;
}

na_error *na_tokens_renew(na_request *request, const na_session *session, na_kept_tokens *kept,
                          int *found)
{
    renewal r = {.request = request,
                 .registry = na_kept_tokens_registry(request),
                 .session = na_session_key(request->pool, session)};
    apr_time_t most = apr_time_now() + apr_time_from_sec(WAIT);
    int is_settled = !r.registry;
    while (!is_settled) {
        NA_TRY(look(&r, &is_settled));
        if (!is_settled && apr_time_now() > most)
            return not_renewed(&r);
        if (!is_settled)
            apr_sleep(apr_time_from_msec(PAUSE_MS));
    }
    *found = r.entry.json != NULL;
    *kept = r.kept;
    return NULL;
}
