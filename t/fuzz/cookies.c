/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "session/chunks.h"

/* A Cookie header: read whole, joined from chunks, and its chunks cleared. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = fuzz_text(data, size);
    na_cookie cookie = {.name = "s", .domain = "b.example.org", .path = "/", .same_site = "Lax"};
    na_chunks chunks;
    na_bytes token = {0};
    apr_array_header_t *set_cookies = apr_array_make(fuzz_pool, 8, sizeof(char *));
    cookie.elsewhere = na_cookie_elsewhere(fuzz_pool, &cookie, "a.b.example.org");
    const na_cookies *cookies = na_cookies_parse(fuzz_pool, header);
    if (na_cookies_get(cookies, "s", NA_COOKIE_TRIES))
        abort();
    na_chunks_find(header, "s", 1, &chunks);
    int count = 0;
    while (na_chunks_token(fuzz_pool, &chunks, count, &token))
        if (++count > 2 * NA_COOKIE_TRIES || token.len > size)
            abort();
    na_chunks_clear_elsewhere(fuzz_pool, &cookie, header, set_cookies);
    na_chunks_write(fuzz_pool, &cookie, NA_V4, header,
                    apr_pstrmemdup(fuzz_pool, (const char *)token.data, token.len), 8190, 0,
                    set_cookies);
    for (int i = 0; i < set_cookies->nelts; i++)
        if (strpbrk(APR_ARRAY_IDX(set_cookies, i, char *), "\r\n"))
            abort();
    return 0;
}
