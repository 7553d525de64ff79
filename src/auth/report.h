/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of events: to the log, the audit log, metrics, webhooks and other modules. */
#ifndef NA_AUTH_REPORT_H
#define NA_AUTH_REPORT_H

#include "auth/action.h"
#include "db/adapter.h"

/* `event` as in na_log_record. */
void na_log(const na_request *request, na_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Logs an error and what caused it. */
void na_log_error(const na_request *request, na_level level, const char *event,
                  const na_error *error);

/* An event of this request, about `user` (NULL: unknown); more can be set in it. */
na_event na_event_of(const na_request *request, na_event_kind kind, const na_user *user);

/* An event about a user of the database. */
na_event na_event_of_db_user(const na_request *request, na_event_kind kind, const na_db_user *user);

/* An event about the user of a session; NULL if there is none. */
na_event na_event_of_session(const na_request *request, na_event_kind kind,
                             const na_session *session);

/* An event about the user who signs in. */
na_event na_event_of_subject(const na_request *request, na_event_kind kind,
                             const na_subject *subject);

/*
 * The audit log's record, an error (NA_ERR_UNAVAILABLE) where it has to be written and cannot. Of
 * what changes the database it is the last part of the transaction, `use`, so that nothing is done
 * unrecorded; of a sign-in it comes before the session; of what ends access, afterwards. `use` is
 * NULL where there is no transaction.
 */
na_error *na_record_event(na_request *request, na_db_use *use, const na_event *event);

/*
 * Tells everybody else who keeps account of what is done: log, metrics, NextAuthEvent, modules.
 * What is done cannot fail any more: what goes wrong later in the request is no failure of it.
 */
void na_report(na_request *request, const na_event *event);

/* Both, of a failure of what was recorded last, or of the sign-in; an error as na_record_event's.
 */
na_error *na_record_failure(na_request *request, const na_error *error);

#endif
