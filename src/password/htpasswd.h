/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords in a file as htpasswd writes it. */
#ifndef NA_PASSWORD_HTPASSWD_H
#define NA_PASSWORD_HTPASSWD_H

#include "base/error.h"

typedef enum na_password_result {
    NA_PASSWORD_GRANTED,
    NA_PASSWORD_DENIED,
    NA_PASSWORD_FAILED /* the backend could not tell */
} na_password_result;

/*
 * Checks against a file as htpasswd writes it, read anew each time. An unknown user costs as much
 * work as the costliest hash of the file, and so does who has a cheaper one. `error` explains
 * NA_PASSWORD_FAILED, and NA_PASSWORD_DENIED where the user's hash is unusable.
 */
na_password_result na_htpasswd_check(apr_pool_t *pool, const char *path, const char *user,
                                     const char *password, na_error **error);

#endif
