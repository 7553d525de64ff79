/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted orders to end sessions. */
#ifndef NA_SESSION_ORDER_H
#define NA_SESSION_ORDER_H

#include "base/error.h"

/*
 * An administrator's order to end sessions or a lock, encrypted with the site's secret, so that a
 * client without the secret cannot give one. It is valid for a minute, at one site, once.
 */
typedef struct na_order {
    const char *site;    /* as na_session_config names it */
    const char *id;      /* unique; set when an order is decrypted */
    const char *session; /* its handle; NULL for all sessions of the user */
    const char *user;    /* NULL for any user */
    const char *unlock;  /* username to unlock; NULL if the order ends sessions */
} na_order;

/* Lifetime of an order in seconds. */
#define NA_ORDER_AGE 60

na_error *na_order_seal(apr_pool_t *pool, const char *secret, const na_order *order, apr_time_t now,
                        char **token);

/*
 * Decrypts an order with any of the secrets. Fails unless it is for this site and names a session,
 * a user, or a username to unlock.
 */
na_error *na_order_open(apr_pool_t *pool, const char *const *secrets, int secret_count,
                        const char *site, const char *token, apr_time_t now, na_order *order);

#endif
