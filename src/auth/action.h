/* SPDX-License-Identifier: Apache-2.0 */
/* A request to an endpoint, the answer to it, and what both rest on. */
#ifndef NA_AUTH_ACTION_H
#define NA_AUTH_ACTION_H

#include "audit/audit.h"
#include "auth/config.h"
#include "base/call_limits.h"
#include "base/log.h"
#include "base/trace.h"
#include "event/event.h"
#include "event/routes.h"
#include "mail/queue.h"
#include "metrics/metrics.h"
#include "oauth/oauth.h"
#include "password/gate.h"
#include "password/htpasswd.h"
#include "store/rate.h"

/* Whose browser began a sign-in at a provider: initiator.h. */
typedef struct na_initiator {
    const na_session *session; /* who began it and is signed in still; NULL: nobody */
    const na_session *other;   /* who is signed in without having begun it; NULL: nobody */
} na_initiator;

/* Who signs in: what rules, roles and claims are worked out from. */
typedef struct na_subject {
    na_user user;
    const na_provider *provider;
    const json_t *profile;              /* the raw profile; NULL with credentials */
    const json_t *account;              /* provider, type, providerAccountId, scope */
    const na_tokens *tokens;            /* NULL where there are none */
    const apr_array_header_t *db_roles; /* const char *, of the database; NULL: none */
    apr_int64_t revision;   /* of the user of the database, as it was when this was decided */
    int is_checked;         /* a password was checked, at `revision`: that has to be so still */
    unsigned events;        /* kinds of what the sign-in did in the database, a bit each */
    unsigned told;          /* those that were reported */
    na_initiator initiator; /* of a sign-in at a provider */
    int is_first_vouched;   /* nobody was vouched for before: the user's sessions are others' */
    const char *reclaimed;  /* what was taken from them, for the record; NULL: nothing */
} na_subject;

/* What only the server can do; `data` is its own. */
typedef struct na_host {
    void *data;
    void (*log)(void *data, const na_log_record *record);
    na_error *(*is_true)(void *data, const na_expression *expression, const na_subject *subject,
                         int *result);
    na_error *(*value_of)(void *data, const na_expression *expression, const na_subject *subject,
                          const char **result);
    /* `user`: its id is the name that was typed, and then the backend's own; NULL: it has none. */
    na_password_result (*check_password)(void *data, const na_provider *provider,
                                         const char *password, na_user *user);
    void (*event)(void *data, const na_event *event); /* tells other modules */
} na_host;

/* What a child process owns. */
typedef struct na_process {
    na_documents *documents;
    na_password_gate *passwords;
    na_call_limits *checks;           /* the password checks of all processes */
    struct na_replay_memory *replays; /* sign-ins whose answer came */
    na_metrics *metrics;              /* NULL where nothing is counted */
} na_process;

/* A request to an endpoint, the server's own types left behind. */
typedef struct na_request {
    apr_pool_t *pool;
    const na_config *config;
    const na_host *server;
    const na_process *process;
    const na_sessions *sessions;
    na_visit visit;
    na_db *db;                     /* users and accounts; NULL where there is no database */
    na_mail_queue *mails;          /* NULL where no mail is sent */
    const na_rates *rates;         /* where attempts are counted */
    const na_event_routes *events; /* NULL where nobody is told of any */
    const na_audit *audit;         /* NULL where nothing is recorded */
    na_http *http;
    apr_time_t now;
    const char *method;        /* "GET", "POST", … */
    const char *action;        /* first segment behind the base path; "" where there is none */
    const char *provider_id;   /* second segment; NULL where there is none */
    const char *cookie_header; /* NULL where there is none */
    const apr_table_t *query, *form;
    const na_cookies *cookies;
    int wants_return; /* X-Auth-Return-Redirect is there: Auth.js v5's client */
    int is_foreign;   /* the browser says that another site's page asks */
    int is_from_here; /* it says that a page of our origin does */
    int wants_html;   /* a person's browser asks, not a program */
    na_event_origin origin;
    const na_trace *trace;

    /* worked out before the action runs */
    const char *csrf_token; /* NULL where there is none and the action hands none out */
    int csrf_verified;
    const char *callback_url;    /* NULL where the action needs none */
    const na_provider *provider; /* NULL where provider_id names none */
    int is_recorded; /* na_record_event was told that this is done, na_report not yet: */
    na_event_kind attempted;
    int is_unrecorded; /* the last record could not be written, so that this is refused */
    na_user claimant;  /* who wants to sign in, as far as that is known: for the record */

    /* rate limits */
    apr_array_header_t *taken; /* what this request counted; NULL if nothing */
    na_call_place *check;      /* of a password check that is under way */
    const char *network;       /* na_client_network of the client; NULL if not asked for yet */
    const char *account;       /* na_limit_account of who signs in; NULL if not known */
    long limit_wait;           /* seconds, of an error NA_ERR_RATE_LIMITED */
    int is_limit_news;         /* it was not recorded before */
} na_request;

/* Seconds after which to try again what a store that is down kept from being answered. */
#define NA_RETRY_AFTER 5

typedef struct na_response {
    int status;
    const char *location;     /* absolute; NULL where it leads nowhere */
    const char *content_type; /* NULL where there is no body */
    const char *body;
    const char *style_nonce; /* of a page's Content-Security-Policy; NULL where it is no page */
    int cacheable;
    int signed_out;                  /* the browser's session has ended, as its user wanted */
    int retry_after;                 /* seconds; 0 if the status is neither 429 nor 503 */
    apr_array_header_t *set_cookies; /* char * */
} na_response;

typedef na_error *na_action(na_request *request, na_response *response);

#endif
