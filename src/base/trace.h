/* SPDX-License-Identifier: Apache-2.0 */
/* W3C trace context (traceparent). */
#ifndef NA_BASE_TRACE_H
#define NA_BASE_TRACE_H

#include <apr_pools.h>

/* The trace that a request is part of. */
typedef struct na_trace {
    const char *trace_id; /* 32 hex digits; NULL if there is no trace */
    const char *flags;    /* 2 hex digits */
    const char *state;    /* entries of systems on the way; NULL if none */
} na_trace;

/*
 * Reads the headers traceparent and tracestate (Trace Context, sections 3.2 and 3.3), which can be
 * NULL or hostile: all members are NULL if the first is missing or invalid. The second is passed on
 * unread.
 */
na_trace na_trace_parse(apr_pool_t *pool, const char *traceparent, const char *tracestate);

/*
 * Returns the value of traceparent for calls that belong to the trace, with a parent ID of its own
 * (section 3.2.2.4). NULL if there is no trace.
 */
const char *na_trace_child(apr_pool_t *pool, const na_trace *trace);

/* Returns both header lines of such calls, NULL-terminated; NULL if there is no trace. */
const char *const *na_trace_headers(apr_pool_t *pool, const na_trace *trace);

#endif
