/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/compact.h"
#include "jose/jwe.h"
#include "jose/jwe_content.h"

na_error *na_jwe_split(apr_pool_t *pool, const char *code, const char *token, apr_size_t token_len,
                       na_bytes parts[NA_JWE_PARTS], na_sealed *sealed)
{
    if (token_len > NA_JWE_MAX)
        return na_error_new(pool, code, "JWE: longer than %d characters", NA_JWE_MAX);
    if (!na_compact_split(token, token_len, parts, NA_JWE_PARTS))
        return na_error_new(pool, code, "JWE: not five parts");
    sealed->aad = parts[NA_JWE_HEADER];
    NA_TRY(na_compact_decode(pool, code, "IV", parts[NA_JWE_IV], &sealed->iv));
    NA_TRY(
        na_compact_decode(pool, code, "ciphertext", parts[NA_JWE_CIPHERTEXT], &sealed->ciphertext));
    return na_compact_decode(pool, code, "tag", parts[NA_JWE_TAG], &sealed->tag);
}
