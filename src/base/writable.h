/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that files and directories can be written to later. */
#ifndef NA_BASE_WRITABLE_H
#define NA_BASE_WRITABLE_H

#include "base/error.h"

/*
 * Files and folders that will be opened for writing later, when an error ends the server: whether
 * they could be, found out without making or changing anything. Errors are NA_ERR_CONFIGURATION,
 * with their hint. What only the attempt shows, a full disk, is not seen.
 */

/* Whether this process could write to the file, which is made where it is not there. */
na_error *na_writable_file(apr_pool_t *pool, const char *path);

/* Whether it could make files in the folder, which is made, with those above it, likewise. */
na_error *na_writable_directory(apr_pool_t *pool, const char *path);

/* Two paths of one file, there or not, have the same; NULL where there is no folder for it. */
const char *na_writable_identity(apr_pool_t *pool, const char *path);

#endif
