/* SPDX-License-Identifier: Apache-2.0 */
/* Reads .env files. */
#ifndef NA_BASE_ENVFILE_H
#define NA_BASE_ENVFILE_H

#include <apr_tables.h>

#include "base/error.h"

/* The variables of a .env file. */
typedef struct na_envfile {
    const char *path;
    apr_table_t *values; /* by name */
    apr_table_t *lines;  /* by name: the number of the line that sets the variable, in decimal */
} na_envfile;

/*
 * Reads a .env file as projects with NextAuth have them: NAME=value, optionally after `export`;
 * comments with '#', literal text in single quotes, and \n, \", and \\ in double quotes. The file
 * is checked as by na_secret_file_read. Errors name the line. `path` must live as long as the pool.
 */
na_error *na_envfile_read(apr_pool_t *pool, const char *path, const na_envfile **envfile);

/* Parses a .env file from text, for tests and fuzzing. */
na_error *na_envfile_parse(apr_pool_t *pool, const char *path, const char *text,
                           const na_envfile **envfile);

#endif
