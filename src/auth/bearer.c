/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens of OAuth 2.0 in place of a session (NextAuthAcceptTokens oauth). */
#include "auth/bearer.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/access_token.h"
#include "auth/bound_token.h"
#include "auth/checks.h"
#include "auth/complete.h"
#include "auth/limit.h"
#include "base/clock.h"
#include "base/json.h"
#include "jose/compact.h"
#include "oauth/access_token_claims.h"
#include "oauth/access_token_jwt.h"
#include "oauth/introspection.h"
#include "oauth/provider_token.h"
#include "session/answer.h"

/* ── the issuer ────────────────────────────────────────────────────────────────────────────── */

static int is_accepted(const na_bearer *shown, const na_issuer *issuer)
{
    for (int i = 0; shown->accepted && i < shown->accepted->nelts; i++)
        if (na_provider_is_named(issuer->provider, APR_ARRAY_IDX(shown->accepted, i, const char *)))
            return 1;
    return !shown->accepted;
}

/*
 * Returns the issuer that says it made the token, before anything is verified: of several for one
 * authorization server, the one with the token's audience. NULL if there is none.
 */
static const na_issuer *issuer_of(const na_request *request, const na_bearer *shown,
                                  const json_t *claims)
{
    const apr_array_header_t *issuers = request->config->issuers;
    const char *iss = na_json_string(claims, "iss");
    const na_issuer *found = NULL;
    for (int i = 0; iss && i < issuers->nelts; i++) {
        const na_issuer *issuer = APR_ARRAY_IDX(issuers, i, const na_issuer *);
        if (!is_accepted(shown, issuer) || strcmp(issuer->provider->issuer, iss) != 0)
            continue;
        if (na_issuer_is_audience(issuer, claims))
            return issuer;
        found = found ? found : issuer;
    }
    return found;
}

/* Returns the first that can be asked about a token that names no issuer; NULL if none can. */
static const na_issuer *issuer_to_ask(const na_request *request, const na_bearer *shown)
{
    const apr_array_header_t *issuers = request->config->issuers;
    for (int i = 0; i < issuers->nelts; i++) {
        const na_issuer *issuer = APR_ARRAY_IDX(issuers, i, const na_issuer *);
        if (is_accepted(shown, issuer) && issuer->introspects != NA_INTROSPECTS_NONE)
            return issuer;
    }
    return NULL;
}

/* ── the session ───────────────────────────────────────────────────────────────────────────── */

/* RFC 9068 section 2.2.3: a list in one text. */
static json_t *scopes_of(const json_t *claims)
{
    const char *scope = na_json_string(claims, "scope");
    json_t *scopes = json_array();
    while (scope && *(scope += strspn(scope, " "))) {
        size_t len = strcspn(scope, " ");
        json_array_append_new(scopes, json_stringn(scope, len));
        scope += len;
    }
    return scopes;
}

/* Claims of the token itself, which no rule can change. */
static void add_own_claims(const json_t *token, json_t *claims)
{
    static const char *const names[] = {"iss", "acr", NA_CLAIM_AUTH_TIME, "cnf"};
    const char *client = na_token_client(token);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_object_del(claims, names[i]);
        if (json_object_get(token, names[i]))
            json_object_set(claims, names[i], json_object_get(token, names[i]));
    }
    json_object_set_new(claims, NA_CLAIM_SCOPE, scopes_of(token));
    json_object_del(claims, NA_CLAIM_CLIENT);
    if (client)
        json_object_set_new(claims, NA_CLAIM_CLIENT, json_string(client));
}

/* Entra ID's tokens of an application have no verified address, as those of its users. */
static na_error *read_subject(na_request *request, const json_t *token, na_subject *subject)
{
    const na_provider *provider = request->provider;
    json_t *account = json_pack("{s:s, s:s, s:s*, s:s*}", "provider", provider->id, "type", "token",
                                "providerAccountId", na_json_string(token, "sub"), "scope",
                                na_json_string(token, "scope"));
    *subject = (na_subject){.provider = provider,
                            .profile = token,
                            .account = na_json_own(request->pool, account),
                            .user = {.id = ""}};
    return na_token_user(token) ? na_provider_user(request->pool, provider, provider->any_tenant,
                                                   token, &subject->user)
                                : NULL;
}

/*
 * The cache's tolerance is taken off the end, so that a session ends when its token does. Without
 * an end, it ends when the token is to be verified again.
 */
static apr_int64_t end_of(const na_request *request, const na_issuer *issuer, const json_t *token)
{
    apr_int64_t now = apr_time_sec(request->now);
    json_int_t exp;
    return na_json_number(token, "exp", &exp)
               ? exp + issuer->provider->clock_tolerance - NA_CLOCK_TOLERANCE
               : now + issuer->cache;
}

static na_error *make_session(na_request *request, const na_issuer *issuer, const char *key,
                              const json_t *token, const na_session **session)
{
    na_subject subject;
    json_t *claims;
    NA_TRY(read_subject(request, token, &subject));
    NA_TRY(na_admit_token(request, &subject, &claims));
    add_own_claims(token, claims);
    return na_session_of_token(request->pool, key, claims, apr_time_sec(request->now),
                               end_of(request, issuer, token),
                               request->config->session.identity_claims, session);
}

/* ── verifying ─────────────────────────────────────────────────────────────────────────────── */

/* Seconds for which an issuer is not asked again about a token that it refused. */
#define INACTIVE_SECONDS 10

static na_store_key key_of_inactive(const char *key)
{
    na_store_key inactive;
    na_store_key_make(&inactive, "inactive", key);
    return inactive;
}

static int was_inactive(const na_request *request, const char *key)
{
    const na_store_key inactive = key_of_inactive(key);
    apr_int64_t at = na_verified_at(request->process->inactive_tokens, 0, &inactive, 0);
    apr_int64_t age = apr_time_sec(request->now) - at;
    return age >= 0 && age < INACTIVE_SECONDS;
}

static na_error *ask_issuer(na_request *request, const na_oauth *oauth, const na_issuer *issuer,
                            const char *token, const char *key, json_t **claims)
{
    const na_store_key inactive = key_of_inactive(key);
    NA_TRY(na_oauth_introspect(oauth, issuer, token, claims));
    if (*claims)
        return NULL;
    na_verified_set(request->process->inactive_tokens, 0, &inactive, 0, apr_time_sec(request->now));
    return na_error_new(request->pool, NA_ERR_OAUTH_CALLBACK,
                        "access token refused: its issuer says that it is not active");
}

/* Session tokens and personal access tokens are secrets of this site: no issuer gets to see one. */
static na_error *check_own(const na_request *request, const char *token)
{
    return na_access_token_is_meant(token) || na_keyring_is_form(request->pool, token)
               ? na_error_new(request->pool, NA_ERR_OAUTH_CALLBACK,
                              "access token refused: it is a token of a site, not of an issuer")
               : NULL;
}

/* Most keys that a token is tried with: to decrypt takes long, and anyone can send one. */
#define KEYS_MAX 16

/* Several issuers can have the same key: the `kid` is its thumbprint. */
static void add_key(const na_jwk *key, na_jwks *keys)
{
    for (int i = 0; i < keys->count; i++)
        if (na_is_same(keys->keys[i]->kid, key->kid))
            return;
    if (keys->count < KEYS_MAX)
        keys->keys[keys->count++] = key;
}

/* Adds the keys of accepted issuers, or only the one with this ID. */
static void add_keys(const na_request *request, const na_bearer *shown, const char *kid,
                     na_jwks *keys)
{
    const apr_array_header_t *issuers = request->config->issuers;
    for (int i = 0; i < issuers->nelts; i++) {
        const na_issuer *issuer = APR_ARRAY_IDX(issuers, i, const na_issuer *);
        const na_jwks *own = issuer->provider->decryption_keys;
        if (!own || !is_accepted(shown, issuer))
            continue;
        for (int k = 0; k < own->count; k++)
            if (!kid || na_is_same(own->keys[k]->kid, kid))
                add_key(own->keys[k], keys);
    }
}

static const char *kid_of(const na_request *request, const char *token)
{
    const json_t *header;
    const na_bytes part = {(const unsigned char *)token, strcspn(token, ".")};
    return na_jose_header(request->pool, NA_ERR_OAUTH_CALLBACK, part, &header)
               ? NULL
               : na_json_string(header, "kid");
}

/*
 * Returns what is inside, if the token is encrypted to a key of an accepted issuer (RFC 9068
 * section 2), else the token itself. That a key fits says nothing of who made it: what is inside is
 * signed. The key that the token names is tried first, if it is one of ours: the issuer can have a
 * name of its own for it.
 */
static const char *decrypt(const na_request *request, const na_bearer *shown)
{
    const na_jwk *room[KEYS_MAX];
    na_jwks keys = {room, 0};
    const char *token = shown->token, *kid;
    if (!na_provider_token_is_encrypted(token))
        return token;
    if ((kid = kid_of(request, token)))
        add_keys(request, shown, kid, &keys);
    add_keys(request, shown, NULL, &keys);
    return na_provider_token_open(request->pool, &keys, &token) ? shown->token : token;
}

static na_error *verify(na_request *request, const na_bearer *shown, const char *key,
                        const na_session **session)
{
    json_t *claims;
    na_oauth oauth;
    NA_TRY(check_own(request, shown->token));
    const char *token = decrypt(request, shown);
    int is_jwt =
        na_access_token_peek(request->pool, token, &claims) && na_json_string(claims, "iss");
    const na_issuer *issuer =
        is_jwt ? issuer_of(request, shown, claims) : issuer_to_ask(request, shown);
    if (!issuer)
        return na_error_new(request->pool, NA_ERR_OAUTH_CALLBACK,
                            "access token refused: no issuer that is accepted here made it");
    request->provider = issuer->provider;
    request->provider_id = issuer->provider->id;
    na_oauth_of_request(request, &oauth);
    NA_TRY(is_jwt && issuer->introspects != NA_INTROSPECTS_ALL
               ? na_access_token_verify(&oauth, issuer, token, &claims)
               : ask_issuer(request, &oauth, issuer, shown->token, key, &claims));
    NA_TRY(make_session(request, issuer, key, claims, session));
    na_answer_keep(request->sessions, &request->visit, key, session);
    return NULL;
}

/*
 * Only tokens that are not genuine count: clients go on using one that has just expired, and many
 * of them can share an IP address.
 */
static na_error *verify_within_limit(na_request *request, const na_bearer *shown, const char *key,
                                     int is_known, const na_session **session)
{
    if (was_inactive(request, key))
        return na_error_new(request->pool, NA_ERR_SESSION,
                            "access token refused: its issuer said so a moment ago");
    na_error *error = is_known ? NULL : na_limit_take(request, NA_LIMIT_TOKEN, NULL);
    if (error)
        return error;
    error = verify(request, shown, key, session);
    if (!error || !na_error_is(error, NA_ERR_OAUTH_CALLBACK))
        na_limit_give_back(request);
    return error;
}

/* A session is kept for a configuration, which has its issuer. */
static const na_issuer *issuer_of_session(const na_request *request, const na_session *session)
{
    return na_issuer_find(request->config->issuers, na_session_claim(session, NA_CLAIM_PROVIDER));
}

/* ── loading ───────────────────────────────────────────────────────────────────────────────── */

/* A token's session is kept for a set of accepted issuers: another path can accept others. */
static const char *key_of(const na_request *request, const na_bearer *shown)
{
    const na_bytes secret = {request->config->limits.key, sizeof request->config->limits.key};
    const char *accepted = shown->accepted ? na_join(request->pool, shown->accepted, " ") : "";
    char *text = apr_pstrcat(request->pool, "oauth\n", request->config->session.site, "\n",
                             accepted, "\n", shown->token, NULL);
    return na_answer_key(request->pool, secret, text);
}

na_error *na_bearer_load(na_request *request, na_bearer *shown, const na_session **session)
{
    apr_int64_t age;
    const char *key = key_of(request, shown);
    *session = na_answer_find(request->sessions, &request->visit, key, &age);
    int is_known = *session != NULL;
    if (!is_known || age >= issuer_of_session(request, *session)->cache)
        NA_TRY(verify_within_limit(request, shown, key, is_known, session));
    return na_bound_token_check(request, issuer_of_session(request, *session), shown, *session);
}
