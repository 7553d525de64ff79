/* SPDX-License-Identifier: Apache-2.0 */
/* Values that wait in the session store until a sign-in: forms and long URLs. */
#ifndef NA_AUTH_KEPT_H
#define NA_AUTH_KEPT_H

#include "auth/action.h"

/*
 * A value has a head, which is JSON, and a body, in pieces that the store accepts. All are
 * encrypted, each for its own place. All functions fail with the code NA_ERR_CONFIGURATION if the
 * site has no session store, or one with values that are too small.
 */
typedef struct na_kept {
    const char *kind; /* of store entries, static */
    const char *name; /* a secret that only those have who may find it */
    json_t *head;     /* NULL if there is none */
    na_bytes sealed;  /* the head in the store */
} na_kept;

/* Keeps a value for `seconds`; sets members of `head`, which the pool owns. */
na_error *na_kept_put(const na_request *request, const na_kept *kept, na_bytes body, long seconds);

/* Finds the head by kind and name; it is NULL if there is none, or if it was taken. */
na_error *na_kept_find(const na_request *request, na_kept *kept);

/* Reads the body, which is wiped with the pool. *is_whole is 0 if the store lost a part of it. */
na_error *na_kept_read(const na_request *request, const na_kept *kept, na_bytes *body,
                       int *is_whole);

/*
 * Takes the value out of the store. *taken is 0 if another request took it first: of several, one
 * gets it.
 */
na_error *na_kept_take(const na_request *request, const na_kept *kept, int *taken);

#endif
