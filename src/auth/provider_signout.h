/* SPDX-License-Identifier: Apache-2.0 */
/* A sign-out that continues at the provider (OpenID Connect RP-Initiated Logout 1.0). */
#ifndef NA_AUTH_PROVIDER_SIGNOUT_H
#define NA_AUTH_PROVIDER_SIGNOUT_H

#include "auth/action.h"

/* The session that ends, as the provider is told about it. Members are NULL if unknown. */
typedef struct na_provider_signout {
    const na_provider *provider; /* NULL if the sign-out ends here */
    const char *id_token;        /* kept since the sign-in; it is shown to the provider alone */
    const char *email;
} na_provider_signout;

/* Finds what is needed, before the session and what is kept with it end. */
void na_provider_signout_prepare(na_request *request, na_provider_signout *signout);

/*
 * Returns the URL that ends the user's session at the provider, and from there leads back to
 * request->callback_url; NULL if the provider has none or does not respond.
 */
const char *na_provider_signout_url(na_request *request, const na_provider_signout *signout);

/* Writes where a sign-out leads after the provider sent the browser back with this state. */
na_error *na_provider_signout_finish(na_request *request, const char *state, const char **url);

#endif
