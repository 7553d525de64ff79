/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an answer that are the same for registrations and authentications. */
#ifndef NA_WEBAUTHN_ANSWER_H
#define NA_WEBAUTHN_ANSWER_H

#include "base/crypto.h"
#include "webauthn/webauthn.h"

/*
 * Checks the client data: its type ("webauthn.create" or "webauthn.get"), challenge, and origin.
 * Writes its hash, which the authenticator signs.
 */
na_error *na_webauthn_check_client(apr_pool_t *pool, const na_webauthn_rp *rp, const char *type,
                                   const char *challenge, na_bytes client_data,
                                   unsigned char hash[NA_SHA256_LEN]);

/* Authenticator data, section 6.1. */
typedef struct na_authenticator_data {
    na_webauthn_use use;
    int is_synced;
    na_webauthn_credential credential; /* of a registration; empty otherwise */
} na_authenticator_data;

/* Reads authenticator data, and checks the RP ID and the flags. Everything is borrowed. */
na_error *na_webauthn_check_data(apr_pool_t *pool, const na_webauthn_rp *rp, na_bytes data,
                                 int is_registration, na_authenticator_data *read);

#endif
