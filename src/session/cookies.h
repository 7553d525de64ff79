/* SPDX-License-Identifier: Apache-2.0 */
/* Session cookies, read and set; for the files that implement sessions.h. */
#ifndef NA_SESSION_COOKIES_H
#define NA_SESSION_COOKIES_H

#include "session/chunks.h"
#include "session/sessions.h"

/* The position in the tokens of a request, all zero at first. */
typedef struct na_shown {
    int source, number;
    int is_read; /* 1 if `chunks` contains those of `source` */
    na_chunks chunks;
} na_shown;

/* Writes the next token and returns its source; NULL if there are no more. */
const na_session_source *na_shown_next(const na_session_config *config, const na_visit *visit,
                                       na_shown *at, na_bytes *token);

/*
 * Returns 1 if the token is a session ID. It has no dots, while an encrypted token has four, and no
 * characters that a database refuses.
 */
int na_session_is_id(na_bytes token);

/* Sets the first session cookie to `value`, and clears all others of the request. */
na_error *na_session_set_cookie(const na_session_config *config, const na_visit *visit,
                                const char *value, apr_int64_t expires,
                                apr_array_header_t *set_cookies);

/* Clears cookies of the same names that were set for other domains or paths. */
void na_session_clear_elsewhere(const na_session_config *config, const na_visit *visit,
                                apr_array_header_t *set_cookies);

#endif
