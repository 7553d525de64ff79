/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters and demands of a path for the provider: NextAuthAuthorizationParam, and requirements
 * of the sign-in. */
#ifndef NA_HTTPD_REQUEST_WISHES_H
#define NA_HTTPD_REQUEST_WISHES_H

#include "provider/provider.h"
#include "oauth/oauth.h"

/* The function of na_host; `data` is the request. */
na_error *na_wishes_of(void *data, const na_provider *provider, const char *url,
                       const na_wishes **wishes);

#endif
