/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in files and from programs, and who can read them. */
#include "base/secret.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "base/crypto.h"

#define ONE_SECRET "use a file that contains only the secret"

/* ── secrets in files and streams ──────────────────────────────────────────────────────────── */

static na_error *cannot_read(apr_pool_t *pool, const char *path, apr_status_t status)
{
    char reason[120];
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "could not read '%s': %s",
                                           path, apr_strerror(status, reason, sizeof reason)),
                              "check that it exists and that this user can read it");
}

static na_error *too_large(apr_pool_t *pool, const char *name)
{
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "%s has more than %d KiB",
                                           name, NA_SECRET_MAX / 1024),
                              ONE_SECRET);
}

/* Text after a NUL byte would be ignored silently. */
static na_error *check_text(apr_pool_t *pool, const char *name, const char *text, apr_size_t len)
{
    return strlen(text) == len
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION, "%s contains a NUL byte", name);
}

static na_error *check_file(apr_pool_t *pool, const char *path, const apr_finfo_t *info)
{
    if (info->filetype != APR_REG)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "'%s' is not a regular file", path),
                                  ONE_SECRET);
    if (info->size > NA_SECRET_MAX)
        return too_large(pool, path);
    return info->protection & (APR_FPROT_WREAD | APR_FPROT_WWRITE)
               ? na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                 "'%s' is readable or writable by all users", path),
                                    apr_psprintf(pool, "chmod o= %s", path))
               : NULL;
}

static na_error *read_open(apr_pool_t *pool, const char *path, apr_file_t *file, char **text)
{
    apr_finfo_t info;
    apr_status_t status =
        apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_PROT | APR_FINFO_TYPE, file);
    if (status != APR_SUCCESS)
        return cannot_read(pool, path, status);
    NA_TRY(check_file(pool, path, &info));
    apr_size_t len = (apr_size_t)info.size;
    *text = apr_pcalloc(pool, len + 1);
    na_wipe_with_pool(pool, *text, len);
    status = apr_file_read_full(file, *text, len, &len);
    return status == APR_SUCCESS || status == APR_EOF ? check_text(pool, path, *text, len)
                                                      : cannot_read(pool, path, status);
}

na_error *na_secret_file_read(apr_pool_t *pool, const char *path, char **text)
{
    apr_file_t *file;
    apr_status_t status = apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, pool);
    if (status != APR_SUCCESS)
        return cannot_read(pool, path, status);
    na_error *error = read_open(pool, path, file, text);
    apr_file_close(file);
    return error;
}

static na_error *cut_line_ends(apr_pool_t *pool, const char *name, char *text)
{
    apr_size_t len = strlen(text);
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    return len ? NULL : na_error_new(pool, NA_ERR_CONFIGURATION, "%s is empty", name);
}

na_error *na_secret_read(apr_pool_t *pool, const char *path, char **secret)
{
    NA_TRY(na_secret_file_read(pool, path, secret));
    return cut_line_ends(pool, path, *secret);
}

na_error *na_secret_read_stream(apr_pool_t *pool, FILE *stream, const char *name, char **secret)
{
    *secret = apr_pcalloc(pool, NA_SECRET_MAX + 2);
    na_wipe_with_pool(pool, *secret, NA_SECRET_MAX + 1);
    apr_size_t len = 0;
    ssize_t n = 1;
    /* stdio's buffer would keep a copy; signals, as at httpd's restart, do not end the loop */
    while (len <= NA_SECRET_MAX && n) {
        n = read(fileno(stream), *secret + len, NA_SECRET_MAX + 1 - len);
        if (n < 0 && errno != EINTR)
            return na_error_new(pool, NA_ERR_CONFIGURATION, "could not read %s: %s", name,
                                strerror(errno));
        len += n > 0 ? (apr_size_t)n : 0;
    }
    if (len > NA_SECRET_MAX)
        return too_large(pool, name);
    NA_TRY(check_text(pool, name, *secret, len));
    return cut_line_ends(pool, name, *secret);
}

/* ── weak secrets ──────────────────────────────────────────────────────────────────────────── */

/* 16 random bytes as hex have 14 different characters on average. */
#define DIFFERENT_MIN 8

/* Characters that are required besides placeholders and patterns. */
#define FREE_MIN 20

/* This many characters that occurred before count as repeated. */
#define ECHO_LEN 4

/* Letters and digits of a secret in lower case; longer words precede those that they contain. */
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

/* Marks all characters of placeholders. Returns the first placeholder, NULL if none. */
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

/* Returns 1 within "aaa", "abc", and "321": each step is the same as the previous one. */
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
        return apr_psprintf(pool, "the secret is a placeholder (\"%s\") with little else", word);
    if (different < DIFFERENT_MIN)
        return apr_psprintf(pool, "the secret has no more than %d different characters", different);
    known = apr_pcalloc(pool, len + 1);
    mark_patterns(secret, known);
    return count_free(known, len) < FREE_MIN
               ? "the secret consists mostly of repeated or consecutive characters"
               : NULL;
}
