/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that were sent after their session had ended, and wait in the store for a sign-in. */
#ifndef NA_AUTH_KEPT_POST_H
#define NA_AUTH_KEPT_POST_H

#include "auth/former.h"

/* A form is kept under the random name of its browser and an ID of its own, and is taken once. */
typedef struct na_kept_post {
    const char *url;      /* absolute, with the site's origin */
    const char *type;     /* Content-Type */
    const char *encoding; /* Content-Encoding, NULL if none */
    const char *user;     /* na_former_user: the only user for whom it can be sent */
    na_bytes body;        /* can be empty */
} na_kept_post;

#define NA_KIND_POST "post" /* of store entries */

/* Characters of an ID. */
#define NA_KEPT_POST_ID_LEN 22

/*
 * Keeps a form for `seconds`. Fails with the code NA_ERR_RATE_LIMITED if this user or network sent
 * too many, and NA_ERR_CONFIGURATION if there is no session store that can keep it.
 */
na_error *na_kept_post_put(na_request *request, const na_former *former, const na_kept_post *post,
                           long seconds, const char **id);

/* Finds a form, without its body. *found is 0 if there is none, or if it was taken. */
na_error *na_kept_post_find(const na_request *request, const na_former *former, const char *id,
                            na_kept_post *post, int *found);

/*
 * Takes the form for the request's user and URL: *found is 0 if there is none, if it was taken, or
 * if it is of another user or for another URL. Its body is wiped with the pool.
 */
na_error *na_kept_post_take(const na_request *request, const na_former *former, const char *id,
                            const char *user, const char *url, na_kept_post *post, int *found);

/* Returns 1 if `text` has the form of an ID. */
int na_kept_post_is_id(const char *text);

#endif
