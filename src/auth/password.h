/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUTH_PASSWORD_H
#define NA_AUTH_PASSWORD_H

#include "base/error.h"

typedef enum na_password_result {
    NA_PASSWORD_GRANTED,
    NA_PASSWORD_DENIED,
    NA_PASSWORD_FAILED /* the backend could not tell */
} na_password_result;

/* Longest password that is hashed, in bytes: hashing costs the server, not the one who asks. */
#define NA_PASSWORD_MAX 1024

/*
 * Checks against a file as htpasswd writes it, read anew each time. An unknown user costs as much
 * work as the costliest hash of the file, and so does who has a cheaper one. `error` explains
 * NA_PASSWORD_FAILED, and NA_PASSWORD_DENIED where the user's hash is unusable.
 */
na_password_result na_password_check(apr_pool_t *pool, const char *path, const char *user,
                                     const char *password, na_error **error);

#endif
