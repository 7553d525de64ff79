/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_CTL_OPTIONS_H
#define NA_CTL_OPTIONS_H

#include <apr_tables.h>

/* An option and where it goes: a value into `text` or behind those of `list`, else 1 into `flag`.
 */
typedef struct na_option {
    const char *name;
    int letter;
    const char **text;
    apr_array_header_t *list; /* const char * */
    int *flag;
} na_option;

/*
 * Reads a command's options, which end with a NULL name, at most 15; *operands are the arguments
 * that are none. Returns how many, -1 where the call is wrong.
 */
int na_ctl_options(apr_pool_t *pool, int argc, char **argv, const na_option *options,
                   const char *const **operands);

/*
 * A whole number, digits alone, not negative. Returns 0 where `text` is none from `least` to
 * `most`.
 */
int na_ctl_number(const char *text, long least, long most, long *number);

#endif
