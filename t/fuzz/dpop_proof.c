/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "oauth/dpop_proof.h"

/* Proofs of clients. The seeds are valid at this time, for this request. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const na_dpop_use use = {.method = "GET",
                             .url = "https://api.example.org/a",
                             .access_token = "token",
                             .thumbprint = "JexhTRlbR1VJEfs9HzCE_5q6EBU2i2Nth_N10dSwX-8",
                             .now = apr_time_from_sec(1700000000),
                             .tolerance = 60};
    na_dpop_proof proof;
    na_error *error = na_dpop_verify(fuzz_pool, text, &use, &proof);
    if (error && strlen(na_error_text(fuzz_pool, error)) > 4096)
        abort();
    if (!error && (!*proof.id || strlen(proof.id) > 256))
        abort();
    return 0;
}
