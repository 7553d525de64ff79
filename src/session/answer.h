/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of credentials that come with each request, kept for seconds after they were verified.
 */
#ifndef NA_SESSION_ANSWER_H
#define NA_SESSION_ANSWER_H

#include "session/sessions.h"

/*
 * A client without cookies shows its token or password with each request. The session that it leads
 * to is kept in the process's cache of verified tokens, by a `key` that is not the credential but a
 * hash as hex. Only positive answers are kept. Bounded, wiped, and separate for each site.
 */

/*
 * Returns the key for a text that contains the credential, and wipes the text. Clients do not know
 * the secret, so that they cannot choose which entries of the cache a key displaces.
 */
const char *na_answer_key(apr_pool_t *pool, na_bytes secret, char *text);

/*
 * Returns the session that was kept for the key, which lives as long as the visit's pool, and in
 * *age the seconds since it was verified; NULL if there is none.
 */
const na_session *na_answer_find(const na_sessions *sessions, const na_visit *visit,
                                 const char *key, apr_int64_t *age);

/* Keeps a session of na_session_of_record, whose `renewed` is when it was verified. */
void na_answer_keep(const na_sessions *sessions, const na_visit *visit, const char *key,
                    const na_session **session);

/* Forgets the answer that is kept for the key, in this process. */
void na_answer_forget(const na_sessions *sessions, const na_visit *visit, const char *key);

#endif
