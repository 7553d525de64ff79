/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a service or a program, in JSON, for a decision. */
#ifndef NA_EVENT_ASK_H
#define NA_EVENT_ASK_H

#include <jansson.h>

#include "base/http.h"

/* The service that is asked: a URL or a program. Immutable configuration. */
typedef struct na_adviser {
    const char *url;          /* NULL for a program */
    apr_array_header_t *keys; /* na_bytes: sign the request as a webhook's */
    const char *const *argv;  /* NULL for a URL */
    long timeout_ms;
} na_adviser;

/* Most bytes of an answer. */
#define NA_ANSWER_MAX (64 * 1024)

/*
 * Asks, and waits for the answer, any JSON value, which lives in the pool. A place of the HTTP
 * client bounds how many are asked at once, programs included. The error is NA_ERR_UNAVAILABLE if
 * there is no answer, and NA_ERR_CONFIGURATION if it is not JSON.
 */
na_error *na_ask(const na_adviser *adviser, na_http *http, apr_pool_t *pool, const json_t *question,
                 const json_t **answer);

#endif
