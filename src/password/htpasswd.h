/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies passwords against a file that htpasswd wrote. */
#ifndef NA_PASSWORD_HTPASSWD_H
#define NA_PASSWORD_HTPASSWD_H

#include "base/error.h"
#include "password/htpasswd_index.h"

typedef enum na_password_result {
    NA_PASSWORD_GRANTED,
    NA_PASSWORD_DENIED,
    NA_PASSWORD_FAILED /* the backend could not verify it */
} na_password_result;

/*
 * Reads the user's line of the file, or the whole file if the index does not have it in its present
 * state. An unknown user, or one with a cheaper hash, costs as much work as the costliest hash of
 * the file. `error` explains NA_PASSWORD_FAILED, and NA_PASSWORD_DENIED if the user's hash is
 * unusable.
 */
na_password_result na_htpasswd_check(apr_pool_t *pool, na_htpasswd_index *index, apr_time_t now,
                                     const char *path, const char *user, const char *password,
                                     na_error **error);

#endif
