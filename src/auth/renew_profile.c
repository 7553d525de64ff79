/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches the profile of a session's user again at an interval, once for all threads and servers.
 */
#include "auth/renew_profile.h"

#include <string.h>

#include "auth/checks.h"
#include "auth/complete.h"
#include "auth/profile_subject.h"
#include "auth/report.h"
#include "auth/revoke_tokens.h"
#include "auth/session.h"
#include "base/json.h"

/*
 * The session's claim NA_CLAIM_PROFILE_DUE says when, so that other requests cost nothing. If it
 * is due, that of the session's newest claims counts, because the request can have older ones. The
 * lease of its tokens decides who asks. Requests that come meanwhile go on with the claims that
 * they have.
 */

/* Most seconds until a failed attempt is repeated. */
#define RETRY 60

typedef struct profile_renewal {
    na_token_lease lease;
    const na_session *session;
    const na_provider *provider;
    json_t *claims;          /* the new ones */
    const json_t *id_claims; /* as in na_tokens */
} profile_renewal;

/* ── the provider ──────────────────────────────────────────────────────────────────────────── */

static na_error *refused(const profile_renewal *p, const char *why)
{
    return na_error_new(p->lease.request->pool, NA_ERR_INVALID_CHECK, "%s", why);
}

static na_error *redeem(profile_renewal *p)
{
    int is_settled;
    if (!p->lease.kept.refresh_token)
        return refused(p, "the session has no refresh token");
    NA_TRY(na_tokens_redeem(&p->lease, p->provider, NA_LEASE_KEEP, &is_settled));
    if (p->lease.kept.is_refused)
        return refused(p, "the provider refused to renew the access token");
    return is_settled ? NULL
                      : na_error_new(p->lease.request->pool, NA_ERR_UNAVAILABLE,
                                     "the session ended meanwhile");
}

static na_error *fetch_with(const profile_renewal *p, const na_oauth *oauth, na_tokens *tokens,
                            json_t **profile, int *any_tenant)
{
    na_metadata metadata;
    NA_TRY(na_oauth_metadata(oauth, &metadata));
    *profile = NULL;
    *any_tenant = metadata.issuer && strchr(metadata.issuer, '{');
    if (!metadata.userinfo_url)
        return NULL;
    return na_oauth_profile_again(oauth, &metadata, p->lease.kept.subject, tokens, profile);
}

static na_error *fetch_once(const profile_renewal *p, na_request *asking, na_tokens *tokens,
                            json_t **profile, int *any_tenant)
{
    const na_kept_tokens *kept = &p->lease.kept;
    na_oauth oauth;
    *tokens = (na_tokens){.access_token = kept->access_token,
                          .token_type = kept->token_type,
                          .scope = kept->scope,
                          .id_claims = kept->id_claims};
    na_oauth_of_request(asking, &oauth);
    oauth.now = apr_time_now();
    NA_TRY(na_http_enter(oauth.http, asking->pool, &oauth.place));
    na_error *error = fetch_with(p, &oauth, tokens, profile, any_tenant);
    na_http_leave(oauth.place);
    return error;
}

/* Renews the access token first if it is due, and once if userinfo does not accept it. */
static na_error *fetch_profile(profile_renewal *p, na_request *asking, na_tokens *tokens,
                               json_t **profile, int *any_tenant)
{
    int is_renewed = na_tokens_are_due(&p->lease) &&
                     (p->lease.kept.refresh_token || na_tokens_are_expired(&p->lease.kept));
    if (is_renewed)
        NA_TRY(redeem(p));
    na_error *error = fetch_once(p, asking, tokens, profile, any_tenant);
    if (is_renewed || !na_error_is(error, NA_ERR_INVALID_CHECK))
        return error;
    NA_TRY(redeem(p));
    return fetch_once(p, asking, tokens, profile, any_tenant);
}

/* Two users can have one email address at a provider, but never one ID. */
static na_error *check_account(const profile_renewal *p, const na_subject *subject)
{
    const char *expected = p->lease.kept.account_id;
    return expected && strcmp(subject->user.id, expected) == 0
               ? NULL
               : na_error_new(p->lease.request->pool, NA_ERR_OAUTH_CALLBACK,
                              "the profile is of another user");
}

/* Writes a copy of the session's claims, to be changed. */
static na_error *claims_of(na_request *request, const na_session *session, json_t **claims)
{
    json_t *before;
    NA_TRY(na_json_parse_sealed(request->pool, NA_ERR_SESSION, na_bytes_of(session->claims_json),
                                &before));
    *claims = na_json_own(request->pool, json_deep_copy(before));
    return NULL;
}

/* Writes the new claims. */
static na_error *ask_provider(profile_renewal *p)
{
    na_request asking = *p->lease.request;
    na_subject subject = {.provider = p->provider, .proved_at = -1};
    na_tokens tokens;
    json_t *profile;
    int any_tenant;
    asking.provider = p->provider;
    NA_TRY(claims_of(&asking, p->session, &p->claims));
    NA_TRY(fetch_profile(p, &asking, &tokens, &profile, &any_tenant));
    if (!profile) /* the provider has no userinfo endpoint */
        return NULL;
    NA_TRY(na_profile_subject(&asking, any_tenant, profile, &tokens, &subject));
    NA_TRY(check_account(p, &subject));
    p->id_claims = tokens.id_claims;
    NA_TRY(na_admit_again(&asking, &subject, p->session, p->claims));
    return na_session_check_claims(asking.pool, p->claims);
}

/* ── the outcome ───────────────────────────────────────────────────────────────────────────── */

typedef enum verdict { RENEWED, DENIED, REFUSED, FAILED } verdict;

static verdict verdict_of(const na_error *error)
{
    if (na_error_is(error, NA_ERR_ACCESS_DENIED))
        return DENIED;
    if (na_error_is(error, NA_ERR_INVALID_CHECK))
        return REFUSED;
    return error ? FAILED : RENEWED;
}

static long retry_after(const na_request *request)
{
    long interval = request->config->keeping.userinfo_interval;
    return interval < RETRY ? interval : RETRY;
}

/* An outage and a refusal are one line for each session, however often it is asked. */
static void report(const profile_renewal *p, verdict v, const na_error *error)
{
    static const char *const counted[] = {"renewed", "refused", "refused", "failed"};
    na_request *request = p->lease.request;
    const char *provider = p->lease.kept.provider;
    const char *text = error ? na_error_text(request->pool, error) : NULL;
    if (v == REFUSED && na_session_claim(p->session, NA_CLAIM_ERROR))
        return;
    na_metrics_count(request->process->metrics, NA_METRIC_RENEWALS, "userinfo", counted[v]);
    if (v == RENEWED)
        na_log(request, NA_LOG_DEBUG, "PROFILE_DATA", "fetched the profile of '%s' again",
               provider);
    else if (v == DENIED)
        na_log(request, NA_LOG_WARNING, "ACCESS_DENIED",
               "the session ends, by the profile of '%s': %s", provider, text);
    else if (v == REFUSED)
        na_log(request, NA_LOG_WARNING, "REFRESH_TOKEN_ERROR",
               "'%s' refused to return the profile: %s", provider, text);
    else
        na_log(request, p->lease.kept.has_failed ? NA_LOG_DEBUG : NA_LOG_ERROR, "PROFILE_DATA",
               "could not fetch the profile of '%s' again, trying again in %ld s: %s", provider,
               retry_after(request), text);
}

typedef struct outcome {
    verdict v;
    const json_t *id_claims;
} outcome;

static void write_outcome(json_t *entry, const void *data)
{
    const outcome *o = data;
    na_kept_tokens_set_profile(entry, o->v == RENEWED ? o->id_claims : NULL, o->v == FAILED);
    if (o->v == REFUSED)
        na_kept_tokens_refuse(entry);
}

/* Later than the session says, even if the clocks of two servers differ. */
static apr_int64_t next_due(const profile_renewal *p, verdict v)
{
    const na_request *request = p->lease.request;
    apr_int64_t before = na_session_profile_due(p->session);
    apr_int64_t due =
        apr_time_sec(apr_time_now()) +
        (v == FAILED ? retry_after(request) : request->config->keeping.userinfo_interval);
    return due > before ? due : before + 1;
}

/* Writes the claims for all tokens of the session; those that it had, if there are no new ones. */
static na_error *replace_claims(profile_renewal *p, verdict v)
{
    na_request *request = p->lease.request;
    json_t *claims = p->claims;
    if (v != RENEWED)
        NA_TRY(claims_of(request, p->session, &claims));
    json_object_set_new(claims, NA_CLAIM_PROFILE_DUE, json_integer(next_due(p, v)));
    if (v == REFUSED)
        json_object_set_new(claims, NA_CLAIM_ERROR, json_string(NA_REFRESH_TOKEN_ERROR));
    return na_session_replace_claims(request->sessions, &request->visit, p->session, claims,
                                     &p->session);
}

/* Returns 1 if the session goes on. */
static int goes_on(const profile_renewal *p, verdict v)
{
    return v != DENIED && !(v == REFUSED && p->lease.request->config->keeping.ends_refused);
}

/*
 * The claims are written first: if this process dies in between, the profile is fetched once more.
 */
static na_error *settle(profile_renewal *p, const na_error *error, int *is_allowed)
{
    verdict v = verdict_of(error);
    const outcome o = {v, p->id_claims};
    int is_written;
    report(p, v, error);
    *is_allowed = goes_on(p, v);
    if (v == DENIED && p->lease.request->config->keeping.revokes)
        na_tokens_revoke(p->lease.request, &p->lease.kept);
    if (*is_allowed)
        NA_TRY(replace_claims(p, v));
    return p->lease.holder
               ? na_lease_settle(&p->lease, NA_LEASE_GIVE_BACK, write_outcome, &o, 0, &is_written)
               : NULL;
}

/* ── a renewal ─────────────────────────────────────────────────────────────────────────────── */

static int is_of_lease(const na_token_lease *lease, const na_session *session)
{
    const na_store_key *key = na_session_key(lease->request->pool, session);
    return memcmp(key->hash, lease->session->hash, sizeof key->hash) == 0;
}

/* The session as the store has it: claims of an older one must not be written again. */
static na_error *load_newest(profile_renewal *p, int *is_allowed)
{
    const na_session *newest;
    na_error *error = na_request_session_now(p->lease.request, &newest);
    if (na_is_unavailable(error))
        return error;
    if (newest && !is_of_lease(&p->lease, newest))
        return na_error_new(p->lease.request->pool, NA_ERR_SESSION,
                            "the browser has another session, too");
    *is_allowed = newest != NULL;
    if (newest)
        p->session = newest;
    return NULL;
}

static na_error *renew(profile_renewal *p, int *is_allowed)
{
    na_token_lease *lease = &p->lease;
    int is_taken;
    NA_TRY(na_lease_look(lease));
    if (na_lease_is_held(lease))
        return NULL;
    NA_TRY(load_newest(p, is_allowed));
    if (!*is_allowed || !na_profile_is_due(lease->request->config, p->session, apr_time_now()))
        return NULL;
    if (!lease->entry.json || lease->kept.is_refused)
        return settle(p, refused(p, "no access token is kept"), is_allowed);
    NA_TRY(na_lease_take(lease, &is_taken));
    if (!is_taken)
        return NULL;
    p->provider = na_lease_provider(lease);
    return settle(p,
                  p->provider ? ask_provider(p)
                              : refused(p, "the provider is not configured anymore"),
                  is_allowed);
}

int na_profile_is_due(const na_config *config, const na_session *session, apr_time_t now)
{
    apr_int64_t due = config->keeping.userinfo_interval ? na_session_profile_due(session) : 0;
    return due && due <= apr_time_sec(now);
}

int na_profile_renew(na_request *request, const na_session **session)
{
    profile_renewal p = {.session = *session};
    int is_allowed = 1;
    if (!na_profile_is_due(request->config, *session, request->now) ||
        !na_lease_begin(request, *session, &p.lease))
        return 1;
    na_error *error = renew(&p, &is_allowed);
    if (error)
        na_log_error(request, na_is_unavailable(error) ? NA_LOG_INFO : NA_LOG_WARNING,
                     "SESSION_ERROR", error);
    *session = p.session;
    return is_allowed;
}
