/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of outgoing calls. */
#include <stddef.h>

#include "httpd/config/build.h"
#include "httpd/config/settings.h"

static na_error *as_call_time(na_builder *b, const char *value, void *member)
{
    return na_read_duration(value, apr_time_from_msec(100), apr_time_from_sec(300), member)
               ? NULL
               : na_wrong(b, "invalid time '%s': expected 100ms to 300s", value);
}

static na_error *as_bytes(na_builder *b, const char *value, void *member)
{
    long bytes;
    NA_TRY(na_build_number(b, value, 1024, 64L * 1024 * 1024, &bytes));
    *(apr_size_t *)member = (apr_size_t)bytes;
    return NULL;
}

static na_error *as_calls(na_builder *b, const char *value, void *member)
{
    long calls;
    NA_TRY(na_build_number(b, value, 1, 1024, &calls));
    *(int *)member = (int)calls;
    return NULL;
}

na_error *na_build_http(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {
        {"timeout", offsetof(na_http_options, timeout_ms), as_call_time},
        {"connectTimeout", offsetof(na_http_options, connect_timeout_ms), as_call_time},
        {"maxBytes", offsetof(na_http_options, max_bytes), as_bytes},
        {"maxConcurrent", offsetof(na_http_options, max_concurrent), as_calls},
        {"proxy", offsetof(na_http_options, proxy), na_as_url},
        {"caFile", offsetof(na_http_options, ca_file), na_as_file},
        {"traceContext", offsetof(na_http_options, trace_context), na_as_switch},
        {NULL, 0, NULL}};
    NA_TRY(na_build_settings(b, w, 0, settings, &b->config->http));
    return na_http_options_check(b->pool, &b->config->http);
}
