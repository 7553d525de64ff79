/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and dates as text. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include <apr_strings.h>

char *na_iso8601(apr_pool_t *pool, apr_time_t when)
{
    apr_time_exp_t t;
    apr_time_exp_gmt(&t, when);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900, t.tm_mon + 1,
                        t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_usec / 1000);
}

int na_iso8601_read(const char *text, apr_time_t *when)
{
    apr_time_exp_t t = {0};
    int milliseconds = 0;
    if (sscanf(text, "%d-%d-%d%*[T ]%d:%d:%d.%3d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
               &t.tm_min, &t.tm_sec, &milliseconds) < 6)
        return 0;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    t.tm_usec = milliseconds * 1000;
    return apr_time_exp_gmt_get(when, &t) == APR_SUCCESS;
}

char *na_http_date(apr_pool_t *pool, apr_time_t when)
{
    char *out = apr_palloc(pool, APR_RFC822_DATE_LEN);
    apr_rfc822_date(out, when);
    return out;
}

apr_int64_t na_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (apr_int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
