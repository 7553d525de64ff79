/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of providers (discovery, key sets), fetched and kept. */
#include "oauth/documents.h"

#include <string.h>

#include <apr_atomic.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "base/clock.h"
#include "base/pools.h"

#define VALID_FOR apr_time_from_sec(24 * 3600)
#define PAUSE_MIN apr_time_from_sec(2)
#define PAUSE_MAX apr_time_from_sec(30)

/* Renewals: this many at once, then one after each interval. */
#define RENEWALS 5
#define RENEWAL_INTERVAL apr_time_from_sec(12)

/* A document that was not used for so long is not refreshed. */
#define USED_WITHIN VALID_FOR

/* A document counts as used again after this time. */
#define USE_INTERVAL apr_time_from_sec(60)

/* nanoseconds; a thread that refreshes documents and is silent for longer has ended */
#define SILENCE_MAX (60 * APR_INT64_C(1000000000))

/* A parsed document, in a pool without parent, destroyed with its last holder. */
typedef struct copy {
    apr_pool_t *pool;
    const void *parsed;
    apr_time_t fetched;
    apr_uint32_t version; /* of the shared text that it was parsed from */
    volatile apr_uint32_t holders;
} copy;

/* A document in a pool of its own, which ends when another one takes its place. */
typedef struct document {
    apr_pool_t *pool;
    const char *name; /* its key in `all` */
    copy *valid;      /* the newest of this process; NULL if there was none yet */
    na_shared_document *shared;
    unsigned char key[NA_SHA256_LEN];
    apr_uint64_t used; /* number of the last lookup */
    int users;         /* threads that use it outside of the lock, too */
} document;

struct na_documents {
    apr_pool_t *pool;
    apr_thread_mutex_t *lock;  /* of this process's copies; always taken first */
    apr_global_mutex_t *mutex; /* of the shared texts; NULL if no other process has them */
    na_shared_documents *shared;
    apr_hash_t *all; /* document *, NA_DOCUMENTS at most unless so many are being fetched */
    apr_uint64_t lookups;
};

/* ── copies ────────────────────────────────────────────────────────────────────────────────── */

static apr_status_t let_go(void *held)
{
    copy *released = held;
    if (!apr_atomic_dec32(&released->holders))
        apr_pool_destroy(released->pool);
    return APR_SUCCESS;
}

/* Requires the lock, so that the copy has a holder meanwhile. */
static void hold(copy *held, apr_pool_t *pool, const void **parsed)
{
    apr_atomic_inc32(&held->holders);
    apr_pool_cleanup_register(pool, held, let_go, apr_pool_cleanup_null);
    *parsed = held->parsed;
}

static na_error *parse(apr_pool_t *pool, const na_document_source *source, na_bytes text,
                       apr_time_t fetched, copy **parsed)
{
    apr_pool_t *own;
    if (apr_pool_create_unmanaged_ex(&own, NULL, NULL) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_BUSY, "out of memory");
    copy *made = apr_palloc(own, sizeof *made);
    *made = (copy){.pool = own, .fetched = fetched, .holders = 1};
    na_error *error = source->read(source->data, own, text, &made->parsed);
    if (error) {
        const char *hint = na_error_hint(error);
        error =
            na_error_with_hint(na_error_new(pool, error->code, "%s", na_error_reason(pool, error)),
                               hint ? apr_pstrdup(pool, hint) : NULL);
        apr_pool_destroy(own);
        return error;
    }
    *parsed = made;
    return NULL;
}

static na_error *fetch_document(na_http *http, apr_pool_t *pool, const na_document_source *source,
                                na_bytes *text)
{
    na_http_response response;
    NA_TRY(na_http_fetch(http, pool, source->request, &response));
    if (response.status != 200)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "%s returned status %ld",
                            source->request->url, response.status);
    *text = response.body;
    return NULL;
}

/* ── documents ─────────────────────────────────────────────────────────────────────────────── */

static void replace(document *d, copy *newer)
{
    if (d->valid)
        let_go(d->valid);
    d->valid = newer;
}

static apr_status_t let_copy_go(void *kept)
{
    replace(kept, NULL);
    return APR_SUCCESS;
}

static void lock(na_documents *documents)
{
    apr_thread_mutex_lock(documents->lock);
    if (documents->mutex)
        apr_global_mutex_lock(documents->mutex);
}

static void unlock(na_documents *documents)
{
    if (documents->mutex)
        apr_global_mutex_unlock(documents->mutex);
    apr_thread_mutex_unlock(documents->lock);
}

na_error *na_documents_make(apr_pool_t *pool, na_shared_documents *shared,
                            apr_global_mutex_t *mutex, na_documents **made)
{
    na_documents *documents = apr_pcalloc(pool, sizeof *documents);
    NA_TRY(na_pool_create_apart(pool, &documents->pool));
    documents->all = apr_hash_make(documents->pool);
    documents->shared = shared ? shared : apr_pcalloc(documents->pool, sizeof *shared);
    documents->mutex = mutex;
    if (apr_thread_mutex_create(&documents->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not create the mutex of provider documents");
    *made = documents;
    return NULL;
}

static const char *name_of(apr_pool_t *pool, const na_document_source *source)
{
    return apr_pstrcat(pool, source->request->url, " ", source->as, NULL);
}

/* Requires this process's lock. */
static void forget_least_used(na_documents *documents)
{
    document *least = NULL;
    void *each;
    for (apr_hash_index_t *i = apr_hash_first(NULL, documents->all); i; i = apr_hash_next(i)) {
        apr_hash_this(i, NULL, NULL, &each);
        document *d = each;
        if (!d->users && (!least || d->used < least->used))
            least = d;
    }
    if (!least)
        return;
    apr_hash_set(documents->all, least->name, APR_HASH_KEY_STRING, NULL);
    apr_pool_destroy(least->pool);
}

static document *make_document(na_documents *documents, const char *name)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, documents->pool);
    document *d = apr_pcalloc(pool, sizeof *d);
    d->pool = pool;
    d->name = apr_pstrdup(pool, name);
    na_sha256(d->key, na_bytes_of(name), (na_bytes){0});
    d->shared = documents->shared->all;
    apr_pool_cleanup_register(pool, d, let_copy_go, apr_pool_cleanup_null);
    apr_hash_set(documents->all, d->name, APR_HASH_KEY_STRING, d);
    return d;
}

/*
 * Returns the document, which stays until it is given back. Requires this process's lock only. Key
 * sets have the URLs that discovery documents name, and tenants can be many: so that a process does
 * not grow, the least recently used document makes room.
 */
static document *take(na_documents *documents, apr_pool_t *pool, const na_document_source *source)
{
    const char *name = name_of(pool, source);
    document *d = apr_hash_get(documents->all, name, APR_HASH_KEY_STRING);
    if (!d && apr_hash_count(documents->all) >= NA_DOCUMENTS)
        forget_least_used(documents);
    if (!d)
        d = make_document(documents, name);
    d->used = ++documents->lookups;
    d->users++;
    return d;
}

/* Requires the lock. */
static void give_back(document *d)
{
    d->users--;
}

static int is_younger(const document *d, apr_time_t now, apr_interval_time_t age)
{
    return d->valid && now < d->valid->fetched + age;
}

/*
 * Finds the shared document, and parses its text if this process has another one. Requires the
 * lock, with which all processes wait for it: a process does so once for each text. A text that is
 * not valid any more, as of a signed key set that has expired, is dropped and will be fetched
 * again.
 */
static void load(na_documents *documents, document *d, apr_pool_t *pool,
                 const na_document_source *source, apr_time_t now)
{
    copy *newer;
    na_shared_document *shared = na_shared_document_take(documents->shared, d->key, now);
    d->shared = shared;
    shared->used = now;
    if (!shared->len || (d->valid && d->valid->version == shared->version))
        return;
    if (parse(pool, source, (na_bytes){shared->text, shared->len}, shared->fetched, &newer)) {
        shared->len = 0;
        return;
    }
    newer->version = shared->version;
    replace(d, newer);
}

/* A call that was not made is not a failure of the document. */
static void note_failure(na_shared_document *shared, apr_pool_t *pool, apr_time_t now,
                         const na_error *error)
{
    if (na_is_unavailable(error)) {
        shared->ask_at = 0;
        return;
    }
    shared->pause = shared->pause ? 2 * shared->pause : PAUSE_MIN;
    if (shared->pause > PAUSE_MAX)
        shared->pause = PAUSE_MAX;
    shared->ask_at = now + shared->pause;
    shared->code = error->code;
    apr_cpystrn(shared->failure, na_error_text(pool, error), sizeof shared->failure);
}

static apr_uint32_t lease(na_documents *documents, document *d, const na_http *http)
{
    return na_shared_document_lease(documents->shared, d->shared, na_http_longest_ms(http));
}

/*
 * Fetches the document, under a lease, holds the result, and gives the document back. The lock must
 * not be held.
 */
static na_error *ask_provider(na_documents *documents, document *d, apr_uint32_t number,
                              na_http *http, apr_pool_t *pool, const na_document_source *source,
                              apr_time_t now, const void **parsed)
{
    copy *newer;
    na_bytes text;
    na_error *error = fetch_document(http, pool, source, &text);
    if (!error)
        error = parse(pool, source, text, now, &newer);
    lock(documents);
    na_shared_document *shared = na_shared_document_take(documents->shared, d->key, now);
    if (shared->lease == number)
        shared->lease = 0;
    if (error) {
        note_failure(shared, pool, now, error);
    } else {
        newer->version = na_shared_document_keep(documents->shared, shared, text, now);
        replace(d, newer);
        hold(newer, pool, parsed);
    }
    give_back(d);
    unlock(documents);
    return error;
}

/* Returns 1 if the pause is over, even if the clock was set back. */
static int may_ask(const na_shared_document *shared, apr_time_t now)
{
    return now >= shared->ask_at || shared->ask_at - now > PAUSE_MAX;
}

static na_error *failure_of(const na_shared_document *shared, apr_pool_t *pool, apr_time_t now)
{
    return na_error_new(pool, shared->code, "%s (will be retried in %d s)", shared->failure,
                        (int)apr_time_sec(shared->ask_at - now + APR_USEC_PER_SEC - 1));
}

/*
 * Waits until no other thread or process fetches the document. The lock must be held. The wait
 * takes a place among the calls to the provider, which must not use up all threads if it hangs.
 */
static na_error *wait_for_other(na_documents *documents, document *d, const na_http *http,
                                apr_pool_t *pool, const na_document_source *source, apr_time_t now)
{
    const na_http_request *request = source->request;
    const na_shared_document *shared = d->shared;
    apr_uint32_t number = shared->lease;
    apr_int64_t ends = shared->lease_ends;
    na_call_place *own = NULL;
    unlock(documents);
    na_error *error = request->place ? NULL : na_http_enter(http, pool, &own);
    if (!error)
        error = na_http_await(http, pool, own ? own : request->place, request->url);
    if (!error)
        na_shared_document_await(shared, number, ends);
    na_http_leave(own);
    lock(documents);
    if (!error)
        load(documents, d, pool, source, now);
    return error;
}

/* Returns 1 if a thread that refreshes documents goes on asking a provider that failed. */
static int is_left_to_renewer(const na_documents *documents, const document *d)
{
    return d->valid && d->shared->pause && documents->shared->renewer &&
           na_monotonic_ns() - documents->shared->renewer < SILENCE_MAX;
}

/*
 * Holds the copy, if there is one, and sets *number if this thread has to fetch the document, which
 * is then leased. The lock must be held.
 */
static na_error *look_up(na_documents *documents, document *d, const na_http *http,
                         apr_pool_t *pool, const na_document_source *source, apr_time_t now,
                         const void **parsed, apr_uint32_t *number)
{
    load(documents, d, pool, source, now);
    while (na_shared_document_is_leased(d->shared) && !is_younger(d, now, VALID_FOR))
        NA_TRY(wait_for_other(documents, d, http, pool, source, now));
    if (is_younger(d, now, VALID_FOR))
        hold(d->valid, pool, parsed);
    if (!is_younger(d, now, source->fresh_for) && !na_shared_document_is_leased(d->shared) &&
        may_ask(d->shared, now) && !(*parsed && is_left_to_renewer(documents, d)))
        *number = lease(documents, d, http);
    return *parsed || *number ? NULL : failure_of(d->shared, pool, now);
}

/* Returns 1 if the copy is fresh and no process has a newer one: most lookups end here. */
static int is_current(document *d, const na_document_source *source, apr_time_t now)
{
    if (!is_younger(d, now, source->fresh_for) || d->shared->version != d->valid->version)
        return 0;
    if (now > d->shared->used + USE_INTERVAL)
        d->shared->used = now;
    return 1;
}

na_error *na_documents_get(na_documents *documents, na_http *http, apr_pool_t *pool,
                           const na_document_source *source, apr_time_t now, const void **parsed,
                           na_error **kept_from)
{
    apr_uint32_t number = 0;
    *parsed = NULL;
    *kept_from = NULL;
    apr_thread_mutex_lock(documents->lock);
    document *d = take(documents, pool, source);
    if (is_current(d, source, now)) {
        hold(d->valid, pool, parsed);
        give_back(d);
    }
    apr_thread_mutex_unlock(documents->lock);
    if (*parsed)
        return NULL;
    lock(documents);
    na_error *error = look_up(documents, d, http, pool, source, now, parsed, &number);
    if (!number)
        give_back(d);
    unlock(documents);
    if (!number)
        return error;
    error = ask_provider(documents, d, number, http, pool, source, now, parsed);
    if (!*parsed)
        return error;
    *kept_from = error;
    return NULL;
}

static int may_renew(na_shared_document *shared, apr_time_t now)
{
    apr_time_t until = shared->renewed_until > now ? shared->renewed_until : now;
    if (!may_ask(shared, now) || until + RENEWAL_INTERVAL > now + RENEWALS * RENEWAL_INTERVAL)
        return 0;
    shared->renewed_until = until + RENEWAL_INTERVAL;
    return 1;
}

/* Holds a newer copy, if there is one, or leases the document. The lock must be held. */
static na_error *look_for_newer(na_documents *documents, document *d, const na_http *http,
                                apr_pool_t *pool, const na_document_source *source, apr_time_t now,
                                const void **parsed, apr_uint32_t *number)
{
    load(documents, d, pool, source, now);
    if (na_shared_document_is_leased(d->shared))
        NA_TRY(wait_for_other(documents, d, http, pool, source, now));
    int is_newer = d->valid && d->valid->parsed != *parsed;
    if (is_newer)
        hold(d->valid, pool, parsed);
    else if (may_renew(d->shared, now))
        *number = lease(documents, d, http);
    return NULL;
}

void na_documents_renew(na_documents *documents, na_http *http, apr_pool_t *pool,
                        const na_document_source *source, apr_time_t now, const void **parsed,
                        na_error **kept_from)
{
    apr_uint32_t number = 0;
    lock(documents);
    document *d = take(documents, pool, source);
    *kept_from = look_for_newer(documents, d, http, pool, source, now, parsed, &number);
    if (!number)
        give_back(d);
    unlock(documents);
    if (number)
        *kept_from = ask_provider(documents, d, number, http, pool, source, now, parsed);
}

/* Leases the document if it is used, and three quarters of its time are over. */
static na_error *look_for_old(na_documents *documents, document *d, const na_http *http,
                              apr_pool_t *pool, const na_document_source *source, apr_time_t now,
                              const void **parsed, apr_uint32_t *number)
{
    apr_time_t used = d->shared->used;
    load(documents, d, pool, source, now);
    d->shared->used = used;
    if (is_younger(d, now, VALID_FOR))
        hold(d->valid, pool, parsed);
    if (*parsed && !is_younger(d, now, source->fresh_for / 4 * 3) && now < used + USED_WITHIN &&
        !na_shared_document_is_leased(d->shared) && may_ask(d->shared, now))
        *number = lease(documents, d, http);
    return NULL;
}

/* Most providers of a site with many tenants are not in use: they need no place. NULL if so. */
static document *take_known(na_documents *documents, apr_pool_t *pool,
                            const na_document_source *source)
{
    unsigned char key[NA_SHA256_LEN];
    na_sha256(key, na_bytes_of(name_of(pool, source)), (na_bytes){0});
    na_shared_document *shared = na_shared_document_find(documents->shared, key);
    if (!shared)
        return NULL;
    document *d = take(documents, pool, source);
    d->shared = shared;
    return d;
}

void na_documents_refresh(na_documents *documents, na_http *http, apr_pool_t *pool,
                          const na_document_source *source, apr_time_t now, const void **parsed,
                          na_error **kept_from)
{
    apr_uint32_t number = 0;
    *parsed = NULL;
    *kept_from = NULL;
    lock(documents);
    documents->shared->renewer = na_monotonic_ns();
    document *d = take_known(documents, pool, source);
    if (d)
        *kept_from = look_for_old(documents, d, http, pool, source, now, parsed, &number);
    if (d && !number)
        give_back(d);
    unlock(documents);
    if (number)
        *kept_from = ask_provider(documents, d, number, http, pool, source, now, parsed);
}
