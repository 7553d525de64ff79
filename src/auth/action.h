/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_AUTH_ACTION_H
#define NA_AUTH_ACTION_H

#include "auth/config.h"
#include "password/htpasswd.h"
#include "password/gate.h"
#include "db/adapter.h"
#include "mail/queue.h"
#include "oauth/oauth.h"
#include "audit/audit.h"
#include "event/event.h"
#include "event/routes.h"
#include "base/log.h"
#include "metrics/metrics.h"
#include "base/trace.h"
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
typedef struct na_server {
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
} na_server;

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
    const na_server *server;
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

/* Finds the action and runs it; an error becomes NextAuth's redirect or page, and a log line. */
void na_dispatch(na_request *request, na_response *response);

na_action na_get_providers, na_get_session, na_post_session, na_get_csrf, na_get_signin,
    na_post_signin, na_get_signout, na_post_signout, na_get_sessions, na_post_sessions, na_callback,
    na_get_verify_request, na_get_error, na_post_log;

/* The kinds of callback, and what sends the link of one. */
na_action na_callback_oauth, na_callback_credentials, na_callback_email, na_signin_email;

/*
 * Signs the subject in: rules, roles, claims, session cookie, and on to request->callback_url.
 */
na_error *na_complete_sign_in(na_request *request, na_response *response, na_subject *subject);

/* Reports what became of the database, once it stands there; each change once. */
void na_report_changes(na_request *request, na_subject *subject);

/*
 * resolve_user.c: who the subject is in the database, as Auth.js decides it: known, linked to the
 * user who is signed in, linked by address, or new. Puts that user, and his roles, into the
 * subject.
 */
na_error *na_account_resolve(na_request *request, na_subject *subject);

/* callback_email.c: the same of who has a link, which is used up. */
na_error *na_account_resolve_email(na_request *request, na_subject *subject);

/* Puts a user of the database, and his roles, into the subject; refuses one who is disabled. */
na_error *na_account_adopt(na_request *request, na_db_use *use, const na_db_user *user,
                           na_subject *subject);

/* How long a notice that cannot be sent at once is tried for: it says what was done. */
#define NA_NOTICE_SECONDS (24L * 3600)

/*
 * notice.c: tells the owner of an address by mail what was done with the account, where mail is
 * sent at all. What goes wrong is a line of the log: it is done.
 */
void na_notice_send(na_request *request, na_mail_kind kind, const char *email, long seconds);

/*
 * reclaim.c: the address of a user is vouched for, for the first time perhaps: then whoever was
 * signed in with what was made before is out. `kept` (may be NULL) is the account that vouches.
 */
na_error *na_account_vouch(na_request *request, na_db_use *use, na_db_user *user,
                           const na_db_account *kept, na_subject *subject);

/* Ends the sessions that were there before, once the transaction stands. */
na_error *na_account_end_unvouched(na_request *request, const na_subject *subject);

/* The audit log's records of what a transaction did for the subject: made a user, linked an
 * account. */
na_error *na_account_audit(na_request *request, na_db_use *use, const na_subject *subject);

/* The same of a user whom his password was checked for. */
na_error *na_account_resolve_known(na_request *request, na_subject *subject);

/* NextAuthSignInRule: refuses with NA_ERR_ACCESS_DENIED. */
na_error *na_apply_rules(na_request *request, const na_subject *subject);

/* mail_link.c: links that are mailed, each for one use. */
typedef struct na_link {
    na_mail_kind kind;
    const char *email;      /* who gets it, normalized */
    const char *identifier; /* what it is for, in the database */
    const char *path;       /* below the base address */
    long valid_for;         /* seconds */
    int is_for_nobody;      /* all is done as for somebody, but no mail leaves */
} na_link;

/* The code of an error is NA_ERR_EMAIL_SIGNIN or one of an unavailable database. */
/* What the identifier begins with, before the address: nothing where it signs in. */
#define NA_LINK_SIGN_UP "signup:"
#define NA_LINK_RESET "reset:"

/* Of an address that gets a link: an identifier with it has to fit into its column. */
#define NA_LINK_EMAIL_MAX 200

na_error *na_link_send(na_request *request, const na_link *link);

/*
 * Uses up a token in a transaction, which should stand even where this fails with
 * NA_ERR_VERIFICATION: it was used before, never made, or came too late.
 */
/* Ends all links of an address; NULL has none. */
na_error *na_link_end_all(na_request *request, na_db_use *use, const char *email);

na_error *na_link_use(na_request *request, na_db_use *use, const char *identifier,
                      const char *token);

/* What na_link_use would say now; nothing is used up. */
na_error *na_link_check(na_request *request, na_db_use *use, const char *identifier,
                        const char *token);

/* opened_link.c: a link that was opened, or the form of its page. */
typedef struct na_opened_link {
    const char *email, *token;
    int is_moved; /* the answer is a redirect to the page, whose URL has neither */
} na_opened_link;

/*
 * Takes it from the form of a POST, from the URL, or from the cookie that it was moved to; nothing
 * is used up. An error (NA_ERR_VERIFICATION) where it is nowhere.
 */
na_error *na_link_open(na_request *request, na_response *response, na_opened_link *link);

/* password_user.c: users whose password is in the database. */

/*
 * *user is whose address and password these are; `found` 0 where they are nobody's. Takes as long
 * for nobody.
 */
na_error *na_password_user_check(na_request *request, const char *email, const char *password,
                                 na_db_user *user, apr_int64_t *revision, int *found);

/*
 * Gives the user a password and ends the sessions that there are, in a transaction. Fails with
 * NA_ERR_CREDENTIALS_SIGNIN if the user's revision is not the one (NULL: whichever it is) at which
 * the current password was checked. *revision takes the new one.
 */
na_error *na_password_user_put(na_request *request, na_db_use *use, const char *user_id,
                               const char *hash, const apr_int64_t *checked, apr_int64_t *revision);

/* Hashes a new password, behind the gate. */
na_error *na_password_user_hash(na_request *request, const char *password, const char **hash);

/* What is wrong with a new password, for who chose it; NULL where nothing is. */
const char *na_password_user_fault(na_request *request, const char *name, const char *email,
                                   const char *password);

/* The same of what is known from breaches, which a service is asked: once all else is checked. */
const char *na_password_user_breach(na_request *request, const char *password);

/* The name of the form; NULL where there is none, or none that can be one. */
const char *na_password_user_name(const na_request *request);

/*
 * Ends the user's sessions in the registry, if there is one: the user's new revision has ended them
 * already, this takes them off the list.
 */
na_error *na_password_user_sign_out(na_request *request, const char *user_id);

/* Whether one of these features (NA_FEATURE_…) of users with passwords is on. */
int na_feature_is_offered(const na_request *request, int features);

na_action na_get_signup, na_post_signup, na_get_reset, na_post_reset, na_get_set_password,
    na_post_set_password, na_get_account, na_post_account, na_confirm_email;

/*
 * Enters the gate of password checks as the request's client; an error NA_ERR_BUSY if there is no
 * place for it. na_gate_leave follows where it was entered.
 */
na_error *na_gate_enter(na_request *request);
void na_gate_leave(na_request *request);

/* limit.c: how often something may be tried (NextAuthRateLimit). */

/* The client's IPv4 address, or the /64 network of its IPv6 address. */
const char *na_client_network(apr_pool_t *pool, const char *address);

/* The same of the request's client. */
const char *na_network_of(na_request *request);

/* What a name that somebody typed is counted as: a provider's, or NULL for an email address. */
const char *na_limit_account(apr_pool_t *pool, const na_provider *provider, const char *name);

/*
 * Counts an attempt for the client and for `account`, or NULL if none is named. An error
 * NA_ERR_RATE_LIMITED if there were too many.
 */
na_error *na_limit_take(na_request *request, na_limited what, const char *account);

/*
 * Counts what belongs to nothing that this browser began, apart from what does: a page elsewhere
 * can make any browser send it, and must not use up the budget of those at the same address.
 */
na_error *na_limit_take_stray(na_request *request, na_limited what);

/* Counts an attempt of who is signed in to the account, apart from everybody else's. */
na_error *na_limit_take_signed_in(na_request *request, na_limited what, const char *account);

/* What was tried succeeded, or was not tried at all: of sign-ins, only failures count. */
void na_limit_give_back(na_request *request);

/* Forgets what was counted for a name that somebody signs in with, whichever client it was. */
na_error *na_limit_unlock(apr_pool_t *pool, const na_config *config, const na_rates *rates,
                          const char *name);

/* Lets request->account's next sign-in from this browser have a budget of its own. */
void na_limit_remember(na_request *request, na_response *response);

/* lock.c: records that request->claimant's account is locked, and tells its owner by email. */
na_error *na_lock_report(na_request *request, long seconds);

/* What a provider's type is called, and that of its accounts: v4 knows no "oidc". */
const char *na_account_type(const na_config *config, const na_provider *provider);

/* respond.c */

/* A JSON body. */
void na_respond_json(na_request *request, na_response *response, int status, const json_t *json);

/*
 * On to `url`, made absolute: as a redirect, or as {"url": …} to a client that asked for that,
 * with `status` where it is v4's.
 */
void na_respond_redirect(na_request *request, na_response *response, int status, const char *url);

/* One of the built-in pages. */
void na_respond_page(na_request *request, na_response *response, int status, const char *title,
                     const char *content);

/*
 * Has the page that the browser is sent to show the request's id as a reference, by way of a
 * cookie: the addresses of errors are NextAuth's.
 */
void na_keep_reference(na_request *request, na_response *response);

void na_set_cookie(na_response *response, char *set_cookie);

/* A session as programs are told of it; a new reference. */
json_t *na_session_listing(apr_pool_t *pool, const na_listed *listed);

/* The form's field, else the query's; NULL where there is none. */
const char *na_parameter(const na_request *request, const char *name);

/* `event` as in na_log_record. */
void na_log(const na_request *request, na_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same of an error, with what caused it. */
void na_log_error(const na_request *request, na_level level, const char *event,
                  const na_error *error);

/* An event of this request, about `user` (NULL: unknown); more can be set in it. */
na_event na_event_of(const na_request *request, na_event_kind kind, const na_user *user);

/* The same about a user of the database. */
na_event na_event_of_db_user(const na_request *request, na_event_kind kind, const na_db_user *user);

/* The same about whose session this is; NULL: nobody's. */
na_event na_event_of_session(const na_request *request, na_event_kind kind,
                             const na_session *session);

/* The same about who signs in. */
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

/* Whether who asks is an Auth.js v5 client, or a plain form of a site that is configured for v5. */
int na_speaks_v5(const na_request *request);

/* na_session_load for what is no look at a page or at a session: metrics do not count it. */
na_error *na_request_session(const na_request *request, const na_session **session);

/* The same, with the store and the database asked, however lately they were. */
na_error *na_request_session_now(const na_request *request, const na_session **session);

/* csrf.c: double submit as NextAuth makes it. Sets csrf_token, NULL if none, and csrf_verified. */
void na_csrf(na_request *request);

/* Sets csrf_token, and its cookie, for a form to come; keeps a token that is the session's. */
void na_csrf_hand_out(na_request *request, na_response *response);

/* The part of csrf_token that stays while the browser keeps the cookie; NULL if there is none. */
const char *na_csrf_browser(const na_request *request);

/* The answer to a form without the token: v5's error, or on to v4's `page` under the base path. */
na_error *na_refuse_csrf(na_request *request, na_response *response, const char *page);

/* callback_url.c: sets callback_url, and the cookie where it changes. */
void na_callback_url(na_request *request, na_response *response);

/* callback_url, or the start page where it has more than `max` bytes. */
const char *na_callback_url_within(const na_request *request, size_t max);

/* What a sign-in can carry through a provider, in one cookie, or in a mailed link. */
#define NA_CALLBACK_URL_CARRIED 2400

/*
 * NextAuth's redirect callback: an absolute address on our origin or one of NextAuthRedirectAllow.
 * NULL where `url` is anything else.
 */
const char *na_safe_redirect(apr_pool_t *pool, const na_config *config, const char *url);

#endif
