/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "event/sentry.h"

/*
 * Foreign text, read as three things: a DSN leads to one place or is refused and
 * not shown; a limit is a time of up to a day; a message keeps neither queries nor addresses.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    na_sentry_dsn dsn;
    const na_error *error = na_sentry_dsn_parse(fuzz_pool, text, &dsn);
    if (error && strlen(text) > 50 && strstr(error->message, text))
        abort();
    if (!error && (strpbrk(dsn.url, "@ \r\n?#") || strpbrk(dsn.key, "@:, \r\n") ||
                   !strstr(dsn.url, "/envelope/")))
        abort();
    long limit = na_sentry_limit(text);
    if (limit < 0 || limit > 24L * 3600)
        abort();
    const char *scrubbed = na_sentry_scrub(fuzz_pool, text, 0);
    if (strpbrk(scrubbed, "@'\r\n"))
        abort();
    return 0;
}
