/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration of servers and directories, state of requests, hooks: what all of src/httpd shares.
 */
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
#include "auth/bearer.h"
#include "auth/tenant.h"
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

/* The stores that a server names, and the options of their providers. */
typedef struct na_store_plan {
    const apr_array_header_t *names; /* const char *: the first is written to */
    const char *socache;             /* NextAuthSOCache; NULL if none */
    const na_redis_options *redis;   /* NextAuthRedis; NULL if none */
    const na_db_options *database;   /* NextAuthDatabase; NULL if none */
    const char *redis_identity;      /* servers with the same identity share connections */
} na_store_plan;

/* Settings of NextAuthLog. */
typedef struct na_log_plan {
    int json;
    const char *target; /* a file's path or "|program"; NULL for httpd's error log */
} na_log_plan;

/* One NextAuthEvent. */
typedef struct na_event_rule {
    unsigned kinds;           /* one bit for each na_event_kind */
    const char *target;       /* a URL, or "|program arguments" */
    apr_array_header_t *keys; /* na_bytes, of a webhook; NULL for a program */
    const na_directive *at;
} na_event_rule;

/* Settings of NextAuthEvent, NextAuthEventQueue and NextAuthSentry. */
typedef struct na_delivery_plan {
    apr_array_header_t *rules; /* na_event_rule; NULL if none */
    const char *directory;     /* NULL for one in httpd's runtime directory */
    long max_items;
    const na_sentry_options *sentry; /* NULL if nothing is reported */
} na_delivery_plan;

#define NA_AUDIT_DATABASE "database"

/* Settings of NextAuthAuditLog. */
typedef struct na_audit_plan {
    /* const char *: a path, "|program" or NA_AUDIT_DATABASE; NULL if none */
    const apr_array_header_t *sinks;
    int goes_on;     /* onFailure=continue */
    const char *key; /* NULL if none */
} na_audit_plan;

/* The health of other services as child processes observe it, in shared memory. */
typedef struct na_shared_health {
    na_breaker_state mail;
    na_peer peers[]; /* one for each provider */
} na_shared_health;

/* Settings of a server's directives that src/httpd uses; na_config has those of the actions. */
typedef struct na_plan {
    na_store_plan stores;
    na_log_plan log;
    na_audit_plan audit;
    na_delivery_plan delivery;
    const na_statsd_options *statsd; /* NULL if none */
    const apr_table_t *variables;    /* known variables by name: "1" if one has a value, else "" */
    const apr_table_t *used_variables; /* by name: those that a value was read from */
} na_plan;

/* An <IfNextAuthMode>, which depends on the mode that its server had when the lines were read. */
typedef struct na_mode_section {
    na_mode mode;
    const char *file;
    int line;
} na_mode_section;

/* The bytes of values for applications. */
typedef enum na_encoding { NA_UTF8, NA_LATIN1, NA_BASE64URL } na_encoding;

/* One NextAuthPassHeader or NextAuthPassEnv. */
typedef struct na_passed {
    const char *name;
    const ap_expr_info_t *value; /* NULL to pass nothing on, and only remove what clients send */
    na_encoding encoding;
    char delimiter; /* separates the elements of a list */
} na_passed;

/* A server's directives, and its configuration, complete once all directives are read. */
typedef struct na_server_conf {
    apr_array_header_t *written;       /* na_directive */
    apr_array_header_t *mode_sections; /* na_mode_section */
    const apr_array_header_t
        *passed;             /* na_passed: NextAuthPassHeader of all sections; NULL if none */
    const na_config *config; /* NULL if the engine is off */
    na_plan plan;

    /* opened before the fork */
    apr_file_t *log;               /* NULL for httpd's error log */
    na_audit *audit;               /* NULL without NextAuthAuditLog */
    const na_event_routes *events; /* NULL without NextAuthEvent */
    na_sentry *sentry;             /* NULL if nothing is reported */
    na_shared_health *shared_health;

    /* opened in each child process */
    na_http *http;
    na_db *db;            /* NULL without NextAuthDatabase */
    na_mail_queue *mails; /* NULL without NextAuthMail */
    na_rates rates;       /* where attempts are counted */
    na_sessions sessions;
    na_tenants *tenants; /* NULL if the site has one host */
    na_health_cache *health_cache;
} na_server_conf;

/* NextAuthStripCookie; without it, cookies are hidden where NextAuthPass… passes values on. */
typedef enum na_strip_cookie { NA_STRIP_DEFAULT, NA_STRIP_ON, NA_STRIP_OFF } na_strip_cookie;

typedef enum na_unauthenticated {
    NA_UNSET,
    NA_AUTO,
    NA_REDIRECT,
    NA_401,
    NA_PASS
} na_unauthenticated;

/* Ways in which applications receive the identity; one bit each. */
enum { NA_PASS_NOTHING = 1, NA_PASS_ENV = 2, NA_PASS_HEADERS = 4, NA_PASS_JWT = 32 };

/* One NextAuthAuthorizationParam. */
typedef struct na_param {
    const char *name;
    const ap_expr_info_t *expression;
    const char *provider; /* an ID; NULL for all */
} na_param;

/* Demands of Require nextauth-acr and nextauth-max-age on the sign-in. */
typedef struct na_demand {
    const char *acr_values; /* a list, of which `acr` must be one; NULL for any */
    apr_int64_t max_age;    /* most seconds since then; -1 for any */
} na_demand;

/* Tokens of the provider that applications receive; one bit each. */
enum {
    NA_PASS_NO_TOKEN = 1,
    NA_PASS_ACCESS = 2,
    NA_PASS_REFRESH = 4,
    NA_PASS_ID = 8,
    NA_PASS_BEARER = 16 /* the access token, in the header Authorization */
};

typedef enum na_preserve_state {
    NA_PRESERVE_UNSET,
    NA_PRESERVE_OFF,
    NA_PRESERVE_ON
} na_preserve_state;

/* NextAuthPreservePost. */
typedef struct na_preserve {
    na_preserve_state state;
    long max_bytes, max_age; /* bytes of a form, seconds for which it is kept */
} na_preserve;

/* NextAuthCORS. */
typedef struct na_cors {
    apr_array_header_t *origins; /* na_origin; empty if it is Off */
    const char *headers;         /* that a script may send, as in Access-Control-Allow-Headers */
    const char *max_age;         /* seconds for which browsers rely on a preflight */
} na_cors;

typedef struct na_dir_conf {
    na_unauthenticated unauthenticated;
    const apr_array_header_t *params; /* na_param; NULL if there are none */
    na_strip_cookie strip_cookie;
    const ap_expr_info_t *activity;     /* NULL if every request is */
    const ap_expr_info_t *sign_in_with; /* a provider's ID, or "page"; NULL if not set */
    int pass_identity;                  /* NA_PASS_…; 0 if not set */
    const char *audience;               /* of NA_PASS_JWT; NULL for the site's origin */
    int pass_tokens;                    /* NA_PASS_…; 0 if not set */
    const char *remote_user;            /* a claim; NULL for email, else PROVIDER:ID */
    ap_regex_t *remote_user_pattern;    /* NULL for the whole claim */
    const char *remote_user_form;       /* replacement for the match, such as "$1" */
    const char *cache_control;         /* NULL if not set; "" to keep the application's unchanged */
    int accept_tokens;                 /* NA_ACCEPT_…; 0 if not set */
    const apr_array_header_t *issuers; /* const char *: with NA_ACCEPT_OAUTH; NULL for all */
    const char *basic;                 /* "On", "Off", or a provider's ID; NULL if not set */
    const apr_array_header_t *headers; /* na_passed: NextAuthPassHeader; NULL if none */
    const apr_array_header_t *variables; /* na_passed: NextAuthPassEnv; NULL if none */
    na_preserve preserve_post;
    const na_cors *cors; /* NULL if not set */
} na_dir_conf;

/* Kinds of NextAuthAcceptTokens; one bit each. */
enum {
    NA_ACCEPT_NONE = 1,
    NA_ACCEPT_SESSION = 2,
    NA_ACCEPT_PERSONAL = 4,
    NA_ACCEPT_OAUTH = 8,
    NA_ACCEPT_ONLY = 16 /* cookies do not count */
};

extern const command_rec na_directives[];

void *na_make_server_conf(apr_pool_t *pool, server_rec *s);
void *na_merge_server_conf(apr_pool_t *pool, void *base, void *over);
void *na_make_dir_conf(apr_pool_t *pool, char *dir);
void *na_merge_dir_conf(apr_pool_t *pool, void *base, void *over);

static inline na_server_conf *na_server_conf_of(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &nextauth_module);
}

/*
 * Returns the virtual host's configuration, whatever host is asked for: NULL if the engine is off.
 * Its origin, site, and providers are not those of a request: see na_config_of.
 */
static inline const na_config *na_site_config_of(const request_rec *r)
{
    return na_server_conf_of(r->server)->config;
}

/* Returns the tenant of the request's host, if the site has several; NULL if no tenant has it. */
const na_tenant *na_tenant_of(const request_rec *r);

/*
 * Return the configuration and the sessions of the request: those of its host, if the site has
 * several. NULL if the engine is off, or if the host is not one of the site's.
 */
static inline const na_config *na_config_of(const request_rec *r)
{
    const na_server_conf *conf = na_server_conf_of(r->server);
    if (!conf->tenants)
        return conf->config;
    const na_tenant *tenant = na_tenant_of(r);
    return tenant ? &tenant->config : NULL;
}

static inline const na_sessions *na_sessions_of(const request_rec *r)
{
    const na_server_conf *conf = na_server_conf_of(r->server);
    if (!conf->tenants)
        return &conf->sessions;
    const na_tenant *tenant = na_tenant_of(r);
    return tenant ? &tenant->sessions : NULL;
}

static inline const na_dir_conf *na_dir_conf_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &nextauth_module);
}

/* Returns the mode's keyword in NextAuthMode. */
const char *na_mode_name(na_mode mode);

/* Returns 0 if `name` is not a mode. */
int na_mode_find(const char *name, na_mode *mode);

/* A feature of NextAuthFeature. */
typedef struct na_feature {
    const char *name;
    int bit; /* NA_FEATURE_… */
} na_feature;

/* All of them; the last has a NULL name. */
extern const na_feature na_features[];

/* How other machines can reach a server in development or test mode, and the remedy. */
typedef struct na_exposure {
    const char *how; /* "it listens on 0.0.0.0:80"; NULL if they cannot, or in production */
    const char *hint;
} na_exposure;

na_exposure na_exposure_of(apr_pool_t *pool, const server_rec *s, const na_config *config);

/* ── requests ──────────────────────────────────────────────────────────────────────────────── */

/* How a client shows its session. */
typedef enum na_way {
    NA_BY_COOKIE,
    NA_BY_BEARER, /* the session's token */
    NA_BY_TOKEN,  /* a personal access token */
    NA_BY_OAUTH,  /* an access token of OAuth 2.0 */
    NA_BY_PASSWORD
} na_way;

/* Why credentials in the Authorization header are refused. */
typedef enum na_refusal {
    NA_REFUSED_NOTHING,
    NA_REFUSED_CREDENTIALS, /* wrong, expired, revoked */
    NA_REFUSED_SCOPE,       /* a good token, but not for this path or method */
    NA_REFUSED_RATE         /* too many attempts */
} na_refusal;

/* The module's state of a request. */
typedef struct na_state {
    int is_endpoint;
    int is_local;            /* of an initial request: see httpd/request/local.h */
    int auth_type;           /* 1: NextAuth, -1: another or none, 0: not determined yet */
    int loaded;              /* `session` is determined */
    int asked;               /* an expression read the session */
    int is_answering;        /* the filters of the response are in place */
    int authorizing;         /* a hook of this module is running the others */
    int is_authorized;       /* access was granted, by any module */
    int lacks_factor;        /* `Require nextauth-2fa` denied it for lack of a second factor */
    const char *lacks_scope; /* of `Require nextauth-scope`, which denied it; NULL if it did not */
    const na_demand *demand; /* what a requirement demands of the sign-in; NULL if nothing */
    int is_weak;             /* it denied a user whose sign-in does not meet it */
    int unavailable;         /* the store is down: the session is unknown */
    na_way way;              /* how the session was shown */
    na_refusal refusal;      /* why the client's credentials do not lead to a session */
    na_bearer_answer bearer_answer;      /* likewise, of a token of NA_BY_OAUTH */
    int is_dpop;                         /* it came with the scheme DPoP */
    long limit_wait;                     /* seconds, if that is NA_REFUSED_RATE */
    const na_session *session;           /* NULL if not signed in */
    const struct na_kept_tokens *tokens; /* that the location passes on; NULL if none */
    int has_brought;                     /* `tokens` is determined */
    int has_fetched;                     /* the profile, if it was due */
    int shows_bearer;                    /* Authorization has a token of the provider */
    const na_subject *subject;           /* during a sign-in: the subject of its expressions */
    const na_trace *trace;               /* NULL if not parsed yet */
    const na_tenant *tenant;             /* of an initial request: see na_tenant_of; NULL if none */
    const char *query;   /* the original query if the request's has hidden parts; else NULL */
    const char *cookies; /* the original Cookie header if the request's has fewer; else NULL */
    na_bytes *body;      /* what is left of a body in place of the client's; NULL if it is not */
    char delimiter;      /* of lists in the expression that is being evaluated; 0 for a comma */
} na_state;

na_state *na_state_make(request_rec *r);

/* Returns the request's state, and creates it first if necessary. */
static inline na_state *na_state_of(request_rec *r)
{
    na_state *state = ap_get_module_config(r->request_config, &nextauth_module);
    return state ? state : na_state_make(r);
}

static inline int na_is_endpoint(const request_rec *r)
{
    const na_state *state = ap_get_module_config(r->request_config, &nextauth_module);
    return state && state->is_endpoint;
}

/* Returns the value that the client's sessions are bound to: NULL without NextAuthSessionBind, ""
 * if the client lacks that property. */
const char *na_binding_of(request_rec *r);

/* Returns the certificate that a TLS client showed, in PEM, by any issuer; NULL if none. */
const char *na_shown_certificate(request_rec *r);

/* Returns the Cookie header that the client sent, whatever applications see; NULL if none. */
const char *na_cookie_header_of(const request_rec *r);

/* Fills in the parts of the request that sessions depend on. */
void na_visit_of(request_rec *r, na_visit *visit);

/* Returns the request's session, or NULL if not signed in; loads it at most once. */
const na_session *na_session_of(request_rec *r);

/* Returns 1 if a browser loads a page, 0 if a script or another client requests data. */
int na_is_page_load(request_rec *r);

/*
 * Returns 1 if the response depends on the user: under AuthType NextAuth, or because an expression
 * read the session. Endpoints set their own Cache-Control.
 */
int na_is_for_user(request_rec *r);

/*
 * Reads the fields of a JSON or urlencoded body. *json is the whole of a JSON body; otherwise NULL.
 * Returns OK or an HTTP status.
 */
int na_read_form(request_rec *r, apr_table_t **form, json_t **json);

/* Returns the part of the path after the base path; NULL if it is not an endpoint, or if `config`
 * is NULL. */
const char *na_endpoint_path(const na_config *config, const char *path);

/* Removes secrets from the request line and all values derived from it; na_state.query keeps them.
 */
void na_hide_query(request_rec *r);

/* Hooks, in the order in which httpd runs them. */
void na_pre_read_request(request_rec *r, conn_rec *c);
int na_hide_early(request_rec *r);
int na_hide_late(request_rec *r);
void na_hide_of_error(request_rec *r);
int na_strip_identity(request_rec *r);
int na_pre_translate(request_rec *r);
int na_translate(request_rec *r);
int na_map_to_storage(request_rec *r);
int na_strip_of_directory(request_rec *r);
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

/* To be called after all modules are loaded, and before a Require directive is read. */
void na_wrap_require_expr(apr_pool_t *pconf);

/* Returns 1 if a `Require expr` was read anywhere. */
int na_is_expr_required(void);
void na_insert_cache_filters(request_rec *r);
void na_register_cache_filters(void);
void na_register_post_filter(void);
void na_insert_post_filter(request_rec *r);
void na_register_cors_filter(void);

/* ── the log ───────────────────────────────────────────────────────────────────────────────── */

/* Logs a line of a request, or of a server, to NextAuthLog's destination if LogLevel permits it. */
void na_log_request(request_rec *r, na_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void na_log_server(const server_rec *s, na_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Returns 1 if a record of this level goes neither to the log nor to Sentry. */
int na_log_is_dropped(const request_rec *r, na_level level);

/* Logs a record, completed with the request's IDs, client IP address, site and user. */
void na_log_record_of_request(request_rec *r, const na_log_record *record);

/* Returns the request's ID, which is the same in all logs, httpd's own (%L) included. */
const char *na_request_id(request_rec *r);

/* Returns the trace that the request is part of, from the client's traceparent header. */
const na_trace *na_trace_of(request_rec *r);

/* Returns the origin of the request's events: site, client, request ID and trace ID. */
na_event_origin na_origin_of(request_rec *r);

/* ── stores ────────────────────────────────────────────────────────────────────────────────── */

extern const na_store_provider na_socache_provider, na_redis_provider, na_database_provider;

void na_register_stores(apr_pool_t *pool);

/* ── metrics ───────────────────────────────────────────────────────────────────────────────── */

/* Returns the metrics that only httpd can read (na_reading): versions, and the state of services.
 */
apr_array_header_t *na_metrics_readings(apr_pool_t *pool);

/* Adds a section to mod_status' page. */
void na_register_status(void);

/* Returns the actions' interface to httpd, for this request. */
const na_host *na_host_of(request_rec *r);

#endif
