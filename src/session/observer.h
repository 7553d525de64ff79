/* SPDX-License-Identifier: Apache-2.0 */
/* Observers of session lookups. */
#ifndef NA_SESSION_OBSERVER_H
#define NA_SESSION_OBSERVER_H

#include <apr.h>

/* What came of looking for a request's session. */
typedef enum na_session_lookup {
    NA_LOOKUP_NONE,   /* no session cookie */
    NA_LOOKUP_CACHED, /* the process knew the cookie */
    NA_LOOKUP_OPENED, /* a token was opened */
    NA_LOOKUP_STORE,  /* the session store was asked */
    NA_LOOKUP_REFUSED,
    NA_LOOKUP_UNAVAILABLE
} na_session_lookup;

/* Who wants to know of it; called by many threads at once, and must not block. */
typedef struct na_session_observer {
    void *data;
    void (*checked)(void *data, na_session_lookup check, double seconds);
    void (*began)(void *data);
    /* A sign-out's or a revocation's; with how long the session lasted. */
    void (*ended)(void *data, apr_int64_t seconds);
} na_session_observer;

#endif
