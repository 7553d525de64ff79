/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of providers (discovery, key sets), fetched and kept. */
#ifndef NA_OAUTH_DOCUMENTS_H
#define NA_OAUTH_DOCUMENTS_H

#include <apr_time.h>

#include "base/http.h"

/*
 * A process's copies of the discovery documents and key sets of providers, parsed and validated.
 * Safe to share between threads; no lock is held while a document is fetched. Of threads that lack
 * the same document, one fetches it, and the others wait for the result.
 *
 * A copy serves for an hour. If the provider then has no valid one, the copy goes on serving until
 * it is a day old, and the provider is asked again after a pause that grows from 2 to 30 seconds.
 */
typedef struct na_documents na_documents;

na_error *na_documents_make(apr_pool_t *pool, na_documents **made);

/* Parses a response into `pool`, which lives as long as the copy; an error if it is invalid. */
typedef na_error *na_document_read(const void *data, apr_pool_t *pool, na_bytes text,
                                   const void **parsed);

typedef struct na_document_source {
    const na_http_request *request;
    const char *as; /* what `read` depends on besides the text; "" if nothing */
    na_document_read *read;
    const void *data; /* of read */
} na_document_source;

/*
 * Writes the document, valid as long as `pool`. *kept_from is why a copy older than an hour is used
 * or a renewal failed; NULL if neither.
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

#endif
