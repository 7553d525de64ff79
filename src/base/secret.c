/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

/* 16 random bytes as hex have 14 different characters on average. */
#define DIFFERENT_MIN 8

/* Characters that neither a placeholder nor a pattern accounts for. */
#define FREE_MIN 20

/* This many characters that were there before are no news. */
#define ECHO_LEN 4

/* Of a secret, its letters and digits in lower case; longer words before those within them. */
static const char *const placeholders[] = {
    "yoursecret",   "mysecret",    "supersecret", "nextauthsecret", "authsecret", "secretkey",
    "secrethere",   "secretvalue", "thisisa",     "changethis",     "changeme",   "replacethis",
    "replaceme",    "placeholder", "insertyour",  "putyour",        "generatea",  "opensslrand",
    "keyboardcat",  "donotuse",    "development", "production",     "insecure",   "password",
    "passphrase",   "example",     "nextauth",    "secret",         "qwerty",     "topsecret",
    "betterplease", "linuxsecret", "randomvalue", "randomstring",   "foobar",     "loremipsum",
};

static int count_different(const char *text)
{
    char seen[256] = {0};
    int count = 0;
    for (; *text; text++)
        count += !seen[(unsigned char)*text]++;
    return count;
}

static char *plain(apr_pool_t *pool, const char *secret)
{
    char *text = apr_palloc(pool, strlen(secret) + 1), *out = text;
    for (; *secret; secret++)
        if (apr_isalnum(*secret))
            *out++ = (char)apr_tolower(*secret);
    *out = '\0';
    return text;
}

/* Marks what placeholders account for; the first that is found, or NULL. */
static const char *mark_placeholders(const char *text, char *known)
{
    const char *first = NULL;
    for (apr_size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++) {
        const char *word = placeholders[i];
        for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
            memset(known + (at - text), 1, strlen(word));
            first = first ? first : word;
        }
    }
    return first;
}

/* "aaa", "abc" and "321": each step as the one before. */
static int continues(const char *text, apr_size_t i)
{
    int step = i < 2 ? 2 : text[i] - text[i - 1];
    return step >= -1 && step <= 1 && step == text[i - 1] - text[i - 2];
}

static int was_there(const char *text, apr_size_t i)
{
    for (apr_size_t k = 0; k + ECHO_LEN <= i; k++)
        if (strncmp(text + k, text + i, ECHO_LEN) == 0)
            return 1;
    return 0;
}

static void mark_patterns(const char *text, char *known)
{
    apr_size_t len = strlen(text);
    for (apr_size_t i = 0; i < len; i++) {
        if (continues(text, i))
            known[i] = 1;
        if (i + ECHO_LEN <= len && was_there(text, i))
            memset(known + i, 1, ECHO_LEN);
    }
}

static int count_free(const char *known, apr_size_t len)
{
    int count = 0;
    for (apr_size_t i = 0; i < len; i++)
        count += !known[i];
    return count;
}

const char *na_secret_weakness(apr_pool_t *pool, const char *secret)
{
    apr_size_t len = strlen(secret);
    const char *text = plain(pool, secret);
    char *known = apr_pcalloc(pool, strlen(text) + 1);
    int different = count_different(secret);
    const char *word = mark_placeholders(text, known);
    if (word && count_free(known, strlen(text)) < FREE_MIN)
        return apr_psprintf(pool, "the secret is a placeholder (\"%s\") and little else", word);
    if (different < DIFFERENT_MIN)
        return apr_psprintf(pool, "the secret has no more than %d different characters", different);
    known = apr_pcalloc(pool, len + 1);
    mark_patterns(secret, known);
    return count_free(known, len) < FREE_MIN
               ? "the secret is for the most part characters that repeat or count up"
               : NULL;
}
