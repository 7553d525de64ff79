/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies passwords against a file that htpasswd wrote. */
#include "password/htpasswd.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "base/text.h"
#include "password/hash.h"

#define LINE_MAX_BYTES 1024

/* bcrypt, cost 10, of a random word that was not kept: for files without any hash to imitate. */
#define DUMMY_HASH "$2y$10$SOHQod5.8FuDsZ61ttNMseJJmJYBAJVTCLTqrNZ1.HWjcZJDh4UjO"

/* Returns the hash after a username; NULL if the line does not belong to a user. */
static char *hash_of_line(char *line)
{
    char *hash = strchr(line, ':');
    if (*line == '#' || !hash)
        return NULL;
    *hash++ = '\0';
    hash[strcspn(hash, ":\r\n")] = '\0';
    return *hash ? hash : NULL;
}

/* Returns 0 if the line did not fit; the next read continues it. */
static int is_whole(const char *line)
{
    size_t len = strlen(line);
    return len + 1 < LINE_MAX_BYTES || line[len - 1] == '\n';
}

/*
 * Returns the user's hash, NULL if none, and in *costliest the costliest hash of the file. The
 * whole file is always read, or the time would reveal the position of a user.
 */
static const char *find_hash(apr_pool_t *pool, apr_file_t *file, const char *user,
                             const char **costliest)
{
    char line[LINE_MAX_BYTES];
    const char *found = NULL;
    int is_start = 1;
    apr_pool_t *line_pool;
    apr_pool_create(&line_pool, pool);
    while (apr_file_gets(line, sizeof line, file) == APR_SUCCESS) {
        apr_pool_clear(line_pool);
        int was_start = is_start;
        is_start = is_whole(line);
        char *hash = was_start && is_start ? hash_of_line(line) : NULL;
        if (!hash)
            continue;
        if (na_hash_costlier(line_pool, *costliest, hash) == hash)
            *costliest = apr_pstrdup(pool, hash);
        if (!found && strcmp(line, user) == 0)
            found = apr_pstrdup(pool, hash);
    }
    apr_pool_destroy(line_pool);
    return found;
}

na_password_result na_htpasswd_check(apr_pool_t *pool, const char *path, const char *user,
                                     const char *password, na_error **error)
{
    apr_file_t *file;
    int matches;
    apr_status_t status = apr_file_open(&file, path, APR_READ | APR_BUFFERED, APR_OS_DEFAULT, pool);
    if (status != APR_SUCCESS) {
        char reason[120];
        *error = na_error_new(pool, NA_ERR_CONFIGURATION, "could not read password file '%s': %s",
                              path, apr_strerror(status, reason, sizeof reason));
        return NA_PASSWORD_FAILED;
    }
    const char *costliest = NULL;
    const char *hash = find_hash(pool, file, user, &costliest);
    apr_file_close(file);
    na_error *unusable =
        na_password_verify(pool, password, hash, costliest ? costliest : DUMMY_HASH, &matches);
    if (unusable)
        *error = na_error_wrap(pool, unusable, NULL, "user '%s' of '%s' cannot sign in",
                               na_percent_encode(pool, user), path);
    return matches ? NA_PASSWORD_GRANTED : NA_PASSWORD_DENIED;
}
