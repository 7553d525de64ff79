/* SPDX-License-Identifier: Apache-2.0 */
/* Observers of session lookups. */
#ifndef NA_SESSION_OBSERVER_H
#define NA_SESSION_OBSERVER_H

#include <apr.h>

/* The result of looking up a request's session. */
typedef enum na_session_lookup {
    NA_LOOKUP_NONE,   /* no session cookie */
    NA_LOOKUP_CACHED, /* the session was cached in the process */
    NA_LOOKUP_OPENED, /* a token was decrypted */
    NA_LOOKUP_STORE,  /* the session store was queried */
    NA_LOOKUP_REFUSED,
    NA_LOOKUP_UNAVAILABLE
} na_session_lookup;

/* Observes lookups; called by several threads at once, and must not block. */
typedef struct na_session_observer {
    void *data;
    void (*checked)(void *data, na_session_lookup check, double seconds);
    void (*began)(void *data);
    /* called at a sign-out or revocation, with the duration of the session */
    void (*ended)(void *data, apr_int64_t seconds);
} na_session_observer;

#endif
