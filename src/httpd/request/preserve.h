/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPreservePost: keeps the form of a request whose session has ended. */
#ifndef NA_HTTPD_REQUEST_PRESERVE_H
#define NA_HTTPD_REQUEST_PRESERVE_H

#include "auth/kept_post.h"
#include "httpd/module.h"
#include "page/page.h"

/* The outcome for a request that is not admitted, and might have a form. */
typedef enum na_preserved {
    NA_POST_NONE, /* there is none that can be kept here */
    NA_POST_KEPT,
    NA_POST_LOST /* there is one that should be kept, but could not be */
} na_preserved;

/* Keeps the form of a request. *url is the page that sends it again, if it is kept. */
na_preserved na_preserve_post(request_rec *r, const char **url);

/*
 * Returns 1 if the request is a POST as the browser sent it, neither a part of a page nor an
 * ErrorDocument, where forms are kept.
 */
int na_preserves_post(request_rec *r);

/* Returns 1 if a Content-Type has the media type, whatever its parameters. */
int na_is_of_type(const char *header, const char *type);

/* ── the page that sends a form again ──────────────────────────────────────────────────────── */

const char *na_resend_url(request_rec *r, const char *id);

/* The length of the body that it sends instead of the form. */
#define NA_RESEND_LEN (sizeof NA_RESEND_FIELD "=" - 1 + NA_KEPT_POST_ID_LEN)

/* Returns the ID in that body; NULL if the body differs. */
const char *na_resend_id(const char *body, apr_size_t len);

#endif
