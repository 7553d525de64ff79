/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_PIPE_H
#define NA_HTTPD_PIPE_H

#include <apr_file_io.h>

#include "base/error.h"

/*
 * Programs that read lines, as CustomLog takes them: "|program arguments", "||…" is the same, "|$…"
 * is run by a shell. httpd starts it again when it ends.
 */

/* While directives are read: an error where `target`, which begins with a bar, names none. */
na_error *na_pipe_check(apr_pool_t *pool, const char *target);

/* "|program", for messages: arguments may hold a secret. */
const char *na_pipe_name(apr_pool_t *pool, const char *target);

/* Before the fork: starts the program; what is written to the pipe is its standard input. */
na_error *na_pipe_open(apr_pool_t *pconf, const char *target, apr_file_t **pipe);

#endif
