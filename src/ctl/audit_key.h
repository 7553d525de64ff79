/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_CTL_AUDIT_KEY_H
#define NA_CTL_AUDIT_KEY_H

#include "base/error.h"

/*
 * The key of an audit log from a file that not everybody may read, as key=file: reads it: without
 * line ends behind it. NULL for a NULL `file`. Wiped with the pool. Errors are NA_CONFIGURATION.
 */
na_error *na_ctl_read_audit_key(apr_pool_t *pool, const char *file, const char **key);

#endif
