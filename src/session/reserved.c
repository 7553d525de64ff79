/* SPDX-License-Identifier: Apache-2.0 */
/* Claims that have a meaning to this module. */
#include "session/reserved.h"

#include <string.h>

#include "session/session.h"

/*
 * reserved: decides about the session itself, or who its user is;
 * internal: means nothing to an application, or, as the session's ID, grants what the cookie does;
 * lasting: describes the sign-in, and not the session that began with it, or the user's row.
 */
static const struct known_claim {
    const char *name;
    int is_reserved, is_internal, is_lasting;
} known[] = {{"sub", 1, 0, 0},
             {"name", 0, 0, 0},
             {"email", 0, 0, 0},
             {"picture", 0, 0, 0},
             {"iat", 1, 0, 0},
             {"exp", 1, 0, 0},
             {"nbf", 1, 1, 0},
             {"jti", 1, 1, 0},
             {"aud", 1, 0, 1},
             {"iss", 1, 0, 1},
             {NA_CLAIM_SESSION_ID, 1, 1, 0},
             {NA_CLAIM_AUTH_TIME, 1, 0, 0},
             {NA_CLAIM_PROVIDER, 1, 0, 1},
             {NA_CLAIM_ROLES, 1, 0, 1},
             {NA_CLAIM_BINDING, 1, 1, 0},
             {NA_CLAIM_REGISTERED, 1, 1, 0},
             {NA_CLAIM_SITE, 1, 1, 1},
             {NA_CLAIM_REVISION, 1, 1, 0},
             {NA_CLAIM_DATABASE_USER, 1, 1, 0},
             {NA_CLAIM_DATABASE_ROLES, 1, 1, 1},
             {NA_CLAIM_PROVED, 1, 1, 0},
             {NA_CLAIM_METHODS, 1, 0, 1},
             {NA_CLAIM_ACR, 1, 0, 0},
             {NA_CLAIM_SECOND_FACTOR, 1, 0, 1},
             {NA_CLAIM_BRIEF, 1, 1, 0},
             {NA_CLAIM_PROFILE_DUE, 1, 1, 0},
             {NA_CLAIM_TOKEN_SCOPE, 0, 0, 0}};

static const struct known_claim *find_claim(const char *name)
{
    static const struct known_claim other = {NULL, 0, 0, 1};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0)
            return &known[i];
    return &other;
}

int na_claim_is_reserved(const char *name)
{
    return find_claim(name)->is_reserved;
}

int na_claim_is_internal(const char *name)
{
    return find_claim(name)->is_internal;
}

int na_claim_is_lasting(const char *name)
{
    return find_claim(name)->is_lasting;
}
