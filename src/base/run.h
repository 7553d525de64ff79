/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program with a text as its input, and reads its output, within limits. */
#ifndef NA_BASE_RUN_H
#define NA_BASE_RUN_H

#include "base/error.h"

typedef struct na_run_limits {
    long timeout_ms;      /* of the whole run; the program and its children are then killed */
    apr_size_t max_bytes; /* of the output */
} na_run_limits;

/*
 * Runs `argv` (NULL-terminated; the program has an absolute path, and no shell is involved) with
 * `input` on its standard input and a minimal environment. Its standard error stays this process's.
 * *output is what it wrote, if it ended with status 0; otherwise the error is NA_ERR_UNAVAILABLE.
 * Safe to call from several threads.
 */
na_error *na_run(apr_pool_t *pool, const char *const *argv, const char *input,
                 const na_run_limits *limits, const char **output);

#endif
