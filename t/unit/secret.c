/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "tap.h"

static void guessable(apr_pool_t *pool)
{
    static const struct {
        const char *secret, *said;
    } cases[] = {
        {"changeme-changeme-changeme-changeme", "placeholder (\"changeme\")"},
        {"your-secret-here-at-least-32-characters", "placeholder (\"yoursecret\")"},
        {"CHANGE_ME_CHANGE_ME_CHANGE_ME_1234", "placeholder (\"changeme\")"},
        {"this-is-a-super-secret-key-for-next-auth", "placeholder"},
        {"my_secret_password_for_development_1", "placeholder"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "no more than 1 different"},
        {"abababababababababababababababab", "no more than 2 different"},
        {"0123456789abcdef0123456789abcdef", "repeat or count up"},
        {"abcdefghijklmnopqrstuvwxyz0123456789", "repeat or count up"},
        {"k7Qx9Lm2k7Qx9Lm2k7Qx9Lm2k7Qx9Lm2", "repeat or count up"},
        {"", "no more than 0 different"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = na_secret_weakness(pool, cases[i].secret);
        ok(said && strstr(said, cases[i].said), "%s: %s", cases[i].secret, said ? said : "passes");
    }
}

static void good(apr_pool_t *pool)
{
    int refused = 0;
    for (int i = 0; i < 2000; i++) {
        refused += na_secret_weakness(pool, na_random_base64url(pool, 48)) != NULL;
        refused += na_secret_weakness(pool, na_random_base64url(pool, 24)) != NULL;
        refused += na_secret_weakness(pool, na_random_hex(pool, 32)) != NULL;
        refused += na_secret_weakness(pool, na_random_hex(pool, 16)) != NULL;
    }
    is_number(refused, 0, "no random secret is refused");
    is(na_secret_weakness(pool, "secret-uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5"), NULL,
       "nor one that a word comes before");
    is(na_secret_weakness(pool, "vier Störche brüten am Rand des großen Moores"), NULL,
       "nor a long phrase");
}

static void mends(apr_pool_t *pool)
{
    na_error *cause = na_error_new(pool, NA_CONFIGURATION, "it is broken");
    is(na_error_text(pool, cause), "it is broken", "an error without a mend");
    is(na_error_mend(cause), NULL, "has none");
    na_error_mended_by(cause, "glue it");
    na_error *error = na_error_wrap(pool, cause, NULL, "no cup");
    is(na_error_text(pool, error), "no cup: it is broken: glue it",
       "a log line ends with the mend");
    is(na_error_reason(pool, error), "no cup: it is broken", "the reason is without");
    is(na_error_mend(error), "glue it", "the mend is the cause's where there is none nearer");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    guessable(pool);
    good(pool);
    mends(pool);
    return tap_done();
}
