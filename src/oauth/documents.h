/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_OAUTH_DOCUMENTS_H
#define NA_OAUTH_DOCUMENTS_H

#include <apr_time.h>

#include "base/http.h"

/*
 * A process's copies of what providers publish: discovery documents and key sets. Safe to share
 * between threads; no lock is held while a document is fetched.
 */
typedef struct na_documents na_documents;

na_error *na_documents_make(apr_pool_t *pool, na_documents **documents);

/*
 * The document at the request's address, at most `max_age` old, copied into `pool`. The request is
 * made where there is no copy as young; only an answer of 200 counts.
 */
na_error *na_documents_get(na_documents *documents, na_http *http, apr_pool_t *pool,
                           const na_http_request *request, apr_time_t now,
                           apr_interval_time_t max_age, na_bytes *text);

#endif
