/* SPDX-License-Identifier: Apache-2.0 */
/* A new password. */
#ifndef NA_CTL_PASSWORD_H
#define NA_CTL_PASSWORD_H

#include "base/error.h"

/*
 * Reads a new password: the line of `file`, which only its owner may read, or of standard input if
 * it is "-"; if it is NULL, the terminal asks twice, without echo. Wiped with the pool. Errors are
 * NA_ERR_CONFIGURATION.
 */
na_error *na_ctl_read_password(apr_pool_t *pool, const char *file, char **password);

#endif
