/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of users that are in a session's claims themselves, and not at a URL. */
#ifndef NA_SESSION_PICTURE_H
#define NA_SESSION_PICTURE_H

#include "session/sessions.h"

/* Returns 1 if the claim `picture` is a data URL. */
int na_picture_is_data(const json_t *claims);

/*
 * Removes such a picture from claims that would not fit into the session's cookies, or into its
 * record in the store, with it: a session is worth more than a picture.
 */
void na_picture_fit(const na_sessions *sessions, apr_pool_t *pool, json_t *claims);

#endif
