/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_SESSION_OBSERVER_H
#define NA_SESSION_OBSERVER_H

#include <apr.h>

/* What came of looking for a request's session. */
typedef enum na_session_check {
    NA_CHECK_NONE,   /* no session cookie */
    NA_CHECK_CACHED, /* the process knew the cookie */
    NA_CHECK_OPENED, /* a token was opened */
    NA_CHECK_STORE,  /* the session store was asked */
    NA_CHECK_REFUSED,
    NA_CHECK_UNAVAILABLE
} na_session_check;

/* Who wants to know of it; called by many threads at once, and must not block. */
typedef struct na_session_observer {
    void *data;
    void (*checked)(void *data, na_session_check check, double seconds);
    void (*began)(void *data);
    /* A sign-out's or a revocation's; with how long the session lasted. */
    void (*ended)(void *data, apr_int64_t seconds);
} na_session_observer;

#endif
