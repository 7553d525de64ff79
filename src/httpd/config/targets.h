/* SPDX-License-Identifier: Apache-2.0 */
/* Files and programs that directives name. */
#ifndef NA_HTTPD_CONFIG_TARGETS_H
#define NA_HTTPD_CONFIG_TARGETS_H

#include "httpd/config/build.h"

/*
 * Returns an error if child processes cannot read the file. They have another user if root starts
 * httpd; so a process of that user tries, once for each file in the pool's life.
 */
na_error *na_children_check_readable(apr_pool_t *pool, const char *path);

/*
 * Returns an error if child processes cannot create files in the directory; *is_there is then 0 if
 * it does not exist, 1 otherwise.
 */
na_error *na_children_check_directory(apr_pool_t *pool, const char *directory, int *is_there);

/*
 * Returns an error if a file cannot be created, or a "|program" not be started. A server that would
 * notice this only at a graceful restart would stop.
 */
na_error *na_build_check_target(na_builder *b, const char *target);

#endif
