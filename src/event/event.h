/* SPDX-License-Identifier: Apache-2.0 */
/* Events: what happens to users and sessions, for the audit log, webhooks, programs, and metrics.
 */
#ifndef NA_EVENT_EVENT_H
#define NA_EVENT_EVENT_H

#include <apr_time.h>

#include "base/error.h"

typedef enum na_event_kind {
    NA_EVENT_SIGN_IN,
    NA_EVENT_SIGN_OUT,
    NA_EVENT_CREATE_USER,
    NA_EVENT_UPDATE_USER,
    NA_EVENT_LINK_ACCOUNT,
    NA_EVENT_UNLINK_ACCOUNT,
    NA_EVENT_SESSION, /* the session was read through its endpoint */
    NA_EVENT_LINK_SENT,
    NA_EVENT_PASSWORD_RESET,
    NA_EVENT_PASSWORD_CHANGE,
    NA_EVENT_EMAIL_CHANGE,
    NA_EVENT_RECLAIM_USER, /* the first verified owner of an email address takes its account over */
    NA_EVENT_SECOND_FACTOR, /* given by a user who was signed in without it */
    NA_EVENT_TWO_FACTOR_ON,
    NA_EVENT_TWO_FACTOR_OFF,
    NA_EVENT_RECOVERY_CODES, /* a new set of them */
    NA_EVENT_FORGET_BROWSER,
    NA_EVENT_DELETE_USER,
    NA_EVENT_REVOKE_SESSION,
    NA_EVENT_DEVICE_LOGIN, /* a user decided about a device */
    NA_EVENT_GRANT_ROLE,
    NA_EVENT_REVOKE_ROLE,
    NA_EVENT_DISABLE_USER,
    NA_EVENT_ENABLE_USER,
    NA_EVENT_LOCK_USER,
    NA_EVENT_UNLOCK_USER,
    NA_EVENT_MAKE_TOKEN, /* a personal access token */
    NA_EVENT_REVOKE_TOKEN,
    NA_EVENT_BACKUP,
    NA_EVENT_RESTORE,
    NA_EVENT_KINDS
} na_event_kind;

/* The site, client, and request of an event. Any member can be NULL. */
typedef struct na_event_origin {
    const char *site;       /* https://host[:port] */
    const char *address;    /* client IP address */
    const char *user_agent; /* User-Agent header */
    const char *request_id;
    const char *trace_id; /* W3C Trace Context: 32 hex digits */
} na_event_origin;

/* Unknown members are NULL. Lives as long as the call that it is passed to. */
typedef struct na_event {
    na_event_kind kind;
    apr_time_t time;
    const char *failure; /* the public error code; NULL on success */
    const char *reason;  /* why it failed, for the log and the audit log; no secrets */
    const char *actor;   /* "administrator"; NULL if it is the user */
    const char *user;    /* user ID */
    const char *name, *email, *image;
    const char *provider;     /* provider ID */
    const char *account_type; /* oauth, oidc, email, credentials */
    const char *account_id;   /* the provider's ID of the user */
    const char *detail;       /* a role, a session's handle, the changed members, … */
    int is_new_user;
    int is_unrecorded;           /* it failed because the audit log did; that is already counted */
    apr_int64_t session_seconds; /* how long the session has lasted that ends; 0 if unknown */
    na_event_origin origin;
} na_event;

/* Returns the name in the audit log ("SIGNIN"); NULL if the event is not recorded. */
const char *na_event_audit_name(na_event_kind kind);

/* Returns NextAuth's name ("signIn"); NULL if NextAuth has no such event. */
const char *na_event_name(na_event_kind kind);

/* Finds the kind of a NextAuth name. Returns 1 if found, 0 otherwise. */
int na_event_find(const char *name, na_event_kind *kind);

#endif
