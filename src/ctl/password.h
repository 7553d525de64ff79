/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_CTL_PASSWORD_H
#define NA_CTL_PASSWORD_H

#include "base/error.h"

/*
 * A new password: the one line of `file`, which not everybody may read, of standard input where it
 * is "-"; where it is NULL, it is asked for twice on the terminal, without echo. Wiped with the
 * pool. Errors are NA_ERR_CONFIGURATION.
 */
na_error *na_ctl_read_password(apr_pool_t *pool, const char *file, char **password);

#endif
