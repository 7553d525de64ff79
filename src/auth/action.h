/* SPDX-License-Identifier: Apache-2.0 */
/* A request to an endpoint, its response, and the process and server that handle it. */
#ifndef NA_AUTH_ACTION_H
#define NA_AUTH_ACTION_H

#include "base/choice.h"
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

/* The sessions involved in a sign-in at a provider (initiator.h). */
typedef struct na_initiator {
    const na_session *session; /* of the user who began it and is still signed in, NULL if none */
    const na_session *other;   /* of a user who did not begin it, NULL if none */
    apr_int64_t began;         /* seconds */
    int is_again;              /* the user who is signed in signs in again (fresh.h) */
} na_initiator;

/* The user who signs in; rules, roles, and claims are evaluated for it. */
typedef struct na_subject {
    na_user user;
    const na_provider *provider;
    const json_t *profile;              /* the raw profile, NULL if the provider has none */
    const json_t *account;              /* provider, type, providerAccountId, scope */
    const na_tokens *tokens;            /* NULL if there are none */
    const apr_array_header_t *db_roles; /* const char *, from the database, NULL if none */
    apr_int64_t revision;               /* of the database user, when the sign-in was decided */
    int is_checked;  /* a password was verified at `revision`, which must not have changed since */
    unsigned events; /* kinds of changes to the database, a bit each */
    unsigned told;   /* kinds that were reported already */
    na_initiator initiator; /* for a sign-in at a provider */
    apr_int64_t proved_at;  /* seconds: when the user signed in by hand; 0 for now, -1 if unknown */
    int has_both_factors;   /* a passkey that verified the user was used */
    int is_first_vouched;   /* vouched for the first time: earlier sessions are not the user's */
    const char *reclaimed;  /* what was removed from the user, for the record, NULL if nothing */
} na_subject;

/* Functions that only httpd has; `data` is their argument. */
typedef struct na_host {
    void *data;
    void (*log)(void *data, const na_log_record *record);
    int (*is_dropped)(void *data, na_level level); /* 1 if log() ignores records of the level */
    na_error *(*is_true)(void *data, const na_expression *expression, const na_subject *subject,
                         int *result);
    na_error *(*value_of)(void *data, const na_expression *expression, const na_subject *subject,
                          const char **result);
    /* `user`: its ID is the name that was typed, and then the backend's own, NULL if it has none */
    na_password_result (*check_password)(void *data, const na_provider *provider,
                                         const char *password, na_user *user);
    void (*event)(void *data, const na_event *event); /* notifies other modules */
    /*
     * what the path asks of the provider, and the page to which the sign-in leads (`url`, NULL if
     * the page itself begins it); *wishes is NULL if nothing
     */
    na_error *(*wishes)(void *data, const na_provider *provider, const char *url,
                        const na_wishes **wishes);
} na_host;

/* Objects that a child process owns. */
typedef struct na_process {
    na_documents *documents;
    na_password_gate *passwords;
    na_htpasswd_index *password_files;
    na_call_limits *checks;           /* password checks of all processes */
    na_call_limits *waits;            /* requests that wait for another one's renewal of tokens */
    struct na_replay_memory *replays; /* sign-ins that were answered */
    struct na_replay_memory *proofs;  /* of DPoP that were used: NA_PROOF_MEMORIES memories */
    na_verified *inactive_tokens;     /* access tokens that their issuer refused a moment ago */
    na_metrics *metrics;              /* NULL if nothing is counted */
} na_process;

/* A request to an endpoint, without httpd's types. */
typedef struct na_request {
    apr_pool_t *pool;
    const na_config *config;
    const na_host *server;
    const na_process *process;
    const na_sessions *sessions;
    na_visit visit;
    na_db *db;                     /* users and accounts, NULL if there is no database */
    na_mail_queue *mails;          /* NULL if no email is sent */
    const na_rates *rates;         /* where attempts are counted */
    const na_event_routes *events; /* NULL if no event has a destination */
    const na_audit *audit;         /* NULL if nothing is recorded */
    na_http *http;
    apr_time_t now;
    const char *method;        /* "GET", "POST", … */
    const char *action;        /* first segment after the base path, "" if none */
    const char *provider_id;   /* second segment, NULL if none */
    const char *cookie_header; /* NULL if none */
    const apr_table_t *query, *form;
    const json_t *json; /* the body, if it is JSON; NULL if it is not */
    const na_cookies *cookies;
    int wants_return; /* X-Auth-Return-Redirect is set: Auth.js v5's client */
    int is_foreign;   /* a page of another site sent it, as the browser says */
    int is_from_here; /* a page of our origin sent it, as the browser says */
    int wants_html;   /* a browser shows the response to a user; it is not a script */
    int is_in_tab;    /* the same, and neither in a frame nor loaded in advance */
    na_event_origin origin;
    const na_trace *trace;
    const na_language *language; /* of pages and emails; everything else is English */

    /* set before the action runs */
    const char *csrf_token; /* NULL if there is none and the action issues none */
    int csrf_verified;
    const char *callback_url;    /* NULL if the action needs none */
    const na_provider *provider; /* NULL if provider_id names none */
    int is_direct;               /* a protected page begins a sign-in: direct.h */
    na_choice remember_me;       /* what the user chose before: na_remember_me */
    const char *page; /* our page that began this, and shows its errors; NULL for NextAuth's */
    int is_recorded;  /* `attempted` is recorded, but not yet reported by na_report */
    na_event_kind attempted;
    int is_unrecorded; /* the last record could not be written, so the action is refused */
    na_user claimant;  /* the user who tries to sign in, as far as known, for the record */

    /* rate limits */
    apr_array_header_t *taken; /* what this request counted, NULL if nothing */
    na_call_place *check;      /* of a password check that runs */
    const char *network;       /* na_client_network of the client, NULL until first used */
    const char *account;       /* na_limit_account of the user who signs in, NULL if unknown */
    long limit_wait;           /* seconds, if the error is NA_ERR_RATE_LIMITED */
    int is_limit_news;         /* the refusal was not recorded before */
} na_request;

/* Pages of this module to which errors lead (na_request.page), below the base URL. */
#define NA_PAGE_AGAIN "/sign-in-again"
#define NA_PAGE_ACCOUNT "/account"

/* Seconds after which a client can retry if a store was down. */
#define NA_RETRY_AFTER 5

typedef struct na_response {
    int status;
    const char *location;     /* absolute, NULL if it is not a redirect */
    const char *content_type; /* NULL if there is no body */
    const char *body;
    const char *attachment;  /* the name of the file to save the body in, NULL if it is shown */
    const char *style_nonce; /* of a page's Content-Security-Policy, NULL if it is not a page */
    const char *language;    /* of a page, NULL if it is not a page */
    int cacheable;
    const char *cache_control;       /* of what is cacheable; NULL to leave it to caches */
    int runs_script;                 /* 1 if it is a page that has the script of passkeys */
    const char *script_hash;         /* of the one script within a page, in CSP's form; else NULL */
    int signed_out;                  /* the user has ended the browser's session */
    int retry_after;                 /* seconds, 0 if the status is neither 429 nor 503 */
    apr_array_header_t *set_cookies; /* char * */
} na_response;

typedef na_error *na_action(na_request *request, na_response *response);

#endif
