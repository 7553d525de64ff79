/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a command line. */
#ifndef NA_CTL_OPTIONS_H
#define NA_CTL_OPTIONS_H

#include <apr_tables.h>

/* An option and its target: the value goes into `text` or is appended to `list`; else `flag` is 1.
 */
typedef struct na_option {
    const char *name;
    int letter;
    const char **text;
    apr_array_header_t *list; /* const char * */
    int *flag;
} na_option;

/*
 * Reads a command's options, at most 15, which end with a NULL name. *operands are the other
 * arguments. Returns their number, or -1 on a usage error.
 */
int na_ctl_options(apr_pool_t *pool, int argc, char **argv, const na_option *options,
                   const char *const **operands);

/* Reads a whole number of digits alone. Returns 0 if `text` is not one from `min` to `max`. */
int na_ctl_number(const char *text, long min, long max, long *number);

#endif
