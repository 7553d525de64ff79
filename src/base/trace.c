/* SPDX-License-Identifier: Apache-2.0 */
/* W3C trace context (traceparent). */
#include "base/trace.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"

/* version - trace-id - parent-id - trace-flags */
#define VERSION_LEN 2
#define TRACE_ID_AT 3
#define TRACE_ID_LEN 32
#define PARENT_ID_AT 36
#define PARENT_ID_LEN 16
#define FLAGS_AT 53
#define FLAGS_LEN 2
#define LEN 55

static int is_hex(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdef") >= len;
}

static int is_zero(const char *text, size_t len)
{
    return strspn(text, "0") >= len;
}

/* Section 3.2.2: lower-case hex, IDs that are not all zero; 4.3: a later version can add more. */
static int is_traceparent(const char *text)
{
    size_t len = strnlen(text, LEN + 1);
    if (len < LEN || text[2] != '-' || text[PARENT_ID_AT - 1] != '-' || text[FLAGS_AT - 1] != '-')
        return 0;
    if (!is_hex(text, VERSION_LEN) || strncmp(text, "ff", VERSION_LEN) == 0 ||
        !is_hex(text + TRACE_ID_AT, TRACE_ID_LEN) || !is_hex(text + PARENT_ID_AT, PARENT_ID_LEN) ||
        !is_hex(text + FLAGS_AT, FLAGS_LEN))
        return 0;
    if (len > LEN && (strncmp(text, "00", VERSION_LEN) == 0 || text[LEN] != '-'))
        return 0;
    return !is_zero(text + TRACE_ID_AT, TRACE_ID_LEN) &&
           !is_zero(text + PARENT_ID_AT, PARENT_ID_LEN);
}

/* Section 3.3.1.5: this many characters must be passed on; more are optional. */
#define STATE_LEN_MAX 512

static int is_tracestate(const char *text)
{
    return text && *text && strlen(text) <= STATE_LEN_MAX && na_is_utf8(text) &&
           !na_has_control(text);
}

na_trace na_trace_parse(apr_pool_t *pool, const char *traceparent, const char *tracestate)
{
    if (!traceparent || !is_traceparent(traceparent))
        return (na_trace){0};
    return (na_trace){apr_pstrmemdup(pool, traceparent + TRACE_ID_AT, TRACE_ID_LEN),
                      apr_pstrmemdup(pool, traceparent + FLAGS_AT, FLAGS_LEN),
                      is_tracestate(tracestate) ? apr_pstrdup(pool, tracestate) : NULL};
}

const char *na_trace_child(apr_pool_t *pool, const na_trace *trace)
{
    return trace->trace_id
               ? apr_pstrcat(pool, "00-", trace->trace_id, "-",
                             na_random_hex(pool, PARENT_ID_LEN / 2), "-", trace->flags, NULL)
               : NULL;
}

const char *const *na_trace_headers(apr_pool_t *pool, const na_trace *trace)
{
    if (!trace->trace_id)
        return NULL;
    const char **headers = apr_pcalloc(pool, 3 * sizeof *headers);
    headers[0] = apr_pstrcat(pool, "traceparent: ", na_trace_child(pool, trace), NULL);
    if (trace->state)
        headers[1] = apr_pstrcat(pool, "tracestate: ", trace->state, NULL);
    return headers;
}
