/* SPDX-License-Identifier: Apache-2.0 */
/* The second factors of a user: what the database has of them, and whether a code is right. */
#ifndef NA_AUTH_FACTORS_H
#define NA_AUTH_FACTORS_H

#include "auth/action.h"
#include "db/database.h"

typedef struct na_factors {
    const char *user_id;
    const na_db_secret *totp;     /* the key of the authenticator app; NULL if there is none */
    int recovery_codes;           /* those that were not used */
    int passkeys;                 /* those that can be used here */
    apr_array_header_t *browsers; /* na_db_secret: remembered and not expired, the newest first */
} na_factors;

/* Reads all second factors of a user. */
na_error *na_factors_find(const na_request *request, const char *user_id, na_factors *factors);

/* Returns 1 if the user has something to give as a second factor. */
int na_factors_are_any(const na_factors *factors);

/*
 * Returns 1 if the user is asked for a second factor. A passkey alone is a way to sign in, unless
 * the site requires two factors: then a person who knows the password must not set up another one.
 */
int na_factors_are_asked(const na_request *request, const na_factors *factors);

/*
 * Returns 1 if the user of the database cannot sign in with a password alone: for clients that
 * cannot be asked for a second factor.
 */
na_error *na_user_has_second_factor(apr_pool_t *pool, const na_db *db, const na_config *config,
                                    const char *user_id, int *has);

/* Methods of a second factor, as in the claim NA_CLAIM_METHODS (RFC 8176 section 2). */
#define NA_METHOD_OTP "otp"
#define NA_METHOD_RECOVERY "recovery" /* of this module */
#define NA_METHOD_MULTIPLE "mfa"

/*
 * Verifies a code of the app, or a recovery code. *method is NULL if it is wrong or was used;
 * otherwise `spend` is what na_decision.spent must have, so that one of several concurrent
 * sign-ins gets it.
 */
na_error *na_factors_check(const na_request *request, const na_factors *factors, const char *typed,
                           const char **method, na_db_secret *spend);

/* Returns the row of a new key, of which `step` was used to confirm it. */
na_error *na_factors_new_totp(const na_request *request, const char *user_id, const char *key,
                              apr_int64_t step, na_db_secret *row);

/* Returns ten new codes (const char *), and appends their rows to `rows` (na_db_secret). */
const apr_array_header_t *na_factors_new_codes(const na_request *request, const char *user_id,
                                               apr_array_header_t *rows);

/* Appends to `removed` (na_db_secret) all that a user has with an authenticator app. */
void na_factors_remove_all(apr_array_header_t *removed);

#endif
