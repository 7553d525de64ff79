/* SPDX-License-Identifier: Apache-2.0 */
/* Reports events to the log, the audit log, metrics, webhooks, and other modules. */
#ifndef NA_AUTH_REPORT_H
#define NA_AUTH_REPORT_H

#include "auth/action.h"
#include "db/database.h"

/* Writes a log line; `event` as in na_log_record. */
void na_log(const na_request *request, na_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Logs an error and what caused it. */
void na_log_error(const na_request *request, na_level level, const char *event,
                  const na_error *error);

/* Returns an event of this request about `user` (NULL if unknown); the caller can add to it. */
na_event na_event_of(const na_request *request, na_event_kind kind, const na_user *user);

/* Returns an event about a database user. */
na_event na_event_of_db_user(const na_request *request, na_event_kind kind, const na_db_user *user);

/* Returns an event about the user of a session, which can be NULL. */
na_event na_event_of_session(const na_request *request, na_event_kind kind,
                             const na_session *session);

/* Returns an event about the user who signs in. */
na_event na_event_of_subject(const na_request *request, na_event_kind kind,
                             const na_subject *subject);

/*
 * Writes a record to the audit log; the error is NA_ERR_UNAVAILABLE if it is required and cannot be
 * written. Call it as the last step of a transaction, `use` (NULL if there is none), so that no
 * change is unrecorded; for a sign-in, before the session is created; for the end of access,
 * afterwards.
 */
na_error *na_record_event(na_request *request, na_db_use *use, const na_event *event);

/*
 * Reports an event to the log, metrics, NextAuthEvent, and other modules. It is done then: a later
 * failure of the request is not a failure of this event.
 */
void na_report(na_request *request, const na_event *event);

/* Records and reports the failure of what was recorded last, or of the sign-in; an error as in
 * na_record_event.
 */
na_error *na_record_failure(na_request *request, const na_error *error);

#endif
