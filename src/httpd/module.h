/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_MODULE_H
#define NA_HTTPD_MODULE_H

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <ap_expr.h>

#include "auth/action.h"
#include "httpd/store_provider.h"
#include "httpd/written.h"
#include "audit/audit.h"
#include "health/health.h"
#include "event/sentry.h"
#include "metrics/statsd.h"
#include "base/trace.h"
#include "store/rate.h"
#include "store/redis.h"

extern module AP_MODULE_DECLARE_DATA nextauth_module;
APLOG_USE_MODULE(nextauth);

/* ── configuration ─────────────────────────────────────────────────────────────────────────── */

/* The stores that a server names, and what their providers need to know. */
typedef struct na_store_plan {
    const apr_array_header_t *names; /* const char *: the first is written to */
    const char *socache;             /* NextAuthSOCache; NULL where there is none */
    const na_redis_options *redis;   /* NextAuthRedis; likewise */
    const na_db_options *database;   /* NextAuthDatabase; likewise */
    const char *redis_identity;      /* servers with equal ones share connections */
} na_store_plan;

/* NextAuthLog. */
typedef struct na_log_plan {
    int json;
    const char *target; /* a file's path or "|program"; NULL: the server's error log */
} na_log_plan;

/* One NextAuthEvent. */
typedef struct na_event_rule {
    unsigned kinds;           /* of events, a bit each */
    const char *target;       /* an address, or "|program arguments" */
    apr_array_header_t *keys; /* na_bytes, of a webhook; NULL for a program */
    const na_directive *at;
} na_event_rule;

/* NextAuthEvent, NextAuthEventQueue and NextAuthSentry. */
typedef struct na_delivery_plan {
    apr_array_header_t *rules; /* na_event_rule; NULL where there is none */
    const char *folder;        /* NULL: in the server's runtime folder */
    long max_items;
    const na_sentry_options *sentry; /* NULL: nothing is reported */
    int sentry_is_off;               /* whatever the environment says */
} na_delivery_plan;

/* NextAuthAuditLog. */
#define NA_AUDIT_DATABASE "database"
typedef struct na_audit_plan {
    const apr_array_header_t
        *sinks;      /* const char *: a path, "|program" or NA_AUDIT_DATABASE; NULL: none */
    int goes_on;     /* onFailure=continue */
    const char *key; /* NULL: none */
} na_audit_plan;

/* What the processes of a server learn of others by the way, in shared memory. */
typedef struct na_shared_health {
    na_breaker_state mail;
    na_peer peers[]; /* one a provider */
} na_shared_health;

/* What a server's directives say that is for the server, not for the actions. */
typedef struct na_plan {
    na_store_plan stores;
    na_log_plan log;
    na_audit_plan audit;
    na_delivery_plan delivery;
    const na_statsd_options *statsd;   /* NULL: none */
    const apr_table_t *variables;      /* NextAuth's, by name: "1" where it has a value, else "" */
    const apr_table_t *used_variables; /* by name: those that something was read from */
} na_plan;

/* A server's directives, and what they come to once all are read. */
typedef struct na_server_conf {
    apr_array_header_t *written; /* na_directive */
    const na_config *config;     /* NULL where the engine is off */
    na_plan plan;

    /* opened before the fork */
    apr_file_t *log;               /* NULL: the server's error log */
    na_audit *audit;               /* NULL where there is no NextAuthAuditLog */
    const na_event_routes *events; /* NULL where nobody is told of any */
    na_sentry *sentry;             /* NULL where nothing is reported */
    na_shared_health *shared_health;

    /* the child's own */
    na_http *http;
    na_db *db;            /* NULL where there is no NextAuthDatabase */
    na_mail_queue *mails; /* NULL where there is no NextAuthMail */
    na_rates rates;       /* where attempts are counted */
    na_sessions sessions;
    na_health_desk *health_desk;
} na_server_conf;

typedef enum na_unauthenticated {
    NA_UNSET,
    NA_AUTO,
    NA_REDIRECT,
    NA_401,
    NA_PASS
} na_unauthenticated;

/* Which identity strings are handed on; a bit each. */
enum { NA_PASS_NOTHING = 1, NA_PASS_ENV = 2, NA_PASS_HEADERS = 4 };

typedef struct na_dir_conf {
    na_unauthenticated unauthenticated;
    int pass_identity;               /* 0: not set */
    const char *remote_user;         /* a claim; NULL: email, else PROVIDER:ID */
    ap_regex_t *remote_user_pattern; /* NULL: the whole claim */
    const char *remote_user_form;    /* what the match becomes: "$1" */
    const char *cache_control;       /* NULL: not set; "": the application's alone */
    int accept_tokens;               /* 0: not set; else NA_ACCEPT_… */
} na_dir_conf;

/* NextAuthAcceptTokens, each but 0 a word of it. */
enum { NA_ACCEPT_NONE = 1, NA_ACCEPT_SESSION = 2 };

extern const command_rec na_directives[];

void *na_make_server_conf(apr_pool_t *pool, server_rec *s);
void *na_merge_server_conf(apr_pool_t *pool, void *base, void *over);
void *na_make_dir_conf(apr_pool_t *pool, char *dir);
void *na_merge_dir_conf(apr_pool_t *pool, void *base, void *over);

static inline na_server_conf *na_server_conf_of(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &nextauth_module);
}

static inline const na_config *na_config_of(const request_rec *r)
{
    return na_server_conf_of(r->server)->config;
}

static inline const na_dir_conf *na_dir_conf_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &nextauth_module);
}

/* As NextAuthMode has it. */
const char *na_mode_name(na_mode mode);

/* How other machines can get at a server that is not for real users, and what to do about it. */
typedef struct na_exposure {
    const char *how; /* "it listens on 0.0.0.0:80"; NULL: they cannot, or it is for real users */
    const char *hint;
} na_exposure;

na_exposure na_exposure_of(apr_pool_t *pool, const server_rec *s, const na_config *config);

/* ── requests ──────────────────────────────────────────────────────────────────────────────── */

/* What the module knows of a request. */
typedef struct na_state {
    int is_endpoint;
    int is_local;              /* of an initial request: see httpd/request/local.h */
    int auth_type;             /* 1: ours, -1: another or none, 0: not asked yet */
    int loaded;                /* `session` was looked for */
    int asked;                 /* an expression wanted to know the session */
    int is_answering;          /* the filters of the answer are in place */
    int authorizing;           /* a hook of ours is running the others */
    int is_authorized;         /* it was let in, whoever asked */
    int unavailable;           /* whether somebody is signed in cannot be told */
    int by_bearer;             /* the session is of a program's token, not of a cookie */
    const na_session *session; /* NULL: nobody is signed in */
    const na_subject *subject; /* during a sign-in: what its expressions are about */
    const na_trace *trace;     /* NULL: not asked for yet */
    const char *query;         /* as it came, where the request's own has parts hidden; else NULL */
} na_state;

/* The request's state; made where there is none yet. */
na_state *na_state_of(request_rec *r);

static inline int na_is_endpoint(const request_rec *r)
{
    const na_state *state = ap_get_module_config(r->request_config, &nextauth_module);
    return state && state->is_endpoint;
}

/* What this client's sessions are bound to; NULL: to nothing, "": it has not what is asked for. */
const char *na_binding_of(request_rec *r);

/* The request as sessions see it. */
void na_visit_of(request_rec *r, na_visit *visit);

/* The session of the request, looked for once; NULL where there is none. */
const na_session *na_session_of(request_rec *r);

/* 1 where a browser loads a page, as opposed to a program that wants data. */
int na_is_page_load(request_rec *r);

/*
 * 1 where the answer depends on who is signed in: under AuthType NextAuth, or as an expression
 * asked for the session. The endpoints say themselves what caches may do.
 */
int na_is_for_user(request_rec *r);

/* The fields of a body, JSON or urlencoded; OK or a status. */
int na_read_form(request_rec *r, apr_table_t **form);

/* What follows the base path; NULL where the path is no endpoint's, or `config` is NULL. */
const char *na_endpoint_path(const na_config *config, const char *path);

/* Has the request line, and all that is made of it, show no secrets; na_state.query keeps them. */
void na_hide_query(request_rec *r);

/* Hooks, in the order httpd runs them. */
void na_pre_read_request(request_rec *r, conn_rec *c);
int na_hide_early(request_rec *r);
int na_hide_late(request_rec *r);
void na_hide_of_error(request_rec *r);
int na_strip_identity(request_rec *r);
int na_pre_translate(request_rec *r);
int na_translate(request_rec *r);
int na_map_to_storage(request_rec *r);
int na_check_access_ex(request_rec *r);
int na_check_authn(request_rec *r);
int na_check_authz(request_rec *r);
int na_pass_identity(request_rec *r);
int na_handle_endpoint(request_rec *r);
int na_handle_named(request_rec *r);

int na_pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);
int na_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
int na_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
void na_child_init(apr_pool_t *pool, server_rec *s);
int na_expression_lookup(ap_expr_lookup_parms *parms);

void na_register_requirements(apr_pool_t *pool);

/* Once all modules are loaded, and before a Require is read. */
void na_wrap_require_expr(apr_pool_t *pconf);
void na_insert_cache_filters(request_rec *r);
void na_register_cache_filters(void);

/* ── the log ───────────────────────────────────────────────────────────────────────────────── */

/* A line of a request, or of the server: to where NextAuthLog says, as LogLevel lets through. */
void na_log_request(request_rec *r, na_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void na_log_server(const server_rec *s, na_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same of a record, to which what is known of the request is added. */
void na_log_record_of_request(request_rec *r, const na_log_record *record);

/* What the request is called in every log, the server's own (%L) included. */
const char *na_request_id(request_rec *r);

/* The trace that the client says the request is part of. */
const na_trace *na_trace_of(request_rec *r);

/* By way of whom an event comes: the site, the client, and both of these names. */
na_event_origin na_origin_of(request_rec *r);

/* ── stores ────────────────────────────────────────────────────────────────────────────────── */

extern const na_store_provider na_socache_provider, na_redis_provider, na_database_provider;

void na_register_stores(apr_pool_t *pool);

/* ── metrics ───────────────────────────────────────────────────────────────────────────────── */

/* What only the server knows (na_reading): versions, and what is up. */
apr_array_header_t *na_metrics_readings(apr_pool_t *pool);

/* A section in mod_status' page. */
void na_register_status(void);

/* The actions' view of the server, for this request. */
const na_host *na_host_of(request_rec *r);

#endif
