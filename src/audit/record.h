/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUDIT_RECORD_H
#define NA_AUDIT_RECORD_H

#include "event/event.h"

/*
 * What is recorded of an event: UTF-8 without DEL and C1 controls, each cut to what a line has
 * place for. NULL where the event says nothing.
 */
typedef struct na_audit_fields {
    apr_time_t when;
    const char *time;    /* the same: ISO 8601, UTC, milliseconds */
    const char *event;   /* na_event_audit_name */
    const char *outcome; /* "success" or "failure" */
    const char *reason;  /* "code: why"; NULL with success */
    const char *user, *email, *name, *provider, *actor, *detail;
    const char *address, *user_agent, *request_id, *trace_id, *site;
} na_audit_fields;

/* Copies into the pool. The event must be one that has an audit name. */
void na_audit_fields_of(apr_pool_t *pool, const na_event *event, na_audit_fields *fields);

/*
 * The record as compact JSON, members in a fixed order: seq, those of `fields` that are there,
 * prev. Shorter than NA_AUDIT_LINE_MAX less the member that is put behind it. NULL where memory is
 * out.
 */
char *na_audit_record(apr_pool_t *pool, const na_audit_fields *fields, apr_int64_t seq,
                      const char *prev);

#endif
