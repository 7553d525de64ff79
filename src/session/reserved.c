/* SPDX-License-Identifier: Apache-2.0 */
/* Claims that only this module sets. */
#include "session/reserved.h"

#include <string.h>

#include "session/session.h"

int na_claim_is_reserved(const char *name)
{
    static const char *const reserved[] = {"sub",
                                           "iat",
                                           "exp",
                                           "nbf",
                                           "jti",
                                           "aud",
                                           "iss",
                                           NA_CLAIM_SESSION_ID,
                                           NA_CLAIM_AUTH_TIME,
                                           NA_CLAIM_PROVIDER,
                                           NA_CLAIM_ROLES,
                                           NA_CLAIM_BINDING,
                                           NA_CLAIM_REGISTERED,
                                           NA_CLAIM_SITE,
                                           NA_CLAIM_REVISION,
                                           NA_CLAIM_DATABASE_USER,
                                           NA_CLAIM_DATABASE_ROLES,
                                           NA_CLAIM_PROVED,
                                           NA_CLAIM_METHODS,
                                           NA_CLAIM_ACR,
                                           NA_CLAIM_SECOND_FACTOR,
                                           NA_CLAIM_BRIEF};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(name, reserved[i]) == 0)
            return 1;
    return 0;
}
