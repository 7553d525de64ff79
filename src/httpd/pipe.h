/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that read lines from this module. */
#ifndef NA_HTTPD_PIPE_H
#define NA_HTTPD_PIPE_H

#include <apr_file_io.h>

#include "base/error.h"

/*
 * The form is CustomLog's: "|program arguments" or "||program arguments"; a shell runs "|$command".
 * httpd restarts a program that ends.
 */

/* While directives are read: returns an error if `target`, which begins with |, has no program. */
na_error *na_pipe_check(apr_pool_t *pool, const char *target);

/* Returns "|program", for messages: the arguments might contain a secret. */
const char *na_pipe_name(apr_pool_t *pool, const char *target);

/* Before the fork: starts the program. The pipe is its standard input. */
na_error *na_pipe_open(apr_pool_t *pconf, const char *target, apr_file_t **pipe);

#endif
