/* SPDX-License-Identifier: Apache-2.0 */
/* The Authorization header. */
#include "httpd/request/credentials.h"

#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "base/text.h"

/* Returns what follows the scheme, whose case does not matter (RFC 9110 section 11.1); else NULL.
 */
static const char *after_scheme(const char *header, const char *scheme)
{
    size_t len = strlen(scheme);
    return ap_cstr_casecmpn(header, scheme, len) == 0 && header[len] == ' '
               ? header + len + strspn(header + len, " ")
               : NULL;
}

/* The username ends at the first colon. Neither part has control characters (RFC 7617 section 2).
 */
static int split_basic(apr_pool_t *pool, const char *encoded, na_credentials *credentials)
{
    char *text = apr_palloc(pool, (apr_size_t)apr_base64_decode_len(encoded) + 1);
    apr_size_t len = (apr_size_t)apr_base64_decode(text, encoded);
    na_wipe_with_pool(pool, text, len);
    char *colon = strchr(text, ':');
    if (strlen(text) != len || !colon || !colon[1] || na_has_control(text))
        return 0;
    *colon = '\0';
    credentials->user = text;
    credentials->password = colon + 1;
    return 1;
}

int na_credentials_of(request_rec *r, na_credentials *credentials)
{
    const char *header = apr_table_get(r->headers_in, "Authorization"), *rest;
    *credentials = (na_credentials){0};
    if (!header)
        return 0;
    if ((rest = after_scheme(header, "Basic")))
        return split_basic(r->pool, rest, credentials);
    rest = after_scheme(header, "DPoP");
    credentials->is_dpop = rest != NULL;
    if (!rest)
        rest = after_scheme(header, "Bearer");
    if (rest && strchr(rest, '%')) /* as for NextAuth's getToken() */
        rest = na_percent_decode(r->pool, rest, 0);
    credentials->bearer = rest && *rest ? rest : NULL;
    return credentials->bearer != NULL;
}
