/* SPDX-License-Identifier: Apache-2.0 */
/* Output of nextauthctl. */
#ifndef NA_CTL_PRINT_H
#define NA_CTL_PRINT_H

#include <jansson.h>

#include "base/error.h"

/* Foreign text is printed as one line, so that it cannot control the terminal. */

/* Prints the error on standard error. Returns the exit status. */
int na_ctl_failed(apr_pool_t *pool, const na_error *error);

/* Prints a usage error; NULL for `why` refers to --help. Returns the exit status. */
int na_ctl_wrong_call(const char *command, const char *why);

/* Returns an escape sequence of color or weight, "" if standard output is not a terminal or
 * NO_COLOR is set. */
const char *na_ctl_paint(const char *code);

#define NA_CTL_BOLD "\033[1m"
#define NA_CTL_PLAIN "\033[0m"

/* Returns a member of an object, cut at `max` bytes; "-" if it is missing or empty. */
const char *na_ctl_field(apr_pool_t *pool, const json_t *object, const char *name, apr_size_t max);

/* Return "2026-01-01 00:00" and "2026-01-01 00:00:00" of "2026-01-01T00:00:00.000Z". */
const char *na_ctl_minute(apr_pool_t *pool, const char *time);
const char *na_ctl_second(apr_pool_t *pool, const char *time);

#endif
