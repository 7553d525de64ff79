/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of providers (discovery, key sets), fetched and kept. */
#include "oauth/documents.h"

#include <apr_atomic.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "base/pools.h"

#define FRESH_FOR apr_time_from_sec(3600)
#define VALID_FOR apr_time_from_sec(24 * 3600)
#define PAUSE_MIN apr_time_from_sec(2)
#define PAUSE_MAX apr_time_from_sec(30)

/* Renewals: this many at once, then one after each interval. */
#define RENEWALS 5
#define RENEWAL_INTERVAL apr_time_from_sec(12)

/* A parsed document, in a pool without parent, destroyed with its last holder. */
typedef struct copy {
    apr_pool_t *pool;
    const void *parsed;
    apr_time_t fetched;
    volatile apr_uint32_t holders;
} copy;

typedef struct document {
    copy *valid; /* the newest; NULL if there was none yet */
    apr_time_t ask_at;
    apr_interval_time_t pause; /* the last one; 0 after a valid answer */
    apr_time_t renewed_until;  /* when the renewals that were made are all forgotten */
    int is_fetched;            /* by a thread, at the moment */
    const char *code;          /* of the last error */
    char failure[256];         /* its text */
} document;

struct na_documents {
    apr_pool_t *pool;
    apr_thread_mutex_t *lock;
    apr_thread_cond_t *fetched; /* a thread has fetched a document, or failed to */
    apr_hash_t *all;            /* document *, as many as the configuration names URLs */
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

static na_error *fetch_document(na_http *http, apr_pool_t *pool, const na_document_source *source,
                                apr_time_t now, copy **fetched)
{
    na_http_response response;
    apr_pool_t *own;
    NA_TRY(na_http_fetch(http, pool, source->request, &response));
    if (response.status != 200)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "%s returned status %ld",
                            source->request->url, response.status);
    if (apr_pool_create_unmanaged_ex(&own, NULL, NULL) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_BUSY, "out of memory");
    copy *made = apr_palloc(own, sizeof *made);
    *made = (copy){.pool = own, .fetched = now, .holders = 1};
    na_error *error = source->read(source->data, own, response.body, &made->parsed);
    if (error) {
        error = na_error_new(pool, error->code, "%s", na_error_reason(pool, error));
        apr_pool_destroy(own);
        return error;
    }
    *fetched = made;
    return NULL;
}

/* ── documents ─────────────────────────────────────────────────────────────────────────────── */

static apr_status_t let_all_go(void *kept)
{
    const na_documents *documents = kept;
    void *each;
    for (apr_hash_index_t *i = apr_hash_first(NULL, documents->all); i; i = apr_hash_next(i)) {
        apr_hash_this(i, NULL, NULL, &each);
        if (((document *)each)->valid)
            let_go(((document *)each)->valid);
    }
    return APR_SUCCESS;
}

na_error *na_documents_make(apr_pool_t *pool, na_documents **made)
{
    na_documents *documents = apr_pcalloc(pool, sizeof *documents);
    NA_TRY(na_pool_create_apart(pool, &documents->pool));
    documents->all = apr_hash_make(documents->pool);
    if (apr_thread_mutex_create(&documents->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&documents->fetched, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not create the mutex of provider documents");
    apr_pool_cleanup_register(documents->pool, documents, let_all_go, apr_pool_cleanup_null);
    *made = documents;
    return NULL;
}

static document *find_document(na_documents *documents, apr_pool_t *pool,
                               const na_document_source *source)
{
    const char *key = apr_pstrcat(pool, source->request->url, " ", source->as, NULL);
    document *found = apr_hash_get(documents->all, key, APR_HASH_KEY_STRING);
    if (!found) {
        found = apr_pcalloc(documents->pool, sizeof *found);
        apr_hash_set(documents->all, apr_pstrdup(documents->pool, key), APR_HASH_KEY_STRING, found);
    }
    return found;
}

static void replace(document *d, copy *newer)
{
    if (d->valid)
        let_go(d->valid);
    d->valid = newer;
    d->ask_at = 0;
    d->pause = 0;
}

/* A call that was not made is not a failure of the document. */
static void note_failure(document *d, apr_pool_t *pool, apr_time_t now, const na_error *error)
{
    if (na_is_unavailable(error)) {
        d->ask_at = 0;
        return;
    }
    d->pause = d->pause ? 2 * d->pause : PAUSE_MIN;
    if (d->pause > PAUSE_MAX)
        d->pause = PAUSE_MAX;
    d->ask_at = now + d->pause;
    d->code = error->code;
    apr_cpystrn(d->failure, na_error_text(pool, error), sizeof d->failure);
}

/*
 * Fetches the document, which this thread has marked as fetched, and holds the result. The lock
 * must not be held.
 */
static na_error *ask_provider(na_documents *documents, document *d, na_http *http, apr_pool_t *pool,
                              const na_document_source *source, apr_time_t now, const void **parsed)
{
    copy *newer = NULL;
    na_error *error = fetch_document(http, pool, source, now, &newer);
    apr_thread_mutex_lock(documents->lock);
    d->is_fetched = 0;
    apr_thread_cond_broadcast(documents->fetched);
    if (error) {
        note_failure(d, pool, now, error);
    } else {
        replace(d, newer);
        hold(newer, pool, parsed);
    }
    apr_thread_mutex_unlock(documents->lock);
    return error;
}

/* Returns 1 if the pause is over, even if the clock was set back. */
static int may_ask(const document *d, apr_time_t now)
{
    return now >= d->ask_at || d->ask_at - now > PAUSE_MAX;
}

static na_error *failure_of(const document *d, apr_pool_t *pool, apr_time_t now)
{
    return na_error_new(pool, d->code, "%s (will be retried in %d s)", d->failure,
                        (int)apr_time_sec(d->ask_at - now + APR_USEC_PER_SEC - 1));
}

/*
 * Waits until no other thread fetches the document. The lock must be held. The wait takes a place
 * among the calls to the provider, which must not use up all threads if it hangs.
 */
static na_error *wait_for_other(na_documents *documents, const document *d, const na_http *http,
                                apr_pool_t *pool, const na_document_source *source)
{
    const na_http_request *request = source->request;
    na_call_place *own = NULL;
    if (!request->place)
        NA_TRY(na_http_enter(http, pool, &own));
    na_error *error = na_http_await(http, pool, own ? own : request->place, request->url);
    while (!error && d->is_fetched)
        apr_thread_cond_wait(documents->fetched, documents->lock);
    na_http_leave(own);
    return error;
}

static int is_younger(const document *d, apr_time_t now, apr_interval_time_t age)
{
    return d->valid && now < d->valid->fetched + age;
}

/*
 * Holds the copy, if there is one, and sets *asks to 1 if this thread has to fetch the document.
 * The lock must be held.
 */
static na_error *look_up(na_documents *documents, document *d, const na_http *http,
                         apr_pool_t *pool, const na_document_source *source, apr_time_t now,
                         const void **parsed, int *asks)
{
    if (d->is_fetched && !is_younger(d, now, VALID_FOR))
        NA_TRY(wait_for_other(documents, d, http, pool, source));
    if (is_younger(d, now, VALID_FOR))
        hold(d->valid, pool, parsed);
    *asks = !is_younger(d, now, FRESH_FOR) && !d->is_fetched && may_ask(d, now);
    d->is_fetched |= *asks;
    return *parsed || *asks ? NULL : failure_of(d, pool, now);
}

na_error *na_documents_get(na_documents *documents, na_http *http, apr_pool_t *pool,
                           const na_document_source *source, apr_time_t now, const void **parsed,
                           na_error **kept_from)
{
    int asks = 0;
    *parsed = NULL;
    *kept_from = NULL;
    apr_thread_mutex_lock(documents->lock);
    document *d = find_document(documents, pool, source);
    na_error *error = look_up(documents, d, http, pool, source, now, parsed, &asks);
    apr_thread_mutex_unlock(documents->lock);
    if (!asks)
        return error;
    error = ask_provider(documents, d, http, pool, source, now, parsed);
    if (!*parsed)
        return error;
    *kept_from = error;
    return NULL;
}

static int may_renew(document *d, apr_time_t now)
{
    apr_time_t until = d->renewed_until > now ? d->renewed_until : now;
    if (!may_ask(d, now) || until + RENEWAL_INTERVAL > now + RENEWALS * RENEWAL_INTERVAL)
        return 0;
    d->renewed_until = until + RENEWAL_INTERVAL;
    return 1;
}

/* Holds a newer copy, if there is one, or sets *asks to 1. The lock must be held. */
static na_error *look_for_newer(na_documents *documents, document *d, const na_http *http,
                                apr_pool_t *pool, const na_document_source *source, apr_time_t now,
                                const void **parsed, int *asks)
{
    if (d->is_fetched)
        NA_TRY(wait_for_other(documents, d, http, pool, source));
    int is_newer = d->valid && d->valid->parsed != *parsed;
    if (is_newer)
        hold(d->valid, pool, parsed);
    *asks = !is_newer && may_renew(d, now);
    d->is_fetched |= *asks;
    return NULL;
}

void na_documents_renew(na_documents *documents, na_http *http, apr_pool_t *pool,
                        const na_document_source *source, apr_time_t now, const void **parsed,
                        na_error **kept_from)
{
    int asks = 0;
    apr_thread_mutex_lock(documents->lock);
    document *d = find_document(documents, pool, source);
    *kept_from = look_for_newer(documents, d, http, pool, source, now, parsed, &asks);
    apr_thread_mutex_unlock(documents->lock);
    if (asks)
        *kept_from = ask_provider(documents, d, http, pool, source, now, parsed);
}
