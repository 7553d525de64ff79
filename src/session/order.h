/* SPDX-License-Identifier: Apache-2.0 */
/* Orders to end sessions, signed. */
#ifndef NA_SESSION_ORDER_H
#define NA_SESSION_ORDER_H

#include "base/error.h"

/*
 * An administrator's order to end sessions or a lock, sealed with the site's secret: whoever can
 * only reach the server cannot give one. It is good for a minute, at one site, and for whoever
 * obeys it to take once.
 */
typedef struct na_order {
    const char *site;    /* as na_session_config names it */
    const char *id;      /* of an order that was opened: unique */
    const char *session; /* its handle; NULL: all of the user's */
    const char *user;    /* NULL: of whichever user the session is */
    const char *unlock;  /* the name that a user signs in with; NULL if it ends sessions */
} na_order;

/* Seconds that an order is good for. */
#define NA_ORDER_AGE 60

na_error *na_order_seal(apr_pool_t *pool, const char *secret, const na_order *order, apr_time_t now,
                        char **token);

/*
 * Any of the secrets opens it. An order is for this site, and names a session, a user, or a name to
 * unlock.
 */
na_error *na_order_open(apr_pool_t *pool, const char *const *secrets, int secret_count,
                        const char *site, const char *token, apr_time_t now, na_order *order);

#endif
