/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_T_FUZZ_JOSE_PARTS_H
#define NA_T_FUZZ_JOSE_PARTS_H

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"

/*
 * The fuzzer's input as a token. One that begins with '{' is the parts' content, a line each,
 * encoded here: base64url would otherwise hide the header from the fuzzer.
 */
static inline const char *token_of(apr_pool_t *pool, const void *data, apr_size_t *size)
{
    const char *next = data, *end = next + *size, *token = "";
    if (!*size || *next != '{')
        return apr_pstrmemdup(pool, data, *size);
    while (next) {
        const char *line = memchr(next, '\n', (size_t)(end - next));
        apr_size_t len = (apr_size_t)((line ? line : end) - next);
        token =
            apr_pstrcat(pool, token, *token ? "." : "", na_base64url_encode(pool, next, len), NULL);
        next = line ? line + 1 : NULL;
    }
    *size = strlen(token);
    return token;
}

#endif
