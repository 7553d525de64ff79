/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_CTL_PRINT_H
#define NA_CTL_PRINT_H

#include <jansson.h>

#include "base/error.h"

/* What commands print for people. Foreign text must not command the terminal: it is one line. */

/* Says on standard error that it failed, and why; the exit status. */
int na_ctl_failed(apr_pool_t *pool, const na_error *error);

/* Says that the call is wrong; `why` NULL: that --help tells how it goes. The exit status. */
int na_ctl_wrong_call(const char *command, const char *why);

/* An escape sequence of colour or weight; "" where standard output shows none, or NO_COLOR is set.
 */
const char *na_ctl_paint(const char *code);

#define NA_CTL_BOLD "\033[1m"
#define NA_CTL_PLAIN "\033[0m"

/* A member of an object, cut at `max` bytes; "-" where there is none, or nothing in it. */
const char *na_ctl_field(apr_pool_t *pool, const json_t *object, const char *name, apr_size_t max);

/* "2026-01-01 00:00" and "2026-01-01 00:00:00" of "2026-01-01T00:00:00.000Z"; other text is cut. */
const char *na_ctl_minute(apr_pool_t *pool, const char *time);
const char *na_ctl_second(apr_pool_t *pool, const char *time);

#endif
