/* SPDX-License-Identifier: Apache-2.0 */
/* Personal access tokens: their text, and the rows that the database has of them. */
#ifndef NA_AUTH_ACCESS_TOKEN_H
#define NA_AUTH_ACCESS_TOKEN_H

#include "base/error.h"

/*
 * A token is "na_pat_", 43 random characters of 0-9A-Za-z (256 bits), and six characters of
 * CRC-32: na_pat_[0-9A-Za-z]{49}. Secret scanners find it by its prefix, and know by the checksum
 * that it is one without asking. The database has its SHA-256 alone: it is too random to be guessed
 * from that.
 */
#define NA_ACCESS_TOKEN_PREFIX "na_pat_"
#define NA_ACCESS_TOKEN_LEN 56

/* Returns a new token, which is wiped with the pool. */
char *na_access_token_new(apr_pool_t *pool);

/* Returns 1 if the text begins as a token does. */
int na_access_token_is_meant(const char *text);

/* Returns 1 if the text has the form of a token, and its checksum is right. */
int na_access_token_is_well_formed(const char *text);

/* Returns the ID of the token's row: SHA-256 as hex. */
char *na_access_token_id(apr_pool_t *pool, const char *token);

#endif
