/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypts and decrypts the tokens of accounts in the database (NextAuthDatabase atRest=protected).
 */
#ifndef NA_AUTH_ACCOUNT_TOKENS_H
#define NA_AUTH_ACCOUNT_TOKENS_H

#include "auth/config.h"
#include "db/adapter.h"

/*
 * Prefix of encrypted values; a JWE as NextAuth's encode() writes it follows. Its salt is
 * "COLUMN:PROVIDER:ACCOUNT", so that a value cannot be decrypted in another column or row. Its only
 * claim has the column's name.
 */
#define NA_ENCRYPTED_MARK "encrypted:"

/* Most bytes of a token: encrypted, it still fits into MySQL's TEXT. */
#define NA_KEPT_TOKEN_MAX (40 * 1024)

#define NA_ACCOUNT_TOKENS 3

typedef struct na_account_token {
    const char *column;
    const char **value; /* in the account */
} na_account_token;

/* Lists the tokens of an account, including those that are NULL. */
void na_account_tokens_of(na_db_account *account, na_account_token tokens[NA_ACCOUNT_TOKENS]);

/* Encrypts in place the tokens that a provider issued. */
na_error *na_account_tokens_encrypt(apr_pool_t *pool, const na_config *config,
                                    na_db_account *account);

/*
 * Encrypts in place the tokens of a row that are plain or use another secret or format than the
 * newest. Tokens that no secret decrypts remain unchanged.
 */
na_error *na_account_tokens_encrypt_again(apr_pool_t *pool, const na_config *config,
                                          na_db_account *account);

#endif
