/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies what browsers and authenticators answer (Web Authentication Level 3). No I/O. */
#ifndef NA_WEBAUTHN_WEBAUTHN_H
#define NA_WEBAUTHN_WEBAUTHN_H

#include <apr_tables.h>

#include "base/error.h"
#include "base/text.h"

/* The algorithms that are accepted, as numbers of COSE, the preferred one first. */
#define NA_WEBAUTHN_ALGS                                                                           \
    {                                                                                              \
        -8, -7, -257                                                                               \
    }

/* Most characters of a credential's ID in base64: it is a key column of Auth.js's tables. */
#define NA_WEBAUTHN_ID_MAX 255

/* The site that asks, and its requirements. */
typedef struct na_webauthn_rp {
    const char *id;                    /* RP ID: a domain */
    const apr_array_header_t *origins; /* const char *: the pages that can ask */
    int verifies_users;                /* 1 if the authenticator must have verified the user */
} na_webauthn_rp;

/* An answer, decoded from the JSON in which clients send it (section 5.1). */
typedef struct na_webauthn_answer {
    na_bytes id;
    na_bytes client_data;
    na_bytes attestation; /* attestationObject of a registration; empty otherwise */
    na_bytes authenticator_data, signature; /* of an authentication; empty otherwise */
    const char *transports;  /* "internal,hybrid", as Auth.js stores them; NULL if none */
    const char *user_handle; /* of an authentication, as the client wrote it; NULL if none */
} na_webauthn_answer;

/* A credential, as it was registered. */
typedef struct na_webauthn_credential {
    na_bytes id;
    na_bytes public_key; /* COSE_Key */
    apr_uint32_t counter;
    int is_synced; /* backup eligible: it can exist on several devices */
} na_webauthn_credential;

/* The result of an answer. */
typedef struct na_webauthn_use {
    apr_uint32_t counter;
    int is_backed_up;        /* it exists on several devices now */
    int is_verified;         /* the authenticator verified the user */
    const char *attestation; /* of a registration: "none", "self", or "packed" */
} na_webauthn_use;

/* Returns 1 if this build can verify, 0 if it was built without libfido2. */
int na_webauthn_is_here(void);

/* Decodes an answer. Nothing in it is verified yet. */
na_error *na_webauthn_parse(apr_pool_t *pool, const char *text, na_webauthn_answer *answer);

/*
 * Returns the challenge that an answer claims to be for, NULL if it has none: to find what was
 * asked.
 */
const char *na_webauthn_challenge(apr_pool_t *pool, const na_webauthn_answer *answer);

/*
 * Verifies a registration (section 7.1). An attestation that is not "none" must have a valid
 * signature, but there are no trust anchors: it does not prove who made the authenticator.
 * The error is NA_ERR_WEBAUTHN, also below.
 */
na_error *na_webauthn_register(apr_pool_t *pool, const na_webauthn_rp *rp, const char *challenge,
                               const na_webauthn_answer *answer, na_webauthn_credential *made,
                               na_webauthn_use *use);

/*
 * Verifies an authentication (section 7.2) with a credential that the caller found by the answer's
 * ID. A counter that did not increase is an error.
 */
na_error *na_webauthn_authenticate(apr_pool_t *pool, const na_webauthn_rp *rp,
                                   const char *challenge, const na_webauthn_answer *answer,
                                   const na_webauthn_credential *known, na_webauthn_use *use);

#endif
