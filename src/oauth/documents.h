/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of providers (discovery, key sets), fetched and kept. */
#ifndef NA_OAUTH_DOCUMENTS_H
#define NA_OAUTH_DOCUMENTS_H

#include <apr_global_mutex.h>

#include "base/http.h"
#include "oauth/shared_documents.h"

/*
 * The discovery documents and key sets of providers: their texts are in memory that all processes
 * share, and each process has copies of its own, parsed and validated. Safe to share between
 * threads; no lock is held while a document is fetched. Of threads and processes that lack the same
 * document, one fetches it, and the others wait for the result.
 *
 * A copy serves for `fresh_for`. If the provider then has no valid one, the copy goes on serving
 * until it is a day old, and the provider is asked again after a pause that grows from 2 to 30
 * seconds. No request waits for that if a thread refreshes documents ahead of time.
 */
typedef struct na_documents na_documents;

/* Most documents of which a process keeps copies; the least recently used one makes room. */
#define NA_DOCUMENTS 1024

/* `shared` and its mutex are NULL if no other process uses the documents. */
na_error *na_documents_make(apr_pool_t *pool, na_shared_documents *shared,
                            apr_global_mutex_t *mutex, na_documents **made);

/* Parses a response into `pool`, which lives as long as the copy; an error if it is invalid. */
typedef na_error *na_document_read(const void *data, apr_pool_t *pool, na_bytes text,
                                   const void **parsed);

typedef struct na_document_source {
    const na_http_request *request;
    const char *as; /* what `read` depends on besides the text; "" if nothing */
    na_document_read *read;
    const void *data;              /* of read */
    apr_interval_time_t fresh_for; /* how long a copy serves before the provider is asked again */
} na_document_source;

/*
 * Writes the document, valid as long as `pool`. *kept_from is why a copy that is no longer fresh is
 * used or a renewal failed; NULL if neither.
 */
na_error *na_documents_get(na_documents *documents, na_http *http, apr_pool_t *pool,
                           const na_document_source *source, apr_time_t now, const void **parsed,
                           na_error **kept_from);

/*
 * Fetches the document again, at most five times a minute, because `parsed` lacks something that a
 * newer one might have. *parsed is unchanged if there is no newer one.
 */
void na_documents_renew(na_documents *documents, na_http *http, apr_pool_t *pool,
                        const na_document_source *source, apr_time_t now, const void **parsed,
                        na_error **kept_from);

/*
 * Fetches the document again if it was used within a day and three quarters of `fresh_for` are
 * over: for a thread that calls it for each document at least once in 30 seconds. *parsed is NULL
 * if no request has used the document yet. *kept_from is why it could not be fetched; NULL if it
 * could.
 */
void na_documents_refresh(na_documents *documents, na_http *http, apr_pool_t *pool,
                          const na_document_source *source, apr_time_t now, const void **parsed,
                          na_error **kept_from);

#endif
