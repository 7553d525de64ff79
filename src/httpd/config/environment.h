/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables: their names, and what configuration values are read from. */
#ifndef NA_HTTPD_CONFIG_ENVIRONMENT_H
#define NA_HTTPD_CONFIG_ENVIRONMENT_H

#include "base/envfile.h"
#include "httpd/module.h"

/* Environment variables, and NextAuthEnvFile, from which configuration values are read. */
typedef struct na_environment {
    apr_pool_t *pool;
    const na_envfile *file; /* NextAuthEnvFile; NULL if none */
    apr_table_t *used;      /* names of the variables whose values were read */
} na_environment;

/* Returns the process's variable, otherwise the file's; NULL if neither is set, or if it is empty.
 */
const char *na_environment_get(const na_environment *environment, const char *name);

/* Returns 1 if the variable has a value, and does not count as a use. */
int na_environment_has(const na_environment *environment, const char *name);

/* Returns the place that sets a variable; its file is NULL if that is the process's environment. */
const na_directive *na_environment_place(const na_environment *environment, const char *name);

/* Resolves env:NAME, file:PATH and exec:COMMAND; any other value is returned unchanged. */
na_error *na_value_resolve(const na_environment *environment, const char *value,
                           const char **resolved);

/*
 * Returns the known variables, those of these providers included, and those that only
 * NextAuthFromEnv uses if `from_env`. The value of each is the directive that takes precedence,
 * such as "NextAuthProvider google".
 */
apr_table_t *na_variables_known(apr_pool_t *pool, const apr_array_header_t *providers,
                                int from_env);

/* Returns 1 if only NextAuthFromEnv uses this variable. */
int na_variable_requires_from_env(const char *name);

/* Returns the directive that another variable stands for in place of this one; NULL if none. */
const na_directive *na_variable_rival(const apr_array_header_t *written, const char *name);

/* Returns the variables that stand for the same directive as this one, the first to count first. */
const char *na_variable_order(apr_pool_t *pool, const char *name);

/* Adds a provider's variables to the known ones. */
void na_variables_add_provider(apr_pool_t *pool, apr_table_t *known, const char *id);

/* Returns plan->variables: the known variables, each with "1" if it has a value, else "". */
const apr_table_t *na_variables_note(const na_environment *environment,
                                     const apr_array_header_t *providers, int from_env);

/* Stands for httpd's own directive, LogLevel, for this module. */
#define NA_VARIABLE_LOG_LEVEL "LOG_LEVEL"

/* Kinds of a provider's variables. */
#define NA_VARIABLE_ID "ID"
#define NA_VARIABLE_SECRET "SECRET"
#define NA_VARIABLE_ISSUER "ISSUER"
#define NA_VARIABLE_TENANT "TENANT"

/* Returns the name of the provider's variable of this kind that is set; NULL if none. */
const char *na_variable_of_provider(const na_environment *environment, const char *id,
                                    const char *kind);

/* Returns the possible names, such as "AUTH_GOOGLE_ID, GOOGLE_CLIENT_ID or GOOGLE_ID". */
const char *na_variables_for_provider(apr_pool_t *pool, const char *id, const char *kind);

/*
 * Removes the known variables, and all that a value was read from, from this process's environment:
 * code that a child process runs for a tenant (PassEnv and osenv() in .htaccess, mod_php) must not
 * find the secret there. The parent process keeps them for the next start.
 */
void na_variables_forget(const server_rec *s);

#endif
