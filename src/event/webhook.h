/* SPDX-License-Identifier: Apache-2.0 */
/* Delivers items to a webhook, signed according to Standard Webhooks. */
#ifndef NA_EVENT_WEBHOOK_H
#define NA_EVENT_WEBHOOK_H

#include "event/deliver.h"

/* A URL to which items are posted. */
typedef struct na_webhook {
    const char *url;
    apr_array_header_t *keys; /* na_bytes; each gives a signature */
} na_webhook;

/*
 * Adds the keys of `text`: one or more secrets, separated by spaces. Each is "whsec_" and base64,
 * or any text, of at least NA_WEBHOOK_KEY_MIN bytes. The error does not contain them.
 */
#define NA_WEBHOOK_KEY_MIN 24
na_error *na_webhook_add_keys(apr_pool_t *pool, const char *text, apr_array_header_t *keys);

/* Returns 1 if both have the same keys in the same order. NULL has no keys. */
int na_webhook_same_keys(const apr_array_header_t *a, const apr_array_header_t *b);

/* Returns the signature header of a message, "v1,… v1,…". */
const char *na_webhook_signature(apr_pool_t *pool, const apr_array_header_t *keys, const char *id,
                                 const char *timestamp, const char *body);

/* The `send` of a na_sink whose data is a na_webhook. */
void na_webhook_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                     const na_spool_item *item, const json_t *json, na_attempt *attempt);

#endif
