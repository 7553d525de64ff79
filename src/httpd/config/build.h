/* SPDX-License-Identifier: Apache-2.0 */
/* Building a server's configuration: the builder, rows and setters of directives. */
#ifndef NA_HTTPD_CONFIG_BUILD_H
#define NA_HTTPD_CONFIG_BUILD_H

#include "httpd/config/environment.h"
#include "httpd/module.h"
#include "provider/catalogue.h"

/* A server's configuration while it is built. */
typedef struct na_builder {
    apr_pool_t *pool;
    server_rec *server;
    na_environment environment;
    na_config *config;
    int engine;
    const apr_array_header_t *urls;       /* const char *: of NextAuthURL; NULL to use ServerName */
    const char *base_path;                /* NextAuthBasePath */
    apr_array_header_t *secrets;          /* const char *, the newest first */
    apr_array_header_t *providers;        /* na_provider *, the same array as config->providers */
    apr_array_header_t *issuers;          /* const na_issuer *, likewise */
    apr_array_header_t *issuer_origins;   /* const server_rec *: the server that has each */
    apr_array_header_t *left_out;         /* na_provider *: those of a feature that is off */
    apr_array_header_t *provider_origins; /* const server_rec *: the server that has each */
    int from_env;                         /* NextAuthFromEnv */
    na_catalogue *catalogue; /* built-in providers, and those of NextAuthProviderFile */
    int providers_from_env;
    int is_on;                 /* set once mode and engine are known */
    int own_rules;             /* NextAuthSignInRule of this virtual host, before inherited ones */
    int accepted;              /* dialects of session cookies, one bit each */
    int features_set;          /* NA_FEATURE_… that NextAuthFeature switches on or off */
    unsigned limited;          /* na_limited with a NextAuthRateLimit, one bit each */
    na_plan *plan;             /* the server's, which providers of stores read */
    const na_directive *at;    /* the directive that is processed; NULL if none */
    const char *about;         /* the subject of mistakes if it is not `at`; else NULL */
    const char *key;           /* of the key=value that na_build_settings sets */
    const char *variable;      /* if not NULL, `at` is the place that sets this variable */
    apr_array_header_t *wrong; /* const char *: subjects of the mistakes that were noted */
} na_builder;

/* Sets the configuration from one directive, which is also b->at. */
typedef na_error *na_setter(na_builder *b, const na_directive *w);

/* The order in which setters run, independently of the order in the file. */
typedef enum na_stage {
    NA_STAGE_FILE,      /* before all others; only the last such directive */
    NA_STAGE_MODE,      /* of the site; variables can stand for it */
    NA_STAGE_FIRST,     /* directives that others depend on */
    NA_STAGE_SITE,      /* most directives */
    NA_STAGE_PROVIDERS, /* after all but cookies */
    NA_STAGE_ISSUERS,   /* after the providers, which they can be */
    NA_STAGE_COOKIES    /* after the canonical URL is known */
} na_stage;

/* The part of a directive's arguments that nextauthctl check prints. */
typedef enum na_shown {
    NA_SHOW_OPEN,         /* all: they never contain a secret */
    NA_SHOW_PROGRAM,      /* the name of a "|program", otherwise like HIDDEN */
    NA_SHOW_OPEN_PROGRAM, /* the name of a "|program", otherwise like OPEN */
    NA_SHOW_NAMED,        /* the first argument, the others like HIDDEN */
    NA_SHOW_HIDDEN,       /* names of options, and sources of values */
    NA_SHOW_SECRET        /* sources of values; a '=' is part of a secret */
} na_shown;

typedef struct na_arguments {
    int min, max;
    int expression; /* index of the argument that is an expression, or -1 */
    int is_string;  /* the expression's value is text */
    int at_sign_in; /* the expression is evaluated at sign-in */
} na_arguments;

/* A row of httpd/directives.h. */
typedef struct na_directive_row {
    na_directive_id id;
    const char *name;
    na_arguments arguments;
    na_stage stage;
    na_setter *set;
    na_shown shown;
    const char *form;
} na_directive_row;

/* Indexed by na_directive_id. */
extern const na_directive_row na_directive_rows[];

#define NA_SETTER(name, arguments, stage, setter, shown, help, form) na_setter setter;
NA_DIRECTIVES(NA_SETTER)
#undef NA_SETTER

/*
 * Builds the server's `config`, which stays NULL if the engine is off, and `plan` from its
 * directives and the environment. An error is about b->at, which can be NULL.
 */
na_error *na_config_build(na_builder *b, apr_pool_t *pool, server_rec *s);

/* Returns an error in a directive's value; printf-like. */
#define na_wrong(b, ...) na_error_new((b)->pool, NA_ERR_CONFIGURATION, __VA_ARGS__)

/*
 * Returns the error, so that building ends. For nextauthctl check it notes the error instead and
 * returns NULL, so that all other mistakes are found, too.
 */
na_error *na_build_noted(na_builder *b, na_error *error);

/* Reports a warning to nextauthctl check only. Returns 0 if it is not running. */
int na_build_warn(const na_builder *b, const na_error *error);

/* Reports a warning to nextauthctl check, or to the error log if it is not running. */
void na_build_warn_aloud(const na_builder *b, const na_error *error);

/* From now on mistakes are about `about`, at the place `at`; both can be NULL. If a variable stands
 * for the directive `at`, they are about the variable. */
void na_build_look_at(na_builder *b, const na_directive *at, const char *about);

/* From now on mistakes are about a variable that replaces `directive`. */
void na_build_look_at_variable(na_builder *b, const char *name, const char *directive);

/* Returns 1 if a mistake in this directive was noted: its consequences are not reported again. */
int na_build_is_wrong(const na_builder *b, na_directive_id id);

/* Returns 1 if a mistake in the directive of this name was noted; 0 if `name` is NULL. */
int na_build_is_noted(const na_builder *b, const char *name);

/* Learns what the sections of directories accept, and warns of what the site lacks for that. */
void na_build_finish_access(na_builder *b);

/* Returns 1 if a provider sends users back from a page of another site. */
int na_build_has_redirects(const na_builder *b);

/* Returns the languages without NextAuthLanguage: English. */
apr_array_header_t *na_build_default_languages(apr_pool_t *pool);

/* ── after all directives of a kind are set ────────────────────────────────────────────────── */

/* Checks that each <IfNextAuthMode> was read in the mode that the server has. */
na_error *na_build_check_mode_sections(na_builder *b);

/* Adds the directives that variables stand for to those that are written. */
na_error *na_build_variables(na_builder *b, apr_array_header_t *written);

/* Sets the canonical URL and the base path, from directives, variables or ServerName. */
na_error *na_build_finish_url(na_builder *b);

/* Checks that there is a secret. */
na_error *na_build_finish_secrets(na_builder *b);

/* Derives all keys from the secrets. */
na_error *na_build_derive_keys(na_builder *b);

/* Adds the providers whose variables are set if NextAuthProvidersFromEnv is on. */
na_error *na_build_finish_providers(na_builder *b, const apr_array_header_t *written);

/* Moves the providers of features that are off from `providers` to `left_out`. */
void na_build_leave_out_providers(na_builder *b);

/* Returns 1 if NextAuthFeature switches this feature (NA_FEATURE_…) off. */
int na_build_feature_is_off(const na_builder *b, int feature);

/* Returns the directive that switches the feature on or off; NULL if none. */
const na_directive *na_build_feature_at(const na_builder *b, const char *name);

/* Sets names and attributes of cookies before NextAuthCookie changes them. */
void na_build_default_cookies(na_builder *b);

/* Checks all cookies together. */
na_error *na_build_finish_cookies(na_builder *b, const apr_array_header_t *written);

na_error *na_build_finish_session(na_builder *b, const apr_array_header_t *written);

/* Checks that tokens can be kept, and derives the keys that encrypt them. */
na_error *na_build_finish_tokens(na_builder *b, const apr_array_header_t *written);

/* Checks the session stores; `store` is the last NextAuthSessionStore, or NULL. */
na_error *na_build_finish_stores(na_builder *b, const na_directive *store);

/* Checks that features and providers have the database and mail that they require. */
na_error *na_build_finish_users(na_builder *b, const apr_array_header_t *written);

/* Switches the second factor on by NextAuthFeature, and checks that there is a database. */
na_error *na_build_finish_two_factor(na_builder *b, const apr_array_header_t *written);

/* Sets default limits. */
void na_build_finish_limits(na_builder *b);

/* Checks the directories of events. */
na_error *na_build_finish_delivery(na_builder *b);

/* Sets the module's level of logging from LOG_LEVEL if there is no LogLevel nextauth:LEVEL. */
na_error *na_build_finish_log(na_builder *b);

/* Switches the audit log on or off, and checks its destinations. */
na_error *na_build_finish_audit(na_builder *b);

/* ── warnings about several servers ────────────────────────────────────────────────────────── */

/*
 * Determines which tokens without a site each site accepts, and warns if sites share a secret. `s`
 * is the first server.
 */
void na_sites_separate(const server_rec *s);

/* Warns of two servers that have the same host name and end each other's sessions. */
void na_warn_of_shared_cookies(const server_rec *s);

/* Warns of development and test mode on a server that other machines can reach. */
void na_warn_of_exposure(const server_rec *s, apr_pool_t *pool);

#endif
