/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_CONFIG_BUILD_H
#define NA_HTTPD_CONFIG_BUILD_H

#include "base/envfile.h"
#include "httpd/module.h"

/* Where configuration values come from besides the directives. */
typedef struct na_environment {
    apr_pool_t *pool;
    const na_envfile *file; /* NextAuthEnvFile; NULL where there is none */
    apr_table_t *used;      /* those that were asked for and are there */
} na_environment;

/* The process's own variable, else the file's; NULL where it is neither's, or empty. */
const char *na_environment_get(const na_environment *environment, const char *name);

/* Whether it has one, for whoever does not mean to use it. */
int na_environment_has(const na_environment *environment, const char *name);

/* Where a variable that has a value is set; the file is NULL if that is the process's own. */
const na_directive *na_environment_place(const na_environment *environment, const char *name);

/* Resolves env:NAME, file:PATH and exec:COMMAND; any other value is returned as it is. */
na_error *na_value_resolve(const na_environment *environment, const char *value,
                           const char **resolved);

/* A server's configuration while it is put together. */
typedef struct na_builder {
    apr_pool_t *pool;
    server_rec *server;
    na_environment environment;
    na_config *config;
    int engine;
    const char *url;               /* NextAuthURL, or a variable's; NULL: ServerName's counts */
    const char *base_path;         /* NextAuthBasePath */
    apr_array_header_t *secrets;   /* const char *, the newest first */
    apr_array_header_t *providers; /* na_provider *, what config->providers is */
    apr_array_header_t *provider_origins; /* const server_rec *: where each was written */
    int providers_from_env;
    int is_on;                 /* set once mode and engine are known */
    int own_rules;             /* NextAuthSignInRule of this virtual host, before inherited ones */
    int accepted;              /* dialects of session cookies, a bit each */
    int rate_limiting;         /* NextAuthFeature rateLimiting: 1 on, -1 off, 0 not said */
    unsigned limited;          /* what a NextAuthRateLimit is about, a bit each */
    na_plan *plan;             /* the server's, which the stores' providers look at */
    const na_directive *at;    /* the directive that is looked at; NULL: none in particular */
    const char *about;         /* what it is about where that is not the directive; NULL else */
    const char *key;           /* of the key=value that na_build_settings sets */
    const char *variable;      /* `at` is where it is set; NULL: `at` is a directive, or none */
    apr_array_header_t *wrong; /* const char *: names of what was noted to be wrong */
} na_builder;

/* Takes one directive in; b->at is the directive. */
typedef na_error *na_setter(na_builder *b, const na_directive *w);

/* When a setter runs, whatever the order in the file. */
typedef enum na_stage {
    NA_STAGE_FILE,      /* of the last such directive alone */
    NA_STAGE_FIRST,     /* what others depend on */
    NA_STAGE_SITE,      /* most */
    NA_STAGE_PROVIDERS, /* once all but cookies is known */
    NA_STAGE_COOKIES    /* once the canonical URL is known */
} na_stage;

/* What nextauthctl check prints of a directive's arguments. */
typedef enum na_shown {
    NA_SHOW_OPEN,         /* all: there is never a secret in them */
    NA_SHOW_PROGRAM,      /* of a "|program" its name, else as HIDDEN */
    NA_SHOW_OPEN_PROGRAM, /* likewise, else as OPEN */
    NA_SHOW_NAMED,        /* the first, else as HIDDEN */
    NA_SHOW_HIDDEN,       /* names of options, and where values come from */
    NA_SHOW_SECRET        /* likewise; '=' is a part of a secret */
} na_shown;

typedef struct na_arguments {
    int min, max;
    int expression; /* index of the argument that is one, or -1 */
    int is_string;  /* the expression's value is text */
    int at_sign_in; /* it is worked out at sign-in */
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

/* By na_directive_id. */
extern const na_directive_row na_directive_rows[];

#define NA_SETTER(name, arguments, stage, setter, shown, help, form) na_setter setter;
NA_DIRECTIVES(NA_SETTER)
#undef NA_SETTER

/*
 * Builds a server's configuration from its directives and the environment into the server's
 * `config`, which stays NULL if the engine is off, and `plan`. If there is an error it is about
 * b->at, which may be NULL.
 */
na_error *na_config_build(na_builder *b, apr_pool_t *pool, server_rec *s);

/* An error in a directive's value, printf-like. */
#define na_wrong(b, ...) na_error_new((b)->pool, NA_ERR_CONFIGURATION, __VA_ARGS__)

/*
 * A mistake ends the building. Where nextauthctl check asks it is noted instead, and NULL returned,
 * so that the others are found, too.
 */
na_error *na_build_noted(na_builder *b, na_error *error);

/* Tells nextauthctl check of something that is right, but only here; 0 where that does not ask. */
int na_build_warn(const na_builder *b, const na_error *error);

/* The same, and where nextauthctl check does not ask, the server's log. */
void na_build_warn_aloud(const na_builder *b, const na_error *error);

/* From now on mistakes are about `about`, to be seen at `at`, which may be NULL. */
void na_build_look_at(na_builder *b, const na_directive *at, const char *about);

/* From now on they are about a variable that stands in for `directive`. */
void na_build_look_at_variable(na_builder *b, const char *name, const char *directive);

/* The variable's value, which it then looks at; NULL where there is none, and nothing happens. */
const char *na_build_from_environment(na_builder *b, const char *name);

/* 1 where that was noted to be wrong: what follows from it is no mistake of its own. */
int na_build_is_wrong(const na_builder *b, na_directive_id id);

/* Likewise, by name; NULL is nothing. */
int na_build_is_noted(const na_builder *b, const char *name);

na_error *na_build_number(na_builder *b, const char *text, long min, long max, long *number);

/* Returns 1 if it is 1 to 64 letters, digits and - _ . : */
int na_build_is_name(const char *name);

/*
 * Reads "10", "10s" or "10000ms" as milliseconds into *(long *)member; returns 0 if it is no time
 * from min to max.
 */
int na_read_duration(const char *value, apr_interval_time_t min, apr_interval_time_t max,
                     void *member);

/* key=value arguments: where a key's value goes in the target, and what checks it. */
typedef na_error *na_value_setter(na_builder *b, const char *value, void *member);

typedef struct na_setting {
    const char *name;
    apr_size_t offset;
    na_value_setter *set;
} na_setting;

/* "key=" of "key=value", for messages: what follows a misplaced key may be a secret. */
const char *na_build_setting_of(const na_builder *b, const char *argument);

/* Sets every argument from the `first` on; `settings` end with a NULL name. */
na_error *na_build_settings(na_builder *b, const na_directive *written, int first,
                            const na_setting *settings, void *target);

/* Text as it is, from where env:, file: and exec: say; a path of a file that httpd's children have
 * to read; on or off as an int; 10ms to 60s as milliseconds in a long; a number of connections as
 * an int. */
/* 1 if a provider sends people back from a page of another site. */
int na_build_has_redirects(const na_builder *b);

na_value_setter na_as_text, na_as_resolved, na_as_file, na_as_switch, na_as_duration,
    na_as_connections;

/*
 * Resolved, too, with a warning where in production it is written out: a secret of
 * na_build_settings, and an address of any place in the directive, where it has a password.
 */
na_value_setter na_as_secret, na_as_address;

/* The same warning of another value; `what` it is, for the message. */
void na_build_warn_if_literal(const na_builder *b, const char *what, const char *value);

/* ── what remains once all directives of a kind are read ───────────────────────────────────── */

/* NODE_ENV, if no directive says the mode. */
na_error *na_mode_from_environment(na_builder *b, const apr_array_header_t *written);

/* The canonical URL and the base path, from directives, variables or ServerName. */
na_error *na_build_finish_address(na_builder *b);

/* Secrets from the environment, if no directive has one; then the keys made of them. */
na_error *na_build_finish_secrets(na_builder *b);
na_error *na_build_derive_keys(na_builder *b);

/* Providers whose variables are set, if NextAuthProvidersFromEnv is on. */
na_error *na_build_finish_providers(na_builder *b, const apr_array_header_t *written);

/* Before NextAuthCookie changes them, and after. */
void na_build_default_cookies(na_builder *b);
na_error *na_build_finish_cookies(na_builder *b, const apr_array_header_t *written);

na_error *na_build_finish_session(na_builder *b, const apr_array_header_t *written);

/* `store` is the last NextAuthSessionStore, or NULL. */
na_error *na_build_finish_stores(na_builder *b, const na_directive *store);
int na_build_names_store(const na_builder *b, const char *name);

/* REDIS_URL, if a store needs it; EMAIL_SERVER, if no directive says how mail is sent. */
na_error *na_build_finish_redis(na_builder *b);
na_error *na_build_finish_mail(na_builder *b);

/* That users in the database, and providers, have what they need. */
na_error *na_build_finish_users(na_builder *b, const apr_array_header_t *written);

/* ENABLE_RATE_LIMITING, and what no directive said. */
na_error *na_build_finish_limits(na_builder *b);

/* Sentry from the environment. */
na_error *na_build_finish_delivery(na_builder *b);
na_error *na_build_finish_audit(na_builder *b);

/* ── files and programs ────────────────────────────────────────────────────────────────────── */

/*
 * Whether httpd's children can read a file. They are another user than who starts httpd, where that
 * is root; this asks as them, once for each file in the pool's life.
 */
na_error *na_children_check_readable(apr_pool_t *pool, const char *path);

/* The same of a folder that they make files in; 0 in *is_there where there is none. */
na_error *na_children_check_folder(apr_pool_t *pool, const char *folder, int *is_there);

/*
 * Whether a file can be made where it is to be, or a "|program" be started. A server that finds out
 * only while it reloads ends.
 */
na_error *na_build_check_target(na_builder *b, const char *target);

/* variables.c: NextAuth's variables, those of these providers included: to each name the directive
 * that goes before it, "NextAuthProvider google" of a provider's. */
apr_table_t *na_variables_known(apr_pool_t *pool, const apr_array_header_t *providers);

/* The directive that takes precedence over a variable: "NextAuthURL". */
const char *na_variable_directive(apr_pool_t *pool, const char *variable);
void na_variables_add_provider(apr_pool_t *pool, apr_table_t *known, const char *id);

/* Which of them have a value: what plan->variables is. */
const apr_table_t *na_variables_note(const na_environment *environment,
                                     const apr_array_header_t *providers);

/* What a provider is given by variables; NULL where by none. */
#define NA_VARIABLE_ID "ID"
#define NA_VARIABLE_SECRET "SECRET"
#define NA_VARIABLE_ISSUER "ISSUER"
#define NA_VARIABLE_TENANT "TENANT"

/* The name of the one that is set. */
const char *na_variable_of_provider(const na_environment *environment, const char *id,
                                    const char *kind);

/* All that could be, "AUTH_GOOGLE_ID, GOOGLE_CLIENT_ID or GOOGLE_ID". */
const char *na_variables_for_provider(apr_pool_t *pool, const char *id, const char *kind);

/* ── warnings of what servers have in common ───────────────────────────────────────────────── */

/*
 * Finds out which tokens that name no site a site accepts, and warns if sites share a secret. `s`
 * is the first server.
 */
void na_sites_separate(const server_rec *s);

/* Warns of two servers of one host name that throw out each other's cookies. */
void na_warn_of_shared_cookies(const server_rec *s, apr_pool_t *pool);

/* What development and test mode mean where others can reach them. */
void na_warn_of_exposure(const server_rec *s, apr_pool_t *pool);

/*
 * Takes the variables of NextAuth, and all that a directive was read from, out of this process's
 * environment: what runs in a child for a tenant (PassEnv and osenv() of .htaccess, mod_php) must
 * not find the secret there. The parent keeps them for the next start.
 */
void na_variables_forget(const server_rec *s);

#endif
