/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <apr_strings.h>

#include "base/hosts.h"

/* The line before the first LF is a host of a request, what follows it a pattern of NextAuthURL. */
static void check_origin(const apr_array_header_t *patterns, const char *host, int port)
{
    char origin[NA_ORIGIN_SIZE];
    na_url url;
    if (!na_hosts_find(patterns, host, port, origin))
        return;
    if (!na_url_parse(fuzz_pool, origin, &url) || *url.path || strcmp(url.origin, origin) != 0 ||
        !na_hosts_have(patterns, &url) || strpbrk(url.host, "*@/\\, "))
        abort();
}

/*
 * Whatever a client sends as host, what is found is an origin that a pattern has, and a URL to
 * everyone who parses it. A pattern has what it was made from, and no name of another domain.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = apr_pstrdup(fuzz_pool, fuzz_text(data, size)), *end = strchr(text, '\n');
    apr_array_header_t *patterns = apr_array_make(fuzz_pool, 2, sizeof(na_host_pattern));
    na_host_pattern given, fixed;
    const char *path;
    if (end)
        *end++ = '\0';
    na_host_pattern_parse(fuzz_pool, "https://pr-*.example.org", &fixed, &path);
    APR_ARRAY_PUSH(patterns, na_host_pattern) = fixed;
    if (end && !na_host_pattern_parse(fuzz_pool, end, &given, &path))
        APR_ARRAY_PUSH(patterns, na_host_pattern) = given;
    check_origin(patterns, text, 0);
    check_origin(patterns, text, 443);
    check_origin(patterns, text, 8443);
    return 0;
}
