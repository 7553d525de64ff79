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
#define PASSED 4 /* tokens of a set that are remembered without their sessions */
#define LOCKS 64 /* a power of two; each guards every 64th set */

/* One block of memory: this header, the session's arrays, then its strings and the token. */
typedef struct entry {
    apr_uint32_t references;
    apr_uint64_t owner;
    na_bytes token;
    apr_size_t size; /* of the block */
    na_session session;
} entry;

/*
 * A search compares members of the set, and reads only the entry that it finds: entries are
 * scattered in memory.
 */
typedef struct set {
    apr_uint32_t clock;
    apr_uint32_t used[WAYS];  /* the clock at the last use */
    apr_uint64_t tails[WAYS]; /* of the tokens: what two of them nearly always differ in */
    entry *entries[WAYS];     /* NULL if free */
    apr_uint32_t passed_count;
    apr_uint64_t passed[PASSED]; /* tails of the last tokens that were not stored */
} set;

struct na_token_cache {
    apr_thread_mutex_t *locks[LOCKS];
    unsigned set_count; /* a power of two */
    set *sets;
};

/* Gives a reference back. Returns 1 if it was the last one: the entry is wiped, except its size. */
static int let_go(entry *e)
{
    apr_size_t size = e->size;
    if (apr_atomic_dec32(&e->references))
        return 0;
    na_wipe(e, size);
    e->size = size;
    return 1;
}

static void release(entry *e)
{
    if (let_go(e))
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
            if (cache->sets[i].entries[way])
                release(cache->sets[i].entries[way]);
    return APR_SUCCESS;
}

na_error *na_token_cache_make(apr_pool_t *pool, int capacity, na_token_cache **made)
{
    na_token_cache *cache = apr_pcalloc(pool, sizeof *cache);
    cache->set_count = 1;
    while ((int)cache->set_count * WAYS < capacity)
        cache->set_count *= 2;
    cache->sets = apr_pcalloc(pool, cache->set_count * sizeof *cache->sets);
    for (int i = 0; i < LOCKS; i++)
        if (apr_thread_mutex_create(&cache->locks[i], APR_THREAD_MUTEX_DEFAULT, pool) !=
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

/* Where a token is, or is to be. */
typedef struct place {
    set *set;
    apr_thread_mutex_t *lock;
    apr_uint64_t owner;
    na_bytes token;
    apr_uint64_t tail;
} place;

/* The upper half of the product depends on all bits (multiplicative hashing). */
static place place_of(na_token_cache *cache, apr_uint64_t owner, na_bytes token)
{
    apr_uint64_t tail = tail_of(token);
    unsigned i = (unsigned)((tail * APR_UINT64_C(0x9e3779b97f4a7c15)) >> 32);
    i &= cache->set_count - 1;
    return (place){&cache->sets[i], cache->locks[i & (LOCKS - 1)], owner, token, tail};
}

static int has_token(const place *p, int way)
{
    const entry *e = p->set->entries[way];
    return p->set->tails[way] == p->tail && e && e->owner == p->owner &&
           e->token.len == p->token.len && memcmp(e->token.data, p->token.data, p->token.len) == 0;
}

static entry *find_entry(const place *p, apr_time_t now)
{
    set *s = p->set;
    for (int way = 0; way < WAYS; way++) {
        if (!has_token(p, way))
            continue;
        entry *e = s->entries[way];
        if (na_session_expired(&e->session, now)) {
            s->entries[way] = NULL;
            release(e);
            return NULL;
        }
        s->used[way] = ++s->clock;
        apr_atomic_inc32(&e->references);
        return e;
    }
    return NULL;
}

const na_session *na_token_cache_get(na_token_cache *cache, apr_uint64_t owner, na_bytes token,
                                     apr_time_t now)
{
    place p = place_of(cache, owner, token);
    apr_thread_mutex_lock(p.lock);
    entry *e = find_entry(&p, now);
    apr_thread_mutex_unlock(p.lock);
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

static apr_size_t entry_size(na_bytes token, const na_session *session)
{
    return sizeof(entry) + (apr_size_t)session->claim_count * sizeof(na_claim) +
           (apr_size_t)session->identity_count * sizeof(na_identity) + strings_size(session) +
           token.len;
}

static entry *allocate_entry(apr_size_t size)
{
    entry *e = malloc(size);
    if (e)
        e->size = size;
    return e;
}

/*
 * Returns memory for an entry; NULL if there is none. If the cache is full, it is mostly that of
 * the evicted entry: malloc and free of memory that another thread allocated take about as long as
 * decrypting a token. `evicted` is NULL if there is none, and released otherwise.
 */
static entry *entry_memory(apr_size_t size, entry *evicted)
{
    if (!evicted || !let_go(evicted))
        return allocate_entry(size);
    if (evicted->size >= size && evicted->size / 2 <= size)
        return evicted;
    free(evicted);
    return allocate_entry(size);
}

static void fill_entry(entry *e, const place *p, const na_session *session)
{
    e->references = 2; /* one for the cache and one for the caller */
    e->owner = p->owner;
    e->token = p->token;
    copy_session(e, session);
}

static int has_room(const set *s)
{
    for (int way = 0; way < WAYS; way++)
        if (!s->entries[way])
            return 1;
    return 0;
}

/* Returns 1 if the token was shown not long ago; otherwise remembers that it was. */
static int was_shown(set *s, apr_uint64_t tail)
{
    for (int i = 0; i < PASSED; i++)
        if (s->passed[i] == tail)
            return 1;
    s->passed[s->passed_count++ % PASSED] = tail;
    return 0;
}

int na_token_cache_wants(na_token_cache *cache, apr_uint64_t owner, na_bytes token)
{
    place p = place_of(cache, owner, token);
    apr_thread_mutex_lock(p.lock);
    int accepts = has_room(p.set) || was_shown(p.set, p.tail);
    apr_thread_mutex_unlock(p.lock);
    return accepts;
}

/* Uses of the set since the last one of a way; a free one is older than all. */
static apr_uint32_t age_of(const set *s, int way)
{
    return s->entries[way] ? s->clock - s->used[way] : APR_UINT32_MAX;
}

/*
 * Returns the index for a new entry: of an older one of the same token, or the one that was least
 * recently used.
 */
static int victim(const place *p)
{
    int oldest = 0;
    for (int way = 0; way < WAYS; way++) {
        if (has_token(p, way))
            return way;
        if (age_of(p->set, way) > age_of(p->set, oldest))
            oldest = way;
    }
    return oldest;
}

/* Puts an entry in the victim's place; without one, makes room for it. Returns the victim. */
static entry *replace_victim(const place *p, entry *e)
{
    set *s = p->set;
    apr_thread_mutex_lock(p->lock);
    int way = victim(p);
    entry *evicted = s->entries[way];
    s->entries[way] = e;
    s->tails[way] = p->tail;
    s->used[way] = ++s->clock;
    apr_thread_mutex_unlock(p->lock);
    return evicted;
}

const na_session *na_token_cache_put(na_token_cache *cache, apr_uint64_t owner, na_bytes token,
                                     const na_session *session)
{
    place p = place_of(cache, owner, token);
    entry *e = entry_memory(entry_size(token, session), replace_victim(&p, NULL));
    if (!e)
        return NULL;
    fill_entry(e, &p, session);
    entry *evicted = replace_victim(&p, e);
    if (evicted) /* by another thread, at the same time */
        release(evicted);
    return &e->session;
}
