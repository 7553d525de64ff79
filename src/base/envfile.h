/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_BASE_ENVFILE_H
#define NA_BASE_ENVFILE_H

#include <apr_tables.h>

#include "base/error.h"

/*
 * A .env file as NextAuth's projects keep them: NAME=value, `export` in front allowed, comments
 * with '#', single quotes literal, double quotes with \n, \" and \\. The file rules are those of
 * na_secret_file_read. Errors name the line.
 */
na_error *na_envfile_read(apr_pool_t *pool, const char *path, apr_table_t **variables);

/* The same from text, for tests and fuzzing; `path` is for messages. */
na_error *na_envfile_parse(apr_pool_t *pool, const char *path, const char *text,
                           apr_table_t **variables);

#endif
