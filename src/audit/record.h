/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records: what is recorded of an event. */
#ifndef NA_AUDIT_RECORD_H
#define NA_AUDIT_RECORD_H

#include "event/event.h"

/*
 * Texts are UTF-8 without DEL and C1 controls, shortened so that a line has room for all of them.
 * NULL if the event has no such value.
 */
typedef struct na_audit_fields {
    apr_time_t when;
    const char *time;    /* `when` in ISO 8601, UTC, with milliseconds */
    const char *event;   /* na_event_audit_name */
    const char *outcome; /* "success" or "failure" */
    const char *reason;  /* "code: reason"; NULL on success */
    const char *user, *email, *name, *provider, *actor, *detail;
    const char *address, *user_agent, *request_id, *trace_id, *site;
} na_audit_fields;

/* Copies into the pool. The event must have an audit name. */
void na_audit_fields_of(apr_pool_t *pool, const na_event *event, na_audit_fields *fields);

/*
 * Returns the record as compact JSON, with members in a fixed order: seq, those of `fields` that
 * are not NULL, prev. It leaves room in NA_AUDIT_LINE_MAX for its hash. NULL if out of memory.
 */
char *na_audit_record(apr_pool_t *pool, const na_audit_fields *fields, apr_int64_t seq,
                      const char *prev);

#endif
