/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "auth/account_tokens.h"
#include "tap.h"

#define OLD "the old secret, 32 bytes or more."
#define NEW "the new secret, 32 bytes or more."

static const char *const only_old[] = {OLD}, *const both[] = {NEW, OLD}, *const only_new[] = {NEW};

static na_config site(na_dialect dialect, const char *const *secrets, int count)
{
    return (na_config){.dialect = dialect, .secrets = secrets, .secret_count = count};
}

static na_db_account account_of(const char *id, const char *token)
{
    return (na_db_account){.provider = "acme",
                           .provider_account_id = id,
                           .type = "oidc",
                           .access_token = token};
}

static int is_encrypted(const char *value)
{
    return strncmp(value, NA_ENCRYPTED_MARK, strlen(NA_ENCRYPTED_MARK)) == 0;
}

/* What a site without the secret has nothing to say about stays as it is. */
static int opens(apr_pool_t *pool, const na_config *config, const na_db_account *account)
{
    na_config newer = *config;
    const char *secrets[] = {"a secret that nothing was encrypted with", config->secrets[0]};
    na_db_account copy = *account;
    newer.secrets = secrets;
    newer.secret_count = 2;
    succeeds(na_account_tokens_encrypt_again(pool, &newer, &copy), "with another secret in front");
    return copy.access_token != account->access_token;
}

static void round_trip(apr_pool_t *pool, na_dialect dialect)
{
    const na_config config = site(dialect, only_old, 1);
    na_db_account account = account_of("1", "a token");
    account.id_token = "an ID token";
    succeeds(na_account_tokens_encrypt(pool, &config, &account), "tokens are encrypted");
    ok(is_encrypted(account.access_token) && is_encrypted(account.id_token), "each is marked");
    ok(!strstr(account.access_token, "a token"), "and is not what it was");
    ok(!account.refresh_token, "what is not there is not there");
    ok(opens(pool, &config, &account), "the secret opens them");
    const na_config other = site(dialect, only_new, 1);
    ok(!opens(pool, &other, &account), "another does not");
    na_db_account again = account;
    succeeds(na_account_tokens_encrypt_again(pool, &config, &again), "once more");
    ok(again.access_token == account.access_token && again.id_token == account.id_token,
       "nothing is to be done");
}

static void bound_to_place(apr_pool_t *pool)
{
    const na_config config = site(NA_V4, only_old, 1);
    na_db_account ada = account_of("1", "a token");
    succeeds(na_account_tokens_encrypt(pool, &config, &ada), "a token is encrypted");
    na_db_account bob = account_of("2", ada.access_token);
    ok(!opens(pool, &config, &bob), "it is nothing in another row");
    na_db_account other = ada;
    other.provider = "other";
    ok(!opens(pool, &config, &other), "nor in another provider's");
    na_db_account moved = account_of("1", NULL);
    moved.refresh_token = ada.access_token;
    succeeds(na_account_tokens_encrypt_again(pool, &config, &moved), "in another column");
    ok(moved.refresh_token == ada.access_token, "it is nothing either");
    for (size_t i = strlen(NA_ENCRYPTED_MARK); i < strlen(ada.access_token); i += 7) {
        char *changed = apr_pstrdup(pool, ada.access_token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        na_db_account tampered = account_of("1", changed);
        ok(!opens(pool, &config, &tampered), "nor with a letter changed");
    }
}

static void rotation(apr_pool_t *pool)
{
    for (int from = NA_V4; from <= NA_V5; from++)
        for (int to = NA_V4; to <= NA_V5; to++) {
            const na_config before = site((na_dialect)from, only_old, 1);
            const na_config during = site((na_dialect)to, both, 2);
            const na_config after = site((na_dialect)to, only_new, 1);
            na_db_account account = account_of("1", "a token");
            succeeds(na_account_tokens_encrypt(pool, &before, &account), "by the old secret");
            const char *was = account.access_token;
            succeeds(na_account_tokens_encrypt_again(pool, &during, &account), "by the newest");
            ok(account.access_token != was, "it is another then");
            ok(opens(pool, &after, &account), "which the newest alone opens");
        }
}

static void plain(apr_pool_t *pool)
{
    const na_config config = site(NA_V5, only_old, 1);
    na_db_account account = account_of("1", "a token of before");
    succeeds(na_account_tokens_encrypt_again(pool, &config, &account), "a plain token");
    ok(is_encrypted(account.access_token) && opens(pool, &config, &account), "is encrypted");
    static const char *const odd[] = {"encrypted:", "encrypted:a.b.c.d.e", "encrypted:no token"};
    for (int i = 0; i < 3; i++) {
        na_db_account marked = account_of("1", odd[i]);
        succeeds(na_account_tokens_encrypt_again(pool, &config, &marked), odd[i]);
        ok(marked.access_token == odd[i], "is left as it is in a row");
        succeeds(na_account_tokens_encrypt(pool, &config, &marked), odd[i]);
        ok(marked.access_token != odd[i] && opens(pool, &config, &marked),
           "and encrypted where a provider gives it");
    }
    char *large = apr_palloc(pool, NA_KEPT_TOKEN_MAX + 2);
    memset(large, 'x', NA_KEPT_TOKEN_MAX + 1);
    large[NA_KEPT_TOKEN_MAX + 1] = '\0';
    na_db_account long_one = account_of("1", large);
    succeeds(na_account_tokens_encrypt_again(pool, &config, &long_one), "one that is too long");
    ok(long_one.access_token == large, "stays plain in a row");
    large[NA_KEPT_TOKEN_MAX] = '\0';
    succeeds(na_account_tokens_encrypt_again(pool, &config, &long_one), "the longest");
    ok(strlen(long_one.access_token) < 65536 && opens(pool, &config, &long_one),
       "fits into 64 KB, and opens");
}

static void no_text(apr_pool_t *pool)
{
    const na_config config = site(NA_V4, only_old, 1);
    na_db_account account = account_of("1", "\xff\xfe");
    succeeds(na_account_tokens_encrypt_again(pool, &config, &account),
             "what is not UTF-8 does not keep its user out");
    is(account.access_token, "\xff\xfe", "and stays as it is");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    for (int i = NA_V4; i <= NA_V5; i++)
        round_trip(pool, (na_dialect)i);
    bound_to_place(pool);
    rotation(pool);
    plain(pool);
    no_text(pool);
    return tap_done();
}
