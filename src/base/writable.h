/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that files and directories can be written to later. */
#ifndef NA_BASE_WRITABLE_H
#define NA_BASE_WRITABLE_H

#include "base/error.h"

/*
 * Check that files and directories can be opened for writing later, when an error would end httpd,
 * without creating or changing anything. Errors are NA_ERR_CONFIGURATION with a hint. A full disk
 * is not detected.
 */

/* Checks that this process could write to the file, or create it if it does not exist. */
na_error *na_writable_file(apr_pool_t *pool, const char *path);

/* Checks that this process could create files in the directory, or create it and its parents. */
na_error *na_writable_directory(apr_pool_t *pool, const char *path);

/* Returns equal texts for two paths of one file, existing or not; NULL if it has no directory. */
const char *na_writable_identity(apr_pool_t *pool, const char *path);

#endif
