/* SPDX-License-Identifier: Apache-2.0 */
/* The Authorization header. */
#ifndef NA_HTTPD_REQUEST_CREDENTIALS_H
#define NA_HTTPD_REQUEST_CREDENTIALS_H

#include <httpd.h>

/* Credentials that a client shows with each request; NULL if it does not. Wiped with the request's
 * pool. */
typedef struct na_credentials {
    const char *bearer;          /* RFC 6750 section 2.1 */
    int is_dpop;                 /* `bearer` has the scheme DPoP instead (RFC 9449 section 7.1) */
    const char *user, *password; /* RFC 7617 section 2; both or neither */
} na_credentials;

/* Returns 0 if the request has neither a bearer token nor a username with a password. */
int na_credentials_of(request_rec *r, na_credentials *credentials);

#endif
