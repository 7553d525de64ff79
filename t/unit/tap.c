/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

static int count, failed;
static apr_pool_t *test_pool;
static char folder[] = "/tmp/nextauth-unit-XXXXXX";

int ok(int passed, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%sok %d - ", passed ? "" : "not ", ++count);
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
    va_end(args);
    failed += !passed;
    return passed;
}

void diag(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("# ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

int is(const char *actual, const char *expected, const char *name)
{
    int same = actual && expected ? strcmp(actual, expected) == 0 : actual == expected;
    ok(same, "%s", name);
    if (!same)
        diag("got: %s, expected: %s", actual ? actual : "(NULL)", expected ? expected : "(NULL)");
    return same;
}

int is_number(long long actual, long long expected, const char *name)
{
    ok(actual == expected, "%s", name);
    if (actual != expected)
        diag("got: %lld, expected: %lld", actual, expected);
    return actual == expected;
}

int succeeds(const na_error *error, const char *name)
{
    ok(!error, "%s", name);
    if (error)
        diag("%s: %s", error->code, na_error_text(test_pool, error));
    return !error;
}

int fails(const na_error *error, const char *name)
{
    return ok(error != NULL, "%s", name);
}

void skip_all(const char *reason)
{
    printf("1..0 # SKIP %s\n", reason);
    exit(0);
}

apr_pool_t *tap_start(void)
{
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&test_pool, NULL);
    return test_pool;
}

const char *tap_folder(void)
{
    if (!mkdtemp(folder)) {
        printf("Bail out! no folder for files\n");
        exit(1);
    }
    return folder;
}

int tap_done(void)
{
    if (access(folder, F_OK) == 0)
        ok(system(apr_pstrcat(test_pool, "rm -r ", folder, NULL)) == 0, "the folder is removed");
    printf("1..%d\n", count);
    return failed ? 1 : 0;
}

char *slurp(apr_pool_t *pool, const char *path, apr_size_t *len)
{
    apr_file_t *file;
    apr_finfo_t info;
    if (apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, pool) != APR_SUCCESS)
        return NULL;
    if (apr_file_info_get(&info, APR_FINFO_SIZE, file) != APR_SUCCESS)
        return NULL;
    char *text = apr_palloc(pool, (apr_size_t)info.size + 1);
    apr_size_t got = 0;
    apr_file_read_full(file, text, (apr_size_t)info.size, &got);
    apr_file_close(file);
    text[got] = '\0';
    if (len)
        *len = got;
    return text;
}
