/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <strings.h>

#include "base/url.h"
#include "oauth/webfinger.h"

/* An account or a URL is asked for at an https URL of its own host, or refused. */
static void check_typed(const char *text)
{
    const char *url;
    na_url parsed;
    if (na_webfinger_url(fuzz_pool, text, &url))
        return;
    if (!na_url_parse(fuzz_pool, url, &parsed) || strcmp(parsed.scheme, "https") != 0 ||
        strncmp(parsed.path, "/.well-known/webfinger?resource=", 32) != 0)
        abort();
}

static void check_response(const char *text)
{
    const char *issuer;
    na_error *error = na_webfinger_read(fuzz_pool, na_bytes_of(text), &issuer);
    if (error ? strlen(na_error_text(fuzz_pool, error)) > 2048
              : strncasecmp(issuer, "https://", 8) != 0 || strpbrk(issuer, " \"'\\$\r\n"))
        abort();
}

/* The input: what is typed, or a response. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = fuzz_text(data, size);
    check_typed(text);
    check_response(text);
    return 0;
}
