/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_T_UNIT_TAP_H
#define NA_T_UNIT_TAP_H

#include <apr_pools.h>

#include "base/error.h"

/* TAP from C. Each returns whether it passed. NULL strings are compared as such. */
int ok(int passed, const char *format, ...) __attribute__((format(printf, 2, 3)));
int is(const char *actual, const char *expected, const char *name);
int is_number(long long actual, long long expected, const char *name);
int succeeds(const na_error *error, const char *name);
int fails(const na_error *error, const char *name);

void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));
void skip_all(const char *reason); /* does not return */

/* Starts APR and gives the pool of the test; ends the program with the plan and its exit status. */
apr_pool_t *tap_start(void);
int tap_done(void);

/* A new folder for files of the test. The end of the test removes it, and says so. */
const char *tap_folder(void);

/* A whole file, NUL-terminated; NULL where it is not there. */
char *slurp(apr_pool_t *pool, const char *path, apr_size_t *len);

#endif
