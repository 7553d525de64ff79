/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/callback_url.h"
#include "fuzz.h"

#include "base/url.h"

/* Whatever is asked for: where a redirect leads is ours, or is allowed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    na_url url;
    apr_array_header_t *allowed = apr_array_make(fuzz_pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(allowed, const char *) = "https://other.example.org:8443";
    const na_config config = {.origin = "https://app.example.org", .redirect_origins = allowed};
    const char *to = na_safe_redirect(fuzz_pool, &config, text);
    if (to && (!na_url_parse(fuzz_pool, to, &url) || strpbrk(to, "\r\n\\ ") ||
               (strcmp(url.origin, config.origin) != 0 &&
                strcmp(url.origin, "https://other.example.org:8443") != 0)))
        abort();
    na_url_add(fuzz_pool, text, text, text);
    return 0;
}
