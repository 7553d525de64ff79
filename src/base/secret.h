/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in files and from programs. */
#ifndef NA_BASE_SECRET_H
#define NA_BASE_SECRET_H

#include <stdio.h>

#include "base/error.h"

/* Most bytes of a file or a stream that a secret is read from. */
#define NA_SECRET_MAX (64 * 1024)

/*
 * Reads a file with secrets, at most NA_SECRET_MAX bytes of text, wiped with the pool. Refused if
 * it is readable or writable by all users, with a hint, and if it contains a NUL byte. Errors are
 * NA_ERR_CONFIGURATION.
 */
na_error *na_secret_file_read(apr_pool_t *pool, const char *path, char **text);

/*
 * Reads a secret from such a file, without the line ends at the end, which editors add. Refused if
 * nothing remains.
 */
na_error *na_secret_read(apr_pool_t *pool, const char *path, char **secret);

/*
 * Reads a secret from `stream` up to its end, by its descriptor, because a buffer would keep a
 * copy; the stream must not have been read before. `name` is for messages.
 */
na_error *na_secret_read_stream(apr_pool_t *pool, FILE *stream, const char *name, char **secret);

/*
 * Returns why a secret can be guessed, however long it is: a placeholder of documentation, few
 * different characters, repeated or consecutive characters. The text reveals nothing of the secret
 * but the placeholder; NULL if no such weakness is found. A secret from `nextauthctl secret` or
 * `openssl rand` passes.
 */
const char *na_secret_weakness(apr_pool_t *pool, const char *secret);

#endif
