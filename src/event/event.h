/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_EVENT_EVENT_H
#define NA_EVENT_EVENT_H

#include <apr_time.h>

#include "base/error.h"

/* What happens to users and their sessions, and is told to whoever keeps account of it. */
typedef enum na_event_kind {
    NA_EVENT_SIGN_IN,
    NA_EVENT_SIGN_OUT,
    NA_EVENT_CREATE_USER,
    NA_EVENT_UPDATE_USER,
    NA_EVENT_LINK_ACCOUNT,
    NA_EVENT_UNLINK_ACCOUNT,
    NA_EVENT_SESSION, /* the session was read by way of its endpoint */
    NA_EVENT_LINK_SENT,
    NA_EVENT_PASSWORD_RESET,
    NA_EVENT_PASSWORD_CHANGE,
    NA_EVENT_EMAIL_CHANGE,
    NA_EVENT_RECLAIM_USER, /* the first who is vouched for ends what others made */
    NA_EVENT_DELETE_USER,
    NA_EVENT_REVOKE_SESSION,
    NA_EVENT_GRANT_ROLE,
    NA_EVENT_REVOKE_ROLE,
    NA_EVENT_DISABLE_USER,
    NA_EVENT_ENABLE_USER,
    NA_EVENT_LOCK_USER,
    NA_EVENT_UNLOCK_USER,
    NA_EVENT_BACKUP,
    NA_EVENT_RESTORE,
    NA_EVENT_KINDS
} na_event_kind;

/* By way of whom, and in the course of what. Any of it may be NULL. */
typedef struct na_event_origin {
    const char *site;       /* https://host[:port] */
    const char *address;    /* of the client */
    const char *user_agent; /* as the client says */
    const char *request_id;
    const char *trace_id; /* W3C Trace Context: 32 hex digits */
} na_event_origin;

/* Whatever is not known is NULL. Lives as long as the call that tells it. */
typedef struct na_event {
    na_event_kind kind;
    apr_time_t time;
    const char *failure; /* the public error code; NULL: it was done */
    const char *reason;  /* why it failed, for the log and the audit log; no secrets */
    const char *actor;   /* "administrator"; NULL: the user himself */
    const char *user;    /* id */
    const char *name, *email, *image;
    const char *provider;     /* id */
    const char *account_type; /* oauth, oidc, email, credentials */
    const char *account_id;   /* the user's id with the provider */
    const char *detail;       /* the role, the session's handle, which members changed, … */
    int is_new_user;
    int is_unrecorded; /* it failed for want of a record: a failure that is counted already */
    apr_int64_t session_seconds; /* how long a session that ends has lasted; 0: unknown */
    na_event_origin origin;
} na_event;

/* "SIGNIN": what the audit log calls it; NULL where it does not belong there. */
const char *na_event_audit_name(na_event_kind kind);

/* "signIn": what NextAuth calls it; NULL where NextAuth has no such event. */
const char *na_event_name(na_event_kind kind);

/* The kind of NextAuth's name; 0 where there is none. */
int na_event_find(const char *name, na_event_kind *kind);

#endif
