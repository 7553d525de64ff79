/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_T_FUZZ_FUZZ_H
#define NA_T_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The pool of one input: cleared before each, so that every block is seen to be freed. */
static apr_pool_t *fuzz_pool;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&fuzz_pool, NULL);
    return 0;
}

/* The input as text, ending at its first NUL. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    apr_pool_clear(fuzz_pool);
    return apr_pstrmemdup(fuzz_pool, (const char *)data, size);
}

#endif
