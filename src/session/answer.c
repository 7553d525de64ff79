/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of credentials that come with each request, kept for seconds after they were verified.
 */
#include "session/answer.h"

#include <string.h>

#include "base/crypto.h"

/* When an answer was verified that no longer counts. */
#define FORGOTTEN 0

/*
 * SHA-256 with the secret in front takes half the time of HMAC, which protects hashes that others
 * see: with one of these, they could make that of a longer text.
 */
const char *na_answer_key(apr_pool_t *pool, na_bytes secret, char *text)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, secret, na_bytes_of(text));
    na_wipe(text, strlen(text));
    return na_hex(pool, hash, sizeof hash);
}

/*
 * Tokens in cookies belong to their source. A hash that is sent as a cookie must not find the
 * answer that is kept for it.
 */
static apr_uint64_t owner_of(const na_sessions *sessions)
{
    return sessions->config->id + NA_SESSION_SOURCES_MAX;
}

static apr_status_t release_session(void *session)
{
    na_token_cache_release(session);
    return APR_SUCCESS;
}

static const na_session *hold_session(apr_pool_t *pool, const na_session *session)
{
    if (session)
        apr_pool_cleanup_register(pool, session, release_session, apr_pool_cleanup_null);
    return session;
}

const na_session *na_answer_find(const na_sessions *sessions, const na_visit *visit,
                                 const char *key, apr_int64_t *age)
{
    if (!sessions->tokens)
        return NULL;
    const na_session *session =
        hold_session(visit->pool, na_token_cache_get(sessions->tokens, owner_of(sessions),
                                                     na_bytes_of(key), visit->now));
    if (!session || session->issued_at == FORGOTTEN)
        return NULL;
    *age = apr_time_sec(visit->now) - session->issued_at;
    return *age >= 0 ? session : NULL;
}

void na_answer_keep(const na_sessions *sessions, const na_visit *visit, const char *key,
                    const na_session **session)
{
    if (!sessions->tokens)
        return;
    const na_session *kept =
        hold_session(visit->pool, na_token_cache_put(sessions->tokens, owner_of(sessions),
                                                     na_bytes_of(key), *session));
    *session = kept ? kept : *session;
}

void na_answer_forget(const na_sessions *sessions, const na_visit *visit, const char *key)
{
    apr_int64_t age;
    const na_session *kept = na_answer_find(sessions, visit, key, &age);
    if (!kept)
        return;
    na_session forgotten = *kept;
    const na_session *put = &forgotten;
    forgotten.issued_at = FORGOTTEN;
    na_answer_keep(sessions, visit, key, &put);
}
