/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_EVENT_WEBHOOK_H
#define NA_EVENT_WEBHOOK_H

#include "event/deliver.h"

/* An address that items are posted to, signed as Standard Webhooks has it. */
typedef struct na_webhook {
    const char *url;
    apr_array_header_t *keys; /* na_bytes; each gives a signature */
} na_webhook;

/*
 * Adds the keys of `text`: one or several secrets, space separated, "whsec_" and base64 or any
 * text; each at least NA_WEBHOOK_KEY_MIN bytes. The error does not show them.
 */
#define NA_WEBHOOK_KEY_MIN 24
na_error *na_webhook_add_keys(apr_pool_t *pool, const char *text, apr_array_header_t *keys);

/* 1 where both have the same keys in the same order; NULL has none. */
int na_webhook_same_keys(const apr_array_header_t *a, const apr_array_header_t *b);

/* "v1,… v1,…": the header of a message, whose body is text. */
const char *na_webhook_signature(apr_pool_t *pool, const apr_array_header_t *keys, const char *id,
                                 const char *timestamp, const char *body);

/* An na_sink's function; its data is an na_webhook. */
void na_webhook_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                     const na_spool_item *item, const json_t *json, na_attempt *attempt);

#endif
