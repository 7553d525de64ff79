/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's tokens in the database, encrypted: NextAuthDatabase atRest=protected. */
#ifndef NA_AUTH_ACCOUNT_TOKENS_H
#define NA_AUTH_ACCOUNT_TOKENS_H

#include "auth/config.h"
#include "db/adapter.h"

/*
 * What encrypted values begin with; a JWE as NextAuth's encode() writes it follows. Its salt is
 * "COLUMN:PROVIDER:ACCOUNT": the key is of one column of one row, so that a value cannot be put
 * into another. Its one claim has the column's name.
 */
#define NA_ENCRYPTED_MARK "encrypted:"

/* Bytes of a token; once encrypted it still fits into MySQL's TEXT. */
#define NA_KEPT_TOKEN_MAX (40 * 1024)

#define NA_ACCOUNT_TOKENS 3

typedef struct na_account_token {
    const char *column;
    na_statement replace;
    const char **value; /* in the account */
} na_account_token;

/* The tokens of an account, whether it has them or not. */
void na_account_tokens_of(na_db_account *account, na_account_token tokens[NA_ACCOUNT_TOKENS]);

/* Encrypts what a provider gave, in place. */
na_error *na_account_tokens_encrypt(apr_pool_t *pool, const na_config *config,
                                    na_db_account *account);

/*
 * The same of what a row has, as far as it is plain or of another secret or format than the newest.
 * What no secret opens is left as it is.
 */
na_error *na_account_tokens_encrypt_again(apr_pool_t *pool, const na_config *config,
                                          na_db_account *account);

#endif
