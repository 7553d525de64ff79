/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a site, as the endpoints use it. */
#ifndef NA_AUTH_CONFIG_H
#define NA_AUTH_CONFIG_H

#include <apr_tables.h>

#include "auth/limits.h"
#include "base/cookie.h"
#include "base/hosts.h"
#include "base/http.h"
#include "db/database.h"
#include "event/ask.h"
#include "mail/template.h"
#include "oauth/issuer.h"
#include "page/page.h"
#include "password/rules.h"
#include "provider/provider.h"
#include "session/sessions.h"

typedef enum na_mode { NA_PRODUCTION, NA_DEVELOPMENT, NA_TEST } na_mode;

/* Users who stay signed in when they end their browser: all, none, or those who want to. */
typedef enum na_remembering {
    NA_REMEMBER_ALWAYS,
    NA_REMEMBER_NEVER,
    NA_REMEMBER_ASK
} na_remembering;

/* NextAuth's cookies except the session's, and some of our own. */
typedef enum na_cookie_id {
    NA_COOKIE_CALLBACK_URL,
    NA_COOKIE_CSRF,
    NA_COOKIE_REFERENCE,
    NA_COOKIE_ATTEMPT,       /* our own: what was typed into a form that failed */
    NA_COOKIE_DIRECT,        /* our own: direct.h */
    NA_COOKIE_KNOWN_BROWSER, /* our own: limits.h */
    NA_COOKIE_REMEMBERED,    /* our own: remembered.h */
    NA_COOKIE_STATE,
    NA_COOKIE_PKCE,
    NA_COOKIE_NONCE,
    NA_COOKIE_LINK,       /* our own */
    NA_COOKIE_TWO_FACTOR, /* our own: pending.h */
    NA_COOKIE_CHALLENGE,
    NA_COOKIE_FORMER, /* our own: former.h */
    NA_COOKIE_COUNT
} na_cookie_id;

/*
 * State, PKCE, and nonce cookies of one dialect, as Auth.js itself writes them: an application that
 * begins a sign-in by itself sets these. The members before NA_COOKIE_STATE are not used.
 */
typedef struct na_foreign_checks {
    na_cookie cookies[NA_COOKIE_COUNT];
    na_keyring rings[NA_COOKIE_COUNT];
} na_foreign_checks;

#define NA_FOREIGN_CHECKS_MAX 2

/* An expression of httpd, which alone can evaluate it. */
typedef struct na_expression na_expression;

/* NextAuthSignInRule: the first whose expression is true decides. */
typedef struct na_sign_in_rule {
    int allow;
    const na_expression *expression;
} na_sign_in_rule;

/* A value of the user who signs in: "%{PROFILE:groups}". */
typedef enum na_part { NA_PART_USER, NA_PART_ACCOUNT, NA_PART_PROFILE } na_part;

typedef struct na_lookup {
    na_part part;
    const char *path;
} na_lookup;

/* NextAuthRole: if the expression is true, the user has the role, or each element of a list as a
 * role. */
typedef struct na_role_rule {
    const char *name; /* NULL if `list` is used */
    const na_lookup *list;
    const na_expression *expression;
} na_role_rule;

/* NextAuthClaim: a claim and its value, which is a lookup (and can be a list) or an expression. */
typedef struct na_claim_rule {
    const char *name;
    const na_lookup *value; /* NULL if `expression` is used */
    const na_expression *expression;
} na_claim_rule;

/* NextAuthPages: paths or URLs, NULL to use the built-in page. */
typedef struct na_pages {
    const char *sign_in, *sign_out, *error, *verify_request;
} na_pages;

/* NextAuthSessionBind. */
typedef enum na_bind {
    NA_BIND_NOTHING,
    NA_BIND_CERTIFICATE,
    NA_BIND_FINGERPRINT,
    NA_BIND_EXPRESSION
} na_bind;

/* NextAuthCallback. */
typedef enum na_callback_kind {
    NA_CALLBACK_SIGN_IN,
    NA_CALLBACK_REDIRECT,
    NA_CALLBACK_JWT,
    NA_CALLBACK_SESSION,
    NA_CALLBACKS
} na_callback_kind;

/* Returns 0 if NextAuth has no callback of this name. */
int na_callback_find(const char *name, na_callback_kind *callback);

/* NextAuthFeature; a bit each. */
enum {
    NA_FEATURE_SIGN_UP = 1,
    NA_FEATURE_RESET = 2,
    NA_FEATURE_ACCOUNT = 4,
    NA_FEATURE_DELETE = 8,
    NA_FEATURES_OF_USERS = 15, /* these four */
    NA_FEATURE_OAUTH = 16,
    NA_FEATURE_MAGIC_LINKS = 32,
    NA_FEATURE_2FA = 64,
    NA_FEATURE_RATE_LIMITING = 128,
    NA_FEATURE_AUDIT = 256,
    NA_FEATURE_DEVICE_LOGIN = 512
};

/* NextAuthKeepTokens. */
typedef struct na_keeping {
    int is_on;              /* all tokens are kept; if not, an ID token alone can be */
    long refresh_before;    /* seconds before an access token expires at which it is renewed */
    int revokes;            /* tokens are revoked at sign-out */
    long userinfo_interval; /* seconds after which the profile is fetched again; 0 for never */
    int ends_refused; /* a session whose tokens are renewed no more ends; if not, it is marked */
} na_keeping;

/* NextAuthIdentityKey. */
typedef struct na_identity_signing {
    const na_jwks *keys; /* the first signs; NULL if none */
    long lifetime;       /* of a JWT, in seconds */
} na_identity_signing;

/* NextAuthSite unbound=: whether tokens that name no site are accepted. */
typedef enum na_unbound { NA_UNBOUND_AUTO, NA_UNBOUND_ACCEPT, NA_UNBOUND_REFUSE } na_unbound;

/* A virtual host's configuration: complete, checked, immutable. */
typedef struct na_config {
    na_mode mode;
    const apr_array_header_t *hosts; /* na_host_pattern: the URLs of the site */
    int is_by_host;                  /* 1 if there are several, or a wildcard: see tenant.h */
    const char *origin;              /* https://host[:port]; the first pattern's if is_by_host */
    const char *prefix;    /* what a proxy in front removes from paths: "/app", usually "" */
    const char *base_path; /* /api/auth, as httpd sees it */
    const char *base_url;  /* origin, prefix, and base path */
    const char *home;      /* the home page: origin, and the path of a site below it */
    na_dialect dialect;
    const char *const *secrets; /* the newest first */
    int secret_count;
    na_cookie cookies[NA_COOKIE_COUNT];
    na_keyring check_rings[NA_COOKIE_COUNT]; /* from NA_COOKIE_STATE on */
    na_foreign_checks foreign_checks[NA_FOREIGN_CHECKS_MAX];
    int foreign_count;
    na_keyring device_ring;  /* for grants of devices in stores */
    na_keyring signout_ring; /* for the state of sign-outs at providers */
    na_session_config session;
    const char *site_name; /* NextAuthSite, NULL if the base URL identifies the site */
    na_unbound unbound;
    const na_db_options *database; /* NULL if there is none */
    const na_mail_options *mail;   /* NULL if there is none */
    const na_mail_template *mail_templates[NA_MAIL_KINDS];
    int features;
    na_remembering remembering; /* NextAuthRememberMe */
    int remembers_by_default;   /* of NA_REMEMBER_ASK, if a form does not say */
    int remember_days; /* browsers in which a second factor was given; 0 if none is remembered */
    na_limits limits;
    na_password_rules password_rules;
    const char *nobodys_hash; /* verified if the user does not exist */
    na_keeping keeping;
    na_identity_signing identity;
    na_bind bind;
    const na_expression *bind_expression; /* for NA_BIND_EXPRESSION */
    const apr_array_header_t *providers;  /* const na_provider * */
    const apr_array_header_t *issuers;    /* const na_issuer *; of access tokens */
    int has_resources;                    /* one of them has resourceMetadata=On */
    /* to which protected pages lead if their section names none; NULL for the sign-in page */
    const na_provider *direct_provider;
    int has_direct; /* some page can lead to a provider without the sign-in page */
    const apr_array_header_t *redirect_origins; /* const char *; besides our own */
    const char *redirect_proxy;                 /* NextAuthRedirectProxy; NULL if none */
    const apr_array_header_t *proxied_hosts; /* na_host_pattern, to which it leads; NULL if none */
    na_keyring proxy_ring;                   /* of states: see redirect_proxy.h */
    const char *frame_origins;   /* that may frame the pages, separated by blanks; NULL if none */
    const char *clear_site_data; /* header of the response to a sign-out, NULL if none */
    const apr_array_header_t *sign_in_rules;   /* na_sign_in_rule */
    const apr_array_header_t *roles;           /* na_role_rule */
    const apr_array_header_t *claims;          /* na_claim_rule */
    const na_adviser *callbacks[NA_CALLBACKS]; /* NULL if nothing is asked */
    const apr_array_header_t *session_claims;  /* const char *: claims that the browser receives */
    int accepts_personal_tokens;               /* NextAuthAcceptTokens personal, at some path */
    int preserves_posts;                       /* NextAuthPreservePost, at some path */
    na_pages pages;
    na_page_theme theme;
    apr_table_t *page_templates;         /* the text by the name of the page */
    const apr_array_header_t *languages; /* const na_language *, the default first */
    na_http_options http;
} na_config;

#endif
