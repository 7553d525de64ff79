/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypts and decrypts the tokens of accounts in the database. */
#include "auth/account_tokens.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"

void na_account_tokens_of(na_db_account *account, na_account_token tokens[NA_ACCOUNT_TOKENS])
{
    tokens[0] = (na_account_token){"refresh_token", &account->refresh_token};
    tokens[1] = (na_account_token){"access_token", &account->access_token};
    tokens[2] = (na_account_token){"id_token", &account->id_token};
}

/* Neither a column nor a provider's ID has a colon. */
static const char *salt_of(apr_pool_t *pool, const na_db_account *account, const char *column)
{
    return apr_pstrcat(pool, column, ":", account->provider, ":", account->provider_account_id,
                       NULL);
}

static na_error *encrypt_token(apr_pool_t *pool, const na_config *config,
                               const na_db_account *account, const na_account_token *token)
{
    na_keyring ring;
    char *jwe;
    json_t *claims = na_json_own(pool, json_pack("{s:s}", token->column, *token->value));
    if (!claims)
        return na_error_new(pool, NA_ERR_CALLBACK, "the account's %s is not UTF-8", token->column);
    char *text = na_json_dump(pool, claims);
    na_wipe_with_pool(pool, text, strlen(text));
    NA_TRY(na_keyring_derive(pool, config->dialect, config->secrets, 1,
                             salt_of(pool, account, token->column), &ring));
    NA_TRY(na_jwe_seal(pool, ring.keys[0], na_bytes_of(text), &jwe));
    *token->value = apr_pstrcat(pool, NA_ENCRYPTED_MARK, jwe, NULL);
    return NULL;
}

/* Sets *plain to NULL if none of the first `secret_count` secrets decrypts it. */
static na_error *decrypt_token(apr_pool_t *pool, const na_config *config, na_dialect dialect,
                               int secret_count, const na_db_account *account,
                               const na_account_token *token, const char **plain)
{
    const char *jwe = *token->value + strlen(NA_ENCRYPTED_MARK);
    na_keyring ring;
    na_bytes text;
    json_t *claims;
    *plain = NULL;
    NA_TRY(na_keyring_derive(pool, dialect, config->secrets, secret_count,
                             salt_of(pool, account, token->column), &ring));
    if (na_jwe_open(pool, ring.keys, ring.count, jwe, strlen(jwe), &text))
        return NULL;
    na_wipe_with_pool(pool, (void *)text.data, text.len);
    NA_TRY(na_json_parse_sealed(pool, NA_ERR_CALLBACK, text, &claims));
    *plain = na_json_string(claims, token->column);
    return NULL;
}

na_error *na_account_tokens_encrypt(apr_pool_t *pool, const na_config *config,
                                    na_db_account *account)
{
    na_account_token tokens[NA_ACCOUNT_TOKENS];
    na_account_tokens_of(account, tokens);
    for (int i = 0; i < NA_ACCOUNT_TOKENS; i++)
        if (*tokens[i].value)
            NA_TRY(encrypt_token(pool, config, account, &tokens[i]));
    return NULL;
}

static int is_encrypted(const char *value)
{
    return strncmp(value, NA_ENCRYPTED_MARK, strlen(NA_ENCRYPTED_MARK)) == 0;
}

static na_error *encrypt_token_again(apr_pool_t *pool, const na_config *config,
                                     const na_db_account *account, const na_account_token *token)
{
    static const na_dialect dialects[] = {NA_V4, NA_V5};
    const char *plain = NULL;
    NA_TRY(decrypt_token(pool, config, config->dialect, 1, account, token, &plain));
    if (plain)
        return NULL;
    for (int i = 0; i < 2 && !plain; i++)
        NA_TRY(
            decrypt_token(pool, config, dialects[i], config->secret_count, account, token, &plain));
    if (!plain)
        return NULL;
    *token->value = plain;
    return encrypt_token(pool, config, account, token);
}

na_error *na_account_tokens_encrypt_again(apr_pool_t *pool, const na_config *config,
                                          na_db_account *account)
{
    na_account_token tokens[NA_ACCOUNT_TOKENS];
    na_account_tokens_of(account, tokens);
    for (int i = 0; i < NA_ACCOUNT_TOKENS; i++) {
        const char *value = *tokens[i].value;
        if (value && is_encrypted(value))
            NA_TRY(encrypt_token_again(pool, config, account, &tokens[i]));
        else if (value && strlen(value) <= NA_KEPT_TOKEN_MAX && na_is_utf8(value))
            NA_TRY(encrypt_token(pool, config, account, &tokens[i]));
    }
    return NULL;
}
