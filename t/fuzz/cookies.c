/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "session/chunks.h"

/* A Cookie header: read whole, joined from chunks, and its chunks cleared. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = fuzz_text(data, size);
    const na_cookie cookie = {"s", NULL, "/", "Lax", 0};
    apr_array_header_t *set_cookies = apr_array_make(fuzz_pool, 8, sizeof(char *));
    na_cookies_parse(fuzz_pool, header);
    na_bytes token = na_chunks_join(fuzz_pool, header, "s", 1);
    na_chunks_write(fuzz_pool, &cookie, NA_V4, header,
                    apr_pstrmemdup(fuzz_pool, (const char *)token.data, token.len), 8190, 0,
                    set_cookies);
    for (int i = 0; i < set_cookies->nelts; i++)
        if (strpbrk(APR_ARRAY_IDX(set_cookies, i, char *), "\r\n"))
            abort();
    return 0;
}
