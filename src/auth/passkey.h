/* SPDX-License-Identifier: Apache-2.0 */
/* Passkeys of users: Auth.js's table of authenticators, and this module's names and times. */
#ifndef NA_AUTH_PASSKEY_H
#define NA_AUTH_PASSKEY_H

#include "auth/ceremony.h"
#include "db/database.h"

/* Most passkeys of a user: what is asked of a browser must be bounded. */
#define NA_PASSKEYS_MAX 32

/* Most bytes of the name that a user gives to a passkey. */
#define NA_PASSKEY_NAME_MAX NA_SECRET_NAME_MAX

/* A passkey of a user. */
typedef struct na_passkey {
    na_db_authenticator row;
    const char *name;                /* NULL if it has none: an application registered it */
    const char *user_handle;         /* likewise */
    apr_int64_t created_at, used_at; /* ms; 0 if unknown */
} na_passkey;

/* Returns the site's passkey provider, NULL if it has none. */
const na_provider *na_passkey_provider(const na_config *config);

/* Returns the ID of the row that has a passkey's name. */
const char *na_passkey_secret_id(apr_pool_t *pool, const char *credential_id);

/* Returns what a user typed as a name, or the browser's name instead. */
const char *na_passkey_name(const na_request *request, const char *typed);

/* Appends the user's passkeys (na_passkey). */
na_error *na_passkeys_of(const na_request *request, const char *user_id,
                         apr_array_header_t *passkeys);

/* Sets *count to the number of the user's passkeys; to 0 if the site has no passkey provider. */
na_error *na_passkeys_count(const na_request *request, const char *user_id, int *count);

/*
 * Verifies the field `data` of the form: an answer to a ceremony that this browser began to
 * authenticate. `user_id` is the user who is known from a cookie, NULL if none: whether the passkey
 * is theirs, the caller checks. Updates the counter. *is_verified is 1 if the authenticator
 * verified the user. request->claimant is the owner as soon as it is known. The error is
 * NA_ERR_WEBAUTHN.
 */
na_error *na_passkey_authenticate(na_request *request, na_response *response, const char *user_id,
                                  na_db_authenticator *found, int *is_verified);

/* A new passkey, and the ceremony in which it was made. */
typedef struct na_new_passkey {
    na_ceremony ceremony;
    na_db_authenticator row; /* without its user */
    const char *attestation;
} na_new_passkey;

/* Verifies the field `data` of the form: an answer to a ceremony to register. */
na_error *na_passkey_register(na_request *request, na_response *response, na_new_passkey *made);

#endif
