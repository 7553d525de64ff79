/* SPDX-License-Identifier: Apache-2.0 */
/* .env files. */
#ifndef NA_BASE_ENVFILE_H
#define NA_BASE_ENVFILE_H

#include <apr_tables.h>

#include "base/error.h"

/* A .env file's variables. */
typedef struct na_envfile {
    const char *path;
    apr_table_t *values; /* by name */
    apr_table_t *lines;  /* by name: the number of the line that sets it, in decimal */
} na_envfile;

/*
 * A .env file as NextAuth's projects keep them: NAME=value, `export` in front allowed, comments
 * with '#', single quotes literal, double quotes with \n, \" and \\. The file rules are those of
 * na_secret_file_read. Errors name the line. `path` must live as long as the pool.
 */
na_error *na_envfile_read(apr_pool_t *pool, const char *path, const na_envfile **envfile);

/* The same from text, for tests and fuzzing. */
na_error *na_envfile_parse(apr_pool_t *pool, const char *path, const char *text,
                           const na_envfile **envfile);

#endif
