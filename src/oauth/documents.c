/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/documents.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

/* One document in a pool of its own, so that a newer one replaces it whole. */
typedef struct document {
    apr_pool_t *pool;
    na_bytes text;
    apr_time_t fetched;
} document;

struct na_documents {
    apr_pool_t *pool;
    apr_thread_mutex_t *lock;
    apr_hash_t *by_url; /* as many as the configuration names addresses */
};

na_error *na_documents_make(apr_pool_t *pool, na_documents **made)
{
    na_documents *documents = apr_pcalloc(pool, sizeof *documents);
    documents->pool = pool;
    documents->by_url = apr_hash_make(pool);
    if (apr_thread_mutex_create(&documents->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_CONFIGURATION, "no mutex for the provider documents");
    *made = documents;
    return NULL;
}

static int find(na_documents *documents, apr_pool_t *pool, const char *url, apr_time_t oldest,
                na_bytes *text)
{
    apr_thread_mutex_lock(documents->lock);
    const document *found = apr_hash_get(documents->by_url, url, APR_HASH_KEY_STRING);
    int fresh = found && found->fetched >= oldest;
    if (fresh) {
        const char *start = (const char *)found->text.data;
        text->data = (unsigned char *)apr_pstrmemdup(pool, start, found->text.len);
        text->len = found->text.len;
    }
    apr_thread_mutex_unlock(documents->lock);
    return fresh;
}

static void keep(na_documents *documents, const char *url, na_bytes text, apr_time_t now)
{
    apr_thread_mutex_lock(documents->lock);
    document *kept = apr_hash_get(documents->by_url, url, APR_HASH_KEY_STRING);
    if (!kept) {
        kept = apr_pcalloc(documents->pool, sizeof *kept);
        apr_pool_create(&kept->pool, documents->pool);
        apr_hash_set(documents->by_url, apr_pstrdup(documents->pool, url), APR_HASH_KEY_STRING,
                     kept);
    }
    apr_pool_clear(kept->pool);
    kept->text.data =
        (unsigned char *)apr_pstrmemdup(kept->pool, (const char *)text.data, text.len);
    kept->text.len = text.len;
    kept->fetched = now;
    apr_thread_mutex_unlock(documents->lock);
}

na_error *na_documents_get(na_documents *documents, na_http *http, apr_pool_t *pool,
                           const na_http_request *request, apr_time_t now,
                           apr_interval_time_t max_age, na_bytes *text)
{
    na_http_response response;
    if (find(documents, pool, request->url, now - max_age, text))
        return NULL;
    NA_TRY(na_http_fetch(http, pool, request, &response));
    if (response.status != 200)
        return na_error_new(pool, NA_OAUTH_CALLBACK, "%s answers %ld", request->url,
                            response.status);
    keep(documents, request->url, response.body, now);
    *text = response.body;
    return NULL;
}
