/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens that only the client that they were issued to can use. */
#include "auth/bound_token.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/checks.h"
#include "auth/replay.h"
#include "base/certificate.h"
#include "base/crypto.h"
#include "oauth/dpop_proof.h"

static na_error *refuse(const na_request *request, const char *why)
{
    return na_error_new(request->pool, NA_ERR_SESSION, "access token refused: %s", why);
}

/* ── nonces ────────────────────────────────────────────────────────────────────────────────── */

/* A nonce is good in its period and the next, on every server with the site's secret. */
#define NONCE_PERIOD 60

static const char *nonce_of(const na_request *request, int periods_ago)
{
    unsigned char hash[NA_SHA256_LEN];
    const na_bytes secret = {request->config->limits.key, sizeof request->config->limits.key};
    apr_int64_t period = apr_time_sec(request->now) / NONCE_PERIOD - periods_ago;
    const char *text = apr_psprintf(request->pool, "DPoP nonce\n%s\n%" APR_INT64_T_FMT,
                                    request->config->session.site, period);
    na_hmac_sha256(hash, secret, na_bytes_of(text));
    return na_base64url_encode(request->pool, hash, sizeof hash);
}

/* Section 9: a client whose nonce gets old is given the next one ahead of time. */
static na_error *check_nonce(const na_request *request, na_bearer *shown, const char *nonce)
{
    const char *current = nonce_of(request, 0);
    if (nonce && na_equal_secret(nonce, current))
        return NULL;
    shown->nonce = current;
    if (nonce && na_equal_secret(nonce, nonce_of(request, 1)))
        return NULL;
    shown->answer = NA_BEARER_LACKS_NONCE;
    return refuse(request, "the DPoP proof lacks the nonce of this server, or has an old one");
}

/* ── proofs ────────────────────────────────────────────────────────────────────────────────── */

static na_error *refuse_used(const na_request *request)
{
    return refuse(request, "the DPoP proof was used before");
}

/*
 * A session store that other servers share remembers it for them, for the time that it is good. If
 * that store is down, so that the proof could be a copy, the error says so.
 */
static na_error *check_new_everywhere(const na_request *request, const char *id, long tolerance)
{
    const na_registry *registry = request->sessions->registry;
    apr_time_t until = request->now + apr_time_from_sec(2 * tolerance + 1);
    na_store_key key;
    int is_first;
    if (!registry || registry->stores[0]->is_memory)
        return NULL;
    na_store_key_make(&key, "dpop-proof",
                      apr_pstrcat(request->pool, registry->namespaces[0], " ", id, NULL));
    NA_TRY(na_store_swap(registry->stores[0], request->pool, &key, (na_bytes){0}, na_bytes_of("1"),
                         until, &is_first));
    return is_first ? NULL : refuse_used(request);
}

/* Section 11.1. Several memories, so that a busy API does not forget a proof that is still good. */
static na_error *check_new(const na_request *request, const char *thumbprint, const char *jti,
                           long tolerance)
{
    const char *id = apr_pstrcat(request->pool, thumbprint, " ", jti, NULL);
    apr_size_t memory = (na_sha256_word(id) >> 32) % NA_PROOF_MEMORIES;
    na_replay_memory *proofs =
        (na_replay_memory *)((char *)request->process->proofs + memory * na_replay_memory_size());
    return na_replay_memory_take(proofs, id, request->now)
               ? check_new_everywhere(request, id, tolerance)
               : refuse_used(request);
}

/* A proof can be of the future, too, and is remembered for NA_CHECKS_MAX_AGE seconds. */
static long tolerance_of(const na_issuer *issuer)
{
    long tolerance = issuer->provider->clock_tolerance;
    return tolerance < NA_CHECKS_MAX_AGE / 2 ? tolerance : NA_CHECKS_MAX_AGE / 2;
}

static na_error *check_proof(na_request *request, const na_issuer *issuer, na_bearer *shown,
                             const char *thumbprint)
{
    const na_dpop_use use = {.method = shown->method,
                             .url = shown->url,
                             .access_token = shown->token,
                             .thumbprint = thumbprint,
                             .now = request->now,
                             .tolerance = tolerance_of(issuer)};
    na_dpop_proof proof;
    if (!shown->is_dpop)
        return refuse(request, "it is bound to a key, and came as a bearer token");
    shown->answer = NA_BEARER_INVALID_PROOF;
    if (!shown->proof)
        return refuse(request, "it is bound to a key, and has no DPoP proof");
    NA_TRY(na_dpop_verify(request->pool, shown->proof, &use, &proof));
    if (issuer->asks_for_nonce)
        NA_TRY(check_nonce(request, shown, proof.nonce));
    return check_new(request, thumbprint, proof.id, use.tolerance);
}

/* ── certificates ──────────────────────────────────────────────────────────────────────────── */

/* RFC 8705 section 3.1. The handshake has shown that the client has the certificate's key. */
static na_error *check_certificate(const na_request *request, const na_bearer *shown,
                                   const char *thumbprint)
{
    const char *own =
        shown->certificate ? na_certificate_thumbprint(request->pool, shown->certificate) : NULL;
    if (!own)
        return refuse(request,
                      "it is bound to a certificate, and the client shows none to mod_ssl");
    return na_equal_secret(own, thumbprint) ? NULL
                                            : refuse(request, "it is bound to another certificate");
}

/* ── both ──────────────────────────────────────────────────────────────────────────────────── */

static na_error *check_demand(const na_request *request, const na_issuer *issuer, const char *key,
                              const char *certificate)
{
    int is_met = issuer->binding == NA_BINDING_ANY ||
                 (issuer->binding != NA_BINDING_CERTIFICATE && key) ||
                 (issuer->binding != NA_BINDING_DPOP && certificate);
    return is_met ? NULL : refuse(request, "it is not bound as binding= demands");
}

na_error *na_bound_token_check(na_request *request, const na_issuer *issuer, na_bearer *shown,
                               const na_session *session)
{
    const char *key = na_session_claim(session, NA_CLAIM_BOUND_KEY);
    const char *certificate = na_session_claim(session, NA_CLAIM_BOUND_CERTIFICATE);
    NA_TRY(check_demand(request, issuer, key, certificate));
    if (certificate)
        NA_TRY(check_certificate(request, shown, certificate));
    if (key)
        NA_TRY(check_proof(request, issuer, shown, key));
    else if (shown->is_dpop)
        return refuse(request, "it is not bound to a key, and came with the scheme DPoP");
    shown->answer = NA_BEARER_INVALID_TOKEN;
    return NULL;
}
