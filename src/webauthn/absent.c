/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for this directory in a build without libfido2. */
#include "webauthn/webauthn.h"

static na_error *refuse_all(apr_pool_t *pool)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "this build has no passkeys");
}

int na_webauthn_is_here(void)
{
    return 0;
}

na_error *na_webauthn_parse(apr_pool_t *pool, const char *text, na_webauthn_answer *answer)
{
    return refuse_all(pool);
}

const char *na_webauthn_challenge(apr_pool_t *pool, const na_webauthn_answer *answer)
{
    return NULL;
}

na_error *na_webauthn_register(apr_pool_t *pool, const na_webauthn_rp *rp, const char *challenge,
                               const na_webauthn_answer *answer, na_webauthn_credential *made,
                               na_webauthn_use *use)
{
    return refuse_all(pool);
}

na_error *na_webauthn_authenticate(apr_pool_t *pool, const na_webauthn_rp *rp,
                                   const char *challenge, const na_webauthn_answer *answer,
                                   const na_webauthn_credential *known, na_webauthn_use *use)
{
    return refuse_all(pool);
}
