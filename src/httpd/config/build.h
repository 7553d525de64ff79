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

/* Where a variable that has a value is set; the file is NULL where that is the process' own. */
const na_written *na_environment_place(const na_environment *environment, const char *name);

/* Resolves env:NAME, file:PATH and exec:COMMAND; any other value is returned as it is. */
na_error *na_value_resolve(const na_environment *environment, const char *value,
                           const char **resolved);

/* A server's configuration while it is put together. */
typedef struct na_building {
    apr_pool_t *pool;
    server_rec *server;
    na_environment environment;
    na_config *config;
    int engine;
    const char *url;             /* NextAuthURL, or a variable's; NULL: ServerName's counts */
    const char *base_path;       /* NextAuthBasePath */
    apr_array_header_t *secrets; /* const char *, the newest first */
    int own_rules;             /* NextAuthSignInRule of this virtual host, before inherited ones */
    int accepted;              /* dialects of session cookies, a bit each */
    int rate_limiting;         /* NextAuthFeature rateLimiting: 1 on, -1 off, 0 not said */
    unsigned limited;          /* what a NextAuthRateLimit is about, a bit each */
    na_plan *plan;             /* the server's, which the stores' providers look at */
    const na_written *at;      /* the directive that is looked at; NULL: none in particular */
    const char *about;         /* what it is about where that is not the directive; NULL else */
    const char *key;           /* of the key=value that na_build_settings sets */
    const char *variable;      /* `at` is where it is set; NULL: `at` is a directive, or none */
    apr_array_header_t *wrong; /* const char *: names of what was noted to be wrong */
} na_building;

/* An error in a directive's value, printf-like. */
#define na_wrong(b, ...) na_error_new((b)->pool, NA_ERR_CONFIGURATION, __VA_ARGS__)

/*
 * A mistake ends the building. Where nextauthctl check asks it is noted instead, and NULL returned,
 * so that the others are found, too.
 */
na_error *na_build_noted(na_building *b, na_error *error);

/* Tells nextauthctl check of something that is right, but only here; 0 where that does not ask. */
int na_build_warn(const na_building *b, const na_error *error);

/* The same, and where nextauthctl check does not ask, the server's log. */
void na_build_warn_aloud(const na_building *b, const na_error *error);

/* From now on mistakes are about `about`, to be seen at `at`, which may be NULL. */
void na_build_look_at(na_building *b, const na_written *at, const char *about);

/* From now on they are about a variable that stands in for `directive`. */
void na_build_look_at_variable(na_building *b, const char *name, const char *directive);

/* The variable's value, which it then looks at; NULL where there is none, and nothing happens. */
const char *na_build_from_environment(na_building *b, const char *name, const char *directive);

/* 1 where that was noted to be wrong: what follows from it is no mistake of its own. */
int na_build_is_wrong(const na_building *b, const char *about);

/* The last directive of this name; NULL where there is none. */
const na_written *na_build_last_of(const apr_array_header_t *written, const char *directive);

/* Takes one directive in; those that others depend on are `early`. Unknown ones are left alone. */
na_error *na_build_interpret(na_building *b, const na_written *written, int early);

na_error *na_build_check_base_path(na_building *b, const char *path);
na_error *na_build_mode(na_building *b, const char *name);
na_error *na_build_add_secret(na_building *b, const char *secret);
na_error *na_build_number(na_building *b, const char *text, long least, long most, long *number);

/* key=value arguments: where a key's value goes in the target, and what checks it. */
typedef na_error *na_value_setter(na_building *b, const char *value, void *member);

typedef struct na_setting {
    const char *name;
    apr_size_t offset;
    na_value_setter *set;
} na_setting;

/* "key=" of "key=value", for messages: what follows a misplaced key may be a secret. */
const char *na_build_setting_of(const na_building *b, const char *argument);

/* Sets every argument from the `first` on; `settings` end with a NULL name. */
na_error *na_build_settings(na_building *b, const na_written *written, int first,
                            const na_setting *settings, void *target);

/* Text as it is, from where env:, file: and exec: say; a path of a file that httpd's children have
 * to read; on or off as an int; 10ms to 60s as milliseconds in a long; a number of connections as
 * an int. */
/* 1 if a provider sends people back from a page of another site. */
int na_build_has_redirects(const na_building *b);

na_value_setter na_as_text, na_as_resolved, na_as_file, na_as_switch, na_as_duration,
    na_as_connections;

/*
 * Resolved, too, with a warning where in production it is written out: a secret of
 * na_build_settings, and an address of any place in the directive, where it has a password.
 */
na_value_setter na_as_secret, na_as_address;

/* The same warning of another value; `what` it is, for the message. */
void na_build_warn_if_literal(const na_building *b, const char *what, const char *value);

na_error *na_build_pages(na_building *b, const na_written *written);
na_error *na_build_theme(na_building *b, const na_written *written);
na_error *na_build_http(na_building *b, const na_written *written);

typedef na_error *na_interpreter(na_building *b, const na_written *written);

/* build_session.c: how long sessions last, and what they are bound to. */
na_interpreter na_build_max_age, na_build_update_age, na_build_idle_timeout,
    na_build_absolute_timeout, na_build_strategy, na_build_bind;
na_error *na_build_finish_session(na_building *b, const apr_array_header_t *written);

/* build_stores.c: where they are kept; `store` is NextAuthSessionStore's directive, or NULL. */
na_interpreter na_build_session_store, na_build_socache;
na_error *na_build_finish_stores(na_building *b, const na_written *store);
int na_build_names_store(const na_building *b, const char *name);

/* build_redis.c; finishing takes REDIS_URL where a store needs it. */
na_interpreter na_build_redis;
na_error *na_build_finish_redis(na_building *b);

/* build_database.c */
na_interpreter na_build_database, na_build_role_column;

/* build_mail.c; finishing takes EMAIL_SERVER where no directive says how mail is sent. */
na_interpreter na_build_mail, na_build_mail_template;
na_error *na_build_finish_mail(na_building *b);

/* build_users.c: users in the database; finishing checks that they, and providers, have what they
 * need. */
na_interpreter na_build_feature, na_build_passwords;
na_error *na_build_finish_users(na_building *b, const apr_array_header_t *written);

/* build_limits.c; finishing takes ENABLE_RATE_LIMITING, and sets what no directive said. */
na_interpreter na_build_rate_limit;
na_error *na_build_finish_limits(na_building *b);

/* build_statsd.c */
na_interpreter na_build_statsd;

/* build_delivery.c: who is told of what happens. */
na_interpreter na_build_event, na_build_event_queue, na_build_sentry;

/* Sentry from the environment. */
na_error *na_build_finish_delivery(na_building *b);

/* build_log.c */
na_interpreter na_build_log;
/* build_audit.c */
na_interpreter na_build_audit_log;
na_error *na_build_finish_audit(na_building *b);

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
na_error *na_build_check_target(na_building *b, const char *target);

/* variables.c: NextAuth's variables, those of these providers included: to each name the directive
 * that goes before it, "NextAuthProvider google" of a provider's. */
apr_table_t *na_variables_known(apr_pool_t *pool, const apr_array_header_t *providers);
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

/* The default cookies, then NextAuthCookie's changes. */
na_error *na_build_cookies(na_building *b, const apr_array_header_t *written);

/* build_providers.c: NextAuthProvider and providers from the environment. */
na_error *na_build_providers(na_building *b, const apr_array_header_t *written);

#endif
