/* SPDX-License-Identifier: Apache-2.0 */
/* The OAuth 2.0 and OpenID Connect client. */
#include "oauth/oauth.h"

#include <stdarg.h>

#include <apr_strings.h>

void na_oauth_step(const na_oauth *oauth, const char *event, const char *format, ...)
{
    va_list args;
    if (!oauth->step)
        return;
    va_start(args, format);
    oauth->step(oauth->data, event, apr_pvsprintf(oauth->pool, format, args));
    va_end(args);
}
