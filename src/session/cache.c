/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of verified tokens. */
#include "session/cache.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_atomic.h>
#include <apr_thread_mutex.h>

#include "base/crypto.h"

#define WAYS 8

/* One block of memory: this header, the session's arrays, then its strings and the token. */
typedef struct entry {
    apr_uint32_t references;
    apr_uint32_t used; /* the set's clock at the last use */
    const void *owner;
    na_bytes token;
    apr_uint64_t tail; /* of the token: what two of them nearly always differ in */
    apr_size_t size;
    na_session session;
} entry;

typedef struct set {
    apr_thread_mutex_t *lock;
    apr_uint32_t clock;
    entry *ways[WAYS];
} set;

struct na_token_cache {
    unsigned set_count; /* a power of two */
    set *sets;
};

static void release(entry *e)
{
    if (apr_atomic_dec32(&e->references))
        return;
    na_wipe(e, e->size);
    free(e);
}

static entry *entry_of(const na_session *session)
{
    return (entry *)((char *)session - offsetof(entry, session));
}

void na_token_cache_release(const na_session *session)
{
    release(entry_of(session));
}

static apr_status_t empty(void *data)
{
    na_token_cache *cache = data;
    for (unsigned i = 0; i < cache->set_count; i++)
        for (int way = 0; way < WAYS; way++)
            if (cache->sets[i].ways[way])
                release(cache->sets[i].ways[way]);
    return APR_SUCCESS;
}

na_error *na_token_cache_make(apr_pool_t *pool, int capacity, na_token_cache **made)
{
    na_token_cache *cache = apr_pcalloc(pool, sizeof *cache);
    cache->set_count = 1;
    while ((int)cache->set_count * WAYS < capacity)
        cache->set_count *= 2;
    cache->sets = apr_pcalloc(pool, cache->set_count * sizeof *cache->sets);
    for (unsigned i = 0; i < cache->set_count; i++)
        if (apr_thread_mutex_create(&cache->sets[i].lock, APR_THREAD_MUTEX_DEFAULT, pool) !=
            APR_SUCCESS)
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "could not create the token cache mutex");
    /* runs before the clean-ups of the mutexes, which were registered earlier */
    apr_pool_cleanup_register(pool, cache, empty, apr_pool_cleanup_null);
    *made = cache;
    return NULL;
}

/*
 * The end of a token is its authentication tag. Only authentic tokens are stored, so their tags are
 * practically random, and a client cannot fill one set on purpose.
 */
static apr_uint64_t tail_of(na_bytes token)
{
    apr_uint64_t tail = 0;
    apr_size_t len = token.len < sizeof tail ? token.len : sizeof tail;
    memcpy(&tail, token.data + token.len - len, len);
    return tail;
}

/* The upper half of the product depends on all bits (multiplicative hashing). */
static set *set_of(const na_token_cache *cache, apr_uint64_t tail)
{
    return &cache->sets[(tail * APR_UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (cache->set_count - 1)];
}

static int is_entry(const entry *e, const void *owner, apr_uint64_t tail, na_bytes token)
{
    return e && e->tail == tail && e->owner == owner && e->token.len == token.len &&
           memcmp(e->token.data, token.data, token.len) == 0;
}

static entry *find_entry(set *s, const void *owner, apr_uint64_t tail, na_bytes token,
                         apr_time_t now)
{
    for (int way = 0; way < WAYS; way++) {
        entry *e = s->ways[way];
        if (!is_entry(e, owner, tail, token))
            continue;
        if (na_session_expired(&e->session, now)) {
            s->ways[way] = NULL;
            release(e);
            return NULL;
        }
        e->used = ++s->clock;
        apr_atomic_inc32(&e->references);
        return e;
    }
    return NULL;
}

const na_session *na_token_cache_get(na_token_cache *cache, const void *owner, na_bytes token,
                                     apr_time_t now)
{
    apr_uint64_t tail = tail_of(token);
    set *s = set_of(cache, tail);
    apr_thread_mutex_lock(s->lock);
    entry *e = find_entry(s, owner, tail, token, now);
    apr_thread_mutex_unlock(s->lock);
    return e ? &e->session : NULL;
}

/*
 * Most strings of a session are parts of session->strings, which is copied as one, so that their
 * copies have the same distance from its start. The others are copied one by one. The names of
 * identities are the configuration's and need no copy.
 */
static int is_part(const na_session *session, const char *text)
{
    return (uintptr_t)text - (uintptr_t)session->strings.data < session->strings.len;
}

static apr_size_t text_size(const na_session *session, const char *text)
{
    return text && !is_part(session, text) ? strlen(text) + 1 : 0;
}

static apr_size_t strings_size(const na_session *session)
{
    apr_size_t size = session->strings.len + text_size(session, session->user) +
                      text_size(session, session->email) + text_size(session, session->binding) +
                      text_size(session, session->claims_json);
    for (int i = 0; i < session->claim_count; i++)
        size += text_size(session, session->claims[i].name) +
                text_size(session, session->claims[i].value);
    for (int i = 0; i < session->identity_count; i++)
        size += text_size(session, session->identities[i].value);
    return size;
}

/* A copy under way. */
typedef struct copy {
    const na_session *from;
    const char *strings; /* the copy of from->strings */
    char *end;           /* of what is copied so far */
} copy;

static void *copy_bytes(copy *c, const void *data, apr_size_t len)
{
    void *start = c->end;
    if (len)
        memcpy(start, data, len);
    c->end += len;
    return start;
}

static inline const char *copy_text(copy *c, const char *text)
{
    if (!text)
        return NULL;
    return is_part(c->from, text) ? c->strings + (text - (const char *)c->from->strings.data)
                                  : copy_bytes(c, text, strlen(text) + 1);
}

static void copy_session(entry *e, const na_session *from)
{
    na_claim *claims = (na_claim *)(e + 1);
    na_identity *identities = (na_identity *)(claims + from->claim_count);
    na_session *session = &e->session;
    copy c = {.from = from, .end = (char *)(identities + from->identity_count)};
    *session = *from;
    c.strings = copy_bytes(&c, from->strings.data, from->strings.len);
    session->strings.data = (const unsigned char *)c.strings;
    session->user = copy_text(&c, from->user);
    session->email = copy_text(&c, from->email);
    session->binding = copy_text(&c, from->binding);
    session->claims_json = copy_text(&c, from->claims_json);
    for (int i = 0; i < from->claim_count; i++)
        claims[i] = (na_claim){copy_text(&c, from->claims[i].name),
                               copy_text(&c, from->claims[i].value), from->claims[i].is_element};
    for (int i = 0; i < from->identity_count; i++)
        identities[i] = (na_identity){from->identities[i].env, from->identities[i].header,
                                      copy_text(&c, from->identities[i].value)};
    session->claims = claims;
    session->identities = identities;
    e->token.data = copy_bytes(&c, e->token.data, e->token.len);
}

static entry *make_entry(const void *owner, na_bytes token, const na_session *session)
{
    apr_size_t size = sizeof(entry) + (apr_size_t)session->claim_count * sizeof(na_claim) +
                      (apr_size_t)session->identity_count * sizeof(na_identity) +
                      strings_size(session) + token.len;
    entry *e = malloc(size);
    if (!e)
        return NULL;
    e->references = 2; /* one for the cache and one for the caller */
    e->owner = owner;
    e->token = token;
    e->tail = tail_of(token);
    e->size = size;
    copy_session(e, session);
    return e;
}

/* Uses of the set since the last one of a way; an empty one is older than all. */
static apr_uint32_t age_of(const set *s, int way)
{
    return s->ways[way] ? s->clock - s->ways[way]->used : APR_UINT32_MAX;
}

/*
 * Returns the index for a new entry: of an older one of the same token, or the one that was least
 * recently used.
 */
static int victim(const set *s, const entry *e)
{
    int oldest = 0;
    for (int way = 0; way < WAYS; way++) {
        if (is_entry(s->ways[way], e->owner, e->tail, e->token))
            return way;
        if (age_of(s, way) > age_of(s, oldest))
            oldest = way;
    }
    return oldest;
}

const na_session *na_token_cache_put(na_token_cache *cache, const void *owner, na_bytes token,
                                     const na_session *session)
{
    entry *e = make_entry(owner, token, session);
    if (!e)
        return NULL;
    set *s = set_of(cache, e->tail);
    apr_thread_mutex_lock(s->lock);
    int way = victim(s, e);
    entry *evicted = s->ways[way];
    e->used = ++s->clock;
    s->ways[way] = e;
    apr_thread_mutex_unlock(s->lock);
    if (evicted)
        release(evicted);
    return &e->session;
}
