/* SPDX-License-Identifier: Apache-2.0 */
/* Time-based one-time passwords (TOTP, RFC 6238), as authenticator apps show them. */
#ifndef NA_TWOFACTOR_TOTP_H
#define NA_TWOFACTOR_TOTP_H

#include <apr_time.h>

#include "base/text.h"

/* RFC 4226 section 4, R6: a key has at least 128 bits, and 160 are recommended. */
#define NA_TOTP_KEY_LEN 20

/* Returns a new random key as base32 text (RFC 4648 section 6), as apps read it. */
const char *na_totp_new_key(apr_pool_t *pool);

/*
 * Decodes a key; returns 0 if the text is not the base32 of NA_TOTP_KEY_LEN bytes. The bytes are
 * wiped with the pool.
 */
int na_totp_decode_key(apr_pool_t *pool, const char *text, na_bytes *key);

/* Returns the step of time (RFC 6238 section 4.2): the number of half minutes since 1970. */
apr_int64_t na_totp_step(apr_time_t now);

/* Writes the code of a step: six digits and a NUL. */
#define NA_TOTP_DIGITS 6
void na_totp_code(na_bytes key, apr_int64_t step, char code[NA_TOTP_DIGITS + 1]);

/*
 * Returns the step that a typed code belongs to: the current one, or the one before or after it.
 * 0 if it belongs to another, or not after `last`, the last step that was used (RFC 6238
 * section 5.2). Takes the same time for each code.
 */
apr_int64_t na_totp_check(na_bytes key, const char *typed, apr_time_t now, apr_int64_t last);

/* Returns the URI that apps read from a QR code, with the key as text. */
const char *na_totp_uri(apr_pool_t *pool, const char *issuer, const char *account, const char *key);

#endif
