/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_NEXTAUTH_H
#define MOD_NEXTAUTH_H

/* What other httpd modules may use: fetch with APR_RETRIEVE_OPTIONAL_FN(nextauth_claim). */

#include <apr_optional.h>
#include <httpd.h>

/*
 * A claim of the request's session ("sub", "email", "roles", …), its first value; NULL where nobody
 * is signed in or the session has no such claim. Works on public paths too. The text lives as long
 * as the request.
 */
APR_DECLARE_OPTIONAL_FN(const char *, nextauth_claim, (request_rec * r, const char *name));

#endif
