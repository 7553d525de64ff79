/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_OPS_TRACE_H
#define NA_OPS_TRACE_H

#include <apr_pools.h>

/* W3C Trace Context: the trace that a request is part of. */
typedef struct na_trace {
    const char *trace_id; /* 32 hex digits; NULL: of none */
    const char *flags;    /* 2 hex digits */
} na_trace;

/*
 * Reads a traceparent header (Trace Context, section 3.2), which may be NULL or hostile: all NULL
 * where it is none.
 */
na_trace na_trace_parse(apr_pool_t *pool, const char *traceparent);

/*
 * The header for a call that is made in the course of it: a parent id of its own (section 3.2.2.4).
 * NULL where there is no trace.
 */
const char *na_trace_child(apr_pool_t *pool, const na_trace *trace);

#endif
