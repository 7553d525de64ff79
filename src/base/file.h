/* SPDX-License-Identifier: Apache-2.0 */
/* Files of configuration. */
#ifndef NA_BASE_FILE_H
#define NA_BASE_FILE_H

#include "base/error.h"

/* Reads a file of at most `max` bytes of UTF-8 without NUL bytes. Errors are NA_ERR_CONFIGURATION.
 */
na_error *na_file_read(apr_pool_t *pool, const char *path, apr_size_t max, const char **text);

#endif
