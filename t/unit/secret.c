/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
        {"0123456789abcdef0123456789abcdef", "repeated or consecutive"},
        {"abcdefghijklmnopqrstuvwxyz0123456789", "repeated or consecutive"},
        {"k7Qx9Lm2k7Qx9Lm2k7Qx9Lm2k7Qx9Lm2", "repeated or consecutive"},
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

static void hints(apr_pool_t *pool)
{
    na_error *cause = na_error_new(pool, NA_ERR_CONFIGURATION, "it is broken");
    is(na_error_text(pool, cause), "it is broken", "an error without a hint");
    is(na_error_hint(cause), NULL, "has none");
    na_error_with_hint(cause, "glue it");
    na_error *error = na_error_wrap(pool, cause, NULL, "no cup");
    is(na_error_text(pool, error), "no cup: it is broken: glue it",
       "a log line ends with the hint");
    is(na_error_reason(pool, error), "no cup: it is broken", "the reason is without");
    is(na_error_hint(error), "glue it", "the hint is the cause's where there is none nearer");
}

/* ── files and streams ─────────────────────────────────────────────────────────────────────── */

static const char *written(apr_pool_t *pool, const char *path, const void *data, size_t len,
                           mode_t mode)
{
    FILE *file = fopen(path, "we");
    if (!file || fwrite(data, 1, len, file) != len || fclose(file) != 0 || chmod(path, mode) != 0)
        ok(0, "%s is written", path);
    return path;
}

static na_error *read_stream(apr_pool_t *pool, const void *data, size_t len, char **secret)
{
    FILE *stream = tmpfile();
    fwrite(data, 1, len, stream);
    rewind(stream);
    na_error *error = na_secret_read_stream(pool, stream, "the stream", secret);
    fclose(stream);
    return error;
}

static void contents(apr_pool_t *pool, const char *path)
{
    static const struct {
        const char *content, *secret, *what;
    } cases[] = {{"s3cret", "s3cret", "a secret without a line end"},
                 {"s3cret\n", "s3cret", "one line feed is cut"},
                 {"s3cret\r\n\n", "s3cret", "all line ends behind it are"},
                 {"first\nsecond\n", "first\nsecond", "those within it belong to it"},
                 {"\n s3cret \n", "\n s3cret ", "as does what is before it, and spaces"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *of_file = NULL, *of_stream = NULL;
        size_t len = strlen(cases[i].content);
        succeeds(na_secret_read(pool, written(pool, path, cases[i].content, len, 0600), &of_file),
                 cases[i].what);
        is(of_file, cases[i].secret, "  in a file");
        succeeds(read_stream(pool, cases[i].content, len, &of_stream), "  as well");
        is(of_stream, cases[i].secret, "  in a stream");
    }
}

static void refused(apr_pool_t *pool, const char *path)
{
    char *large = apr_palloc(pool, NA_SECRET_MAX + 1), *secret;
    memset(large, 'x', NA_SECRET_MAX + 1);
    const struct {
        const char *content;
        size_t len;
        mode_t mode;
        const char *said;
    } cases[] = {{"", 0, 0600, "is empty"},
                 {"\r\n", 2, 0600, "is empty"},
                 {"a\0b", 3, 0600, "NUL byte"},
                 {large, NA_SECRET_MAX + 1, 0600, "more than 64 KiB"},
                 {"s3cret", 6, 0604, "chmod o="},
                 {"s3cret", 6, 0602, "chmod o="}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        written(pool, path, cases[i].content, cases[i].len, cases[i].mode);
        na_error *error = na_secret_read(pool, path, &secret);
        ok(error && strstr(na_error_text(pool, error), cases[i].said), "a file is refused: %s",
           cases[i].said);
        if (cases[i].mode != 0600)
            continue;
        error = read_stream(pool, cases[i].content, cases[i].len, &secret);
        ok(error && strstr(error->message, cases[i].said), "  and a stream");
    }
    written(pool, path, large, NA_SECRET_MAX, 0600);
    succeeds(na_secret_read(pool, path, &secret), "64 KiB are taken");
    succeeds(read_stream(pool, large, NA_SECRET_MAX, &secret), "  of a stream, too");
    fails(na_secret_read(pool, "/", &secret), "a folder is refused");
    unlink(path);
    fails(na_secret_read(pool, path, &secret), "a file that is not there is refused");
}

static void reading(apr_pool_t *pool)
{
    char path[] = "/tmp/nextauth-secret-XXXXXX";
    int fd = mkstemp(path);
    if (!ok(fd >= 0, "there is a file"))
        return;
    close(fd);
    contents(pool, path);
    refused(pool, path);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    reading(pool);
    guessable(pool);
    good(pool);
    hints(pool);
    return tap_done();
}
