/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "store/redis.h"

/* Whatever an address says: what is accepted leads somewhere, what is refused is not shown. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    na_redis_options options;
    const na_error *error = na_redis_url_parse(fuzz_pool, text, &options);
    if (error) {
        if (strlen(text) > 12 && strstr(error->message, text))
            abort();
        return 0;
    }
    if (options.unix_path ? options.unix_path[0] != '/' || options.tls
                          : !*options.host || strpbrk(options.host, "/@[] \r\n"))
        abort();
    if (options.port < 1 || options.port > 65535 || options.db < 0)
        abort();
    return 0;
}
