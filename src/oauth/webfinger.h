/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the issuer of an account or a URL: WebFinger (OpenID Connect Discovery 1.0 section 2). */
#ifndef NA_OAUTH_WEBFINGER_H
#define NA_OAUTH_WEBFINGER_H

#include "base/error.h"
#include "base/text.h"

/* Returns 1 if the text is an account: user@example.org, or acct:user@example.org. */
int na_webfinger_is_account(const char *text);

/* Returns the URL to ask about an account or an https URL, always an https one of its host. */
na_error *na_webfinger_url(apr_pool_t *pool, const char *text, const char **url);

/* Reads the response; the issuer is an https URL, and is to be checked as any other. */
na_error *na_webfinger_read(apr_pool_t *pool, na_bytes body, const char **issuer);

#endif
