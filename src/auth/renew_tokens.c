/* SPDX-License-Identifier: Apache-2.0 */
/* Renews the access token of a session before it expires, once for all threads and servers. */
#include "auth/renew_tokens.h"

#include "auth/checks.h"
#include "auth/report.h"
#include "auth/revoke_tokens.h"
#include "base/json.h"

/*
 * While the holder of the lease renews the access token, all others serve the old one, or wait if
 * it expired. If the holder dies, the next one tries with the same refresh token, because it is
 * unknown if that was used.
 */
#define RETRY_AT "w" /* not before, after a failure */

/* Seconds for which a request waits for a renewal by another one. */
#define WAIT 10

/* Seconds until a renewal that failed is tried again. */
#define RETRY 10

/* ── the provider ──────────────────────────────────────────────────────────────────────────── */

static na_error *refused(const na_token_lease *r, const char *why)
{
    return na_error_new(r->request->pool, NA_ERR_INVALID_CHECK, "%s", why);
}

/*
 * OpenID Connect Core 1.0 section 12.2: a new ID token is of the same user. One that cannot be
 * verified now is left out, because the tokens beside it are the only valid ones.
 */
static na_error *check_id_token(const na_token_lease *r, const na_oauth *oauth,
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
    if (!r->kept.subject || !na_is_same(na_json_string(claims, "sub"), r->kept.subject))
        return refused(r, "the renewed ID token is of another user");
    if (oauth->keeps_claims)
        tokens->id_claims = na_oauth_newer_claims(r->request->pool, r->kept.id_claims, claims);
    return NULL;
}

static na_error *ask_provider(const na_token_lease *r, const na_provider *provider,
                              na_tokens *tokens)
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

/* The end of a renewal: at most one is set. */
typedef struct outcome {
    const na_tokens *tokens; /* the new ones */
    const na_error *refusal;
} outcome;

static void write_outcome(json_t *entry, const void *data)
{
    const outcome *o = data;
    json_object_del(entry, RETRY_AT);
    if (o->tokens)
        na_kept_tokens_replace(entry, o->tokens);
    else if (o->refusal)
        na_kept_tokens_refuse(entry);
    else
        json_object_set_new(entry, RETRY_AT, json_integer(apr_time_sec(apr_time_now()) + RETRY));
}

/* ── a renewal ─────────────────────────────────────────────────────────────────────────────── */

int na_tokens_are_expired(const na_kept_tokens *kept)
{
    return kept->expires_at && kept->expires_at <= apr_time_sec(apr_time_now());
}

/* A short token is renewed after half of its time, so that not each request renews it. */
int na_tokens_are_due(const na_token_lease *r)
{
    const na_kept_tokens *kept = &r->kept;
    apr_int64_t before = r->request->config->keeping.refresh_before;
    apr_int64_t half = (kept->expires_at - kept->received_at) / 2;
    return kept->expires_at &&
           kept->expires_at - (before < half ? before : half) <= apr_time_sec(apr_time_now());
}

static na_error *not_renewed(const na_token_lease *r)
{
    return na_error_new(r->request->pool, NA_ERR_UNAVAILABLE,
                        "the access token expired, and is not renewed yet");
}

static void count(const na_token_lease *r, const char *result)
{
    na_metrics_count(r->request->process->metrics, NA_METRIC_RENEWALS, "tokens", result);
}

static void report_outcome(const na_token_lease *r, const na_error *error)
{
    const char *text = error ? na_error_text(r->request->pool, error) : NULL;
    int is_refusal = na_error_is(error, NA_ERR_INVALID_CHECK);
    count(r, !error ? "renewed" : is_refusal ? "refused" : "failed");
    if (!error)
        na_log(r->request, NA_LOG_DEBUG, "REFRESH_TOKEN", "renewed the access token of '%s'",
               r->kept.provider);
    else if (is_refusal)
        na_log(r->request, NA_LOG_WARNING, "REFRESH_TOKEN_ERROR",
               "'%s' refuses to renew the access token: %s", r->kept.provider, text);
    else
        na_log(r->request, NA_LOG_ERROR, "REFRESH_TOKEN_ERROR",
               "could not renew the access token of '%s', trying again in %d s: %s",
               r->kept.provider, RETRY, text);
}

/* If the session ended meanwhile, these tokens are nowhere else. */
static void give_up(const na_token_lease *r, const char *provider, const na_tokens *tokens)
{
    const na_kept_tokens lost = {.provider = provider,
                                 .access_token = tokens->access_token,
                                 .refresh_token = tokens->refresh_token};
    if (!r->entry.json && r->request->config->keeping.revokes)
        na_tokens_revoke(r->request, &lost);
}

na_error *na_tokens_redeem(na_token_lease *r, const na_provider *provider, na_lease_then then,
                           int *is_settled)
{
    na_tokens tokens;
    na_error *error = ask_provider(r, provider, &tokens);
    report_outcome(r, error);
    const outcome o = {.tokens = error ? NULL : &tokens,
                       .refusal = na_error_is(error, NA_ERR_INVALID_CHECK) ? error : NULL};
    const char *name = r->kept.provider;
    NA_TRY(na_lease_settle(r, then, write_outcome, &o, o.tokens != NULL, is_settled));
    if (o.tokens && !*is_settled)
        give_up(r, name, o.tokens);
    return *is_settled && !o.tokens && !o.refusal && na_tokens_are_expired(&r->kept)
               ? not_renewed(r)
               : NULL;
}

/* Looks at the entry once. *is_settled is 0 if it has to be looked at again. */
static na_error *look(na_token_lease *r, int *is_settled)
{
    NA_TRY(na_lease_look(r));
    *is_settled = 1;
    if (!r->entry.json || r->kept.is_refused || !na_tokens_are_due(r))
        return NULL;
    const na_provider *provider = na_lease_provider(r);
    if (!r->kept.refresh_token || !provider) {
        r->kept.is_refused = na_tokens_are_expired(&r->kept);
        return NULL;
    }
    int is_held = na_lease_is_held(r);
    if (is_held || na_lease_seconds(r, RETRY_AT) > apr_time_sec(apr_time_now())) {
        *is_settled = !is_held || !na_tokens_are_expired(&r->kept);
        return *is_settled && na_tokens_are_expired(&r->kept) ? not_renewed(r) : NULL;
    }
    NA_TRY(na_lease_take(r, is_settled));
    return *is_settled ? na_tokens_redeem(r, provider, NA_LEASE_GIVE_BACK, is_settled) : NULL;
}

/* ── waiting for another one ───────────────────────────────────────────────────────────────── */

static na_error *wait_in_place(na_token_lease *r)
{
    apr_time_t most = apr_time_now() + apr_time_from_sec(WAIT);
    int is_settled = 0;
    while (!is_settled) {
        apr_sleep(apr_time_from_msec(NA_LEASE_PAUSE_MS));
        NA_TRY(look(r, &is_settled));
        if (!is_settled && apr_time_now() > most)
            return not_renewed(r);
    }
    return NULL;
}

/* A provider that hangs must not take all threads: there are places for a part of them. */
static na_error *wait_for_holder(na_token_lease *r)
{
    na_call_place *place;
    na_error *busy = na_call_enter(r->request->process->waits, r->request->pool, &place);
    if (busy) {
        count(r, "busy");
        return na_error_wrap(r->request->pool, busy, NULL,
                             "the access token expired, and too many requests wait for new ones");
    }
    na_error *error = wait_in_place(r);
    na_call_leave(place);
    return error;
}

na_error *na_tokens_renew(na_request *request, const na_session *session, na_kept_tokens *kept,
                          int *found)
{
    na_token_lease r;
    int is_settled = 1;
    if (na_lease_begin(request, session, &r))
        NA_TRY(look(&r, &is_settled));
    if (!is_settled)
        NA_TRY(wait_for_holder(&r));
    *found = r.entry.json != NULL;
    *kept = r.kept;
    return NULL;
}
