/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/origin.h"
#include "base/url.h"

/* An origin and nothing else, on this machine or over TLS: what a browser sends as such. */
static void check_value(const na_origin *origin, const char *value)
{
    na_url url;
    if (!na_url_parse(fuzz_pool, value, &url) || *url.path || strcmp(url.origin, value) != 0 ||
        (strcmp(url.scheme, "https") != 0 && !na_is_this_machine(url.host)) ||
        (origin->below && url.origin[strlen("https://")] == '.'))
        abort();
}

static void check_pattern(const na_origin *origin, const char *value)
{
    if (na_origin_matches(origin, value))
        check_value(origin, value);
}

/*
 * The line before the first LF is the value of an Origin header, what follows it an origin of
 * NextAuthCORS. Whatever a client sends, what matches is one origin; a pattern that is accepted
 * matches a host below it, and never the same host of another domain.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = apr_pstrdup(fuzz_pool, fuzz_text(data, size)), *text = strchr(value, '\n');
    na_origin given, fixed;
    if (text)
        *text++ = '\0';
    if (!na_origin_parse(fuzz_pool, "https://*.example.org", &fixed))
        abort();
    check_pattern(&fixed, value);
    if (!text || !na_origin_parse(fuzz_pool, text, &given))
        return 0;
    check_pattern(&given, value);
    const char *own =
        given.exact ? given.exact : apr_pstrcat(fuzz_pool, "https://a", given.below, NULL);
    if (!na_origin_matches(&given, own) ||
        na_origin_matches(&given, apr_pstrcat(fuzz_pool, own, ".evil.net", NULL)))
        abort();
    check_pattern(&given, own);
    return 0;
}
