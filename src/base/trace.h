/* SPDX-License-Identifier: Apache-2.0 */
/* W3C trace context (traceparent). */
#ifndef NA_BASE_TRACE_H
#define NA_BASE_TRACE_H

#include <apr_pools.h>

/* W3C Trace Context: the trace that a request is part of. */
typedef struct na_trace {
    const char *trace_id; /* 32 hex digits; NULL: of none */
    const char *flags;    /* 2 hex digits */
    const char *state;    /* what systems on the way have added; NULL: nothing */
} na_trace;

/*
 * Reads the headers traceparent and tracestate (Trace Context, sections 3.2 and 3.3), which may be
 * NULL or hostile: all NULL if the first is none. The second is passed on unread.
 */
na_trace na_trace_parse(apr_pool_t *pool, const char *traceparent, const char *tracestate);

/*
 * The value of traceparent for calls that are made in the course of it: with a parent id of its own
 * (section 3.2.2.4). NULL if there is no trace.
 */
const char *na_trace_child(apr_pool_t *pool, const na_trace *trace);

/* Both header lines of such calls, a NULL behind the last; NULL if there is no trace. */
const char *const *na_trace_headers(apr_pool_t *pool, const na_trace *trace);

#endif
