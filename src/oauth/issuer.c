/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization servers whose access tokens are accepted (NextAuthTokenIssuer). */
#include "oauth/issuer.h"

#include <string.h>

#include "base/json.h"

const char *const na_issuer_default_algs[] = {"RS256", "RS384", "RS512",   "PS256",
                                              "PS384", "PS512", "ES256",   "ES384",
                                              "ES512", "EdDSA", "Ed25519", NULL};

const na_issuer *na_issuer_find(const apr_array_header_t *issuers, const char *id)
{
    for (int i = 0; i < issuers->nelts; i++) {
        const na_issuer *issuer = APR_ARRAY_IDX(issuers, i, const na_issuer *);
        if (strcmp(issuer->provider->id, id) == 0)
            return issuer;
    }
    return NULL;
}

/* RFC 7519 section 4.1.3: one text, or a list. */
int na_issuer_is_audience(const na_issuer *issuer, const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud");
    const char *only = json_string_value(aud);
    for (int i = 0; i < issuer->audiences->nelts; i++) {
        const char *audience = APR_ARRAY_IDX(issuer->audiences, i, const char *);
        if (only ? strcmp(only, audience) == 0 : na_json_has_text(aud, audience))
            return 1;
    }
    return 0;
}
