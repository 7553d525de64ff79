/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in files and from programs, and who can read them. */
#ifndef NA_BASE_SECRET_H
#define NA_BASE_SECRET_H

#include <stdio.h>

#include "base/error.h"

/* Most bytes of a file or a stream that a secret is read from. */
#define NA_SECRET_MAX (64 * 1024)

/*
 * A whole file that holds secrets, at most NA_SECRET_MAX bytes of text, wiped with the pool.
 * Refused where everybody may read or write it, with what to do about that, and where it has a NUL
 * byte. Errors are NA_ERR_CONFIGURATION.
 */
na_error *na_secret_file_read(apr_pool_t *pool, const char *path, char **text);

/*
 * The secret that such a file is: its content without the line ends behind it, which editors add.
 * Line ends within it belong to it. Refused where nothing is left.
 */
na_error *na_secret_read(apr_pool_t *pool, const char *path, char **secret);

/*
 * The same of what `stream` gives up to its end. It is read by its descriptor, as a buffer would
 * keep a copy: nothing may have been read from the stream before. `name` is for messages.
 */
na_error *na_secret_read_stream(apr_pool_t *pool, FILE *stream, const char *name, char **secret);

/*
 * What makes a secret guessable, however long it is: a placeholder of somebody's documentation, few
 * different characters, characters that repeat or count up. A phrase for a message, which shows
 * nothing of the secret but the placeholder; NULL if nothing of that kind is seen. A secret of
 * `nextauthctl secret` or `openssl rand` passes.
 */
const char *na_secret_weakness(apr_pool_t *pool, const char *secret);

#endif
