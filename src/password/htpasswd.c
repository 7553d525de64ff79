/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies passwords against a file that htpasswd wrote. */
#include "password/htpasswd.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_portable.h>
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

/* The hashes of a file that a sign-in needs. */
typedef struct hashes {
    const char *user;      /* NULL if the user has none */
    const char *costliest; /* NULL if no hash is usable */
} hashes;

/* The lines of a file that is read from its start. */
typedef struct reading {
    apr_array_header_t *entries; /* na_htpasswd_entry */
    apr_off_t costliest;         /* -1 if no hash is usable */
    int is_complete;             /* the end was reached */
} reading;

static apr_off_t offset_of(apr_file_t *file)
{
    apr_off_t offset = 0;
    apr_file_seek(file, APR_CUR, &offset);
    return offset;
}

static void note_line(reading *r, const char *name, apr_off_t line)
{
    if (r->entries->nelts <= NA_HTPASSWD_USERS_MAX)
        APR_ARRAY_PUSH(r->entries, na_htpasswd_entry) =
            (na_htpasswd_entry){na_htpasswd_name_hash(name), line};
}

/* Reads the whole file, or the time would reveal the position of a user. */
static void read_all(apr_pool_t *pool, apr_file_t *file, const char *user, hashes *found,
                     reading *r)
{
    char line[LINE_MAX_BYTES];
    int is_start = 1;
    apr_status_t status;
    apr_pool_t *line_pool;
    apr_pool_create(&line_pool, pool);
    *found = (hashes){NULL, NULL};
    *r = (reading){.entries = apr_array_make(pool, 64, sizeof(na_htpasswd_entry)), .costliest = -1};
    for (;;) {
        apr_off_t at = offset_of(file);
        status = apr_file_gets(line, sizeof line, file);
        if (status != APR_SUCCESS)
            break;
        apr_pool_clear(line_pool);
        int was_start = is_start;
        is_start = is_whole(line);
        char *hash = was_start && is_start ? hash_of_line(line) : NULL;
        if (!hash)
            continue;
        note_line(r, line, at);
        if (na_hash_costlier(line_pool, found->costliest, hash) == hash) {
            found->costliest = apr_pstrdup(pool, hash);
            r->costliest = at;
        }
        if (!found->user && strcmp(line, user) == 0)
            found->user = apr_pstrdup(pool, hash);
    }
    r->is_complete = status == APR_EOF;
    apr_pool_destroy(line_pool);
}

/* Reads the hash at an offset: of this user, or of any if it is NULL. NULL if there is none. */
static const char *read_line(apr_pool_t *pool, apr_file_t *file, apr_off_t at, const char *user)
{
    char line[LINE_MAX_BYTES];
    if (apr_file_seek(file, APR_SET, &at) != APR_SUCCESS ||
        apr_file_gets(line, sizeof line, file) != APR_SUCCESS || !is_whole(line))
        return NULL;
    const char *hash = hash_of_line(line);
    return hash && (!user || strcmp(line, user) == 0) ? apr_pstrdup(pool, hash) : NULL;
}

/*
 * Reads the lines that the index names. An unknown user has none, so that another line is read
 * instead, which takes the same time. Returns 0 if the costliest hash is not where it was.
 */
static int read_some(apr_pool_t *pool, apr_file_t *file, const char *user,
                     const na_htpasswd_lines *lines, hashes *found)
{
    *found = (hashes){NULL, read_line(pool, file, lines->costliest, NULL)};
    if (!lines->count)
        read_line(pool, file, lines->costliest, user);
    for (int i = 0; i < lines->count && !found->user; i++)
        found->user = read_line(pool, file, lines->users[i], user);
    return found->costliest != NULL;
}

/* Returns 1 for a file that can be indexed, and its state: a pipe is read each time. */
static int is_regular(apr_file_t *file, struct stat *state)
{
    apr_os_file_t fd;
    return apr_os_file_get(&fd, file) == APR_SUCCESS && fstat(fd, state) == 0 &&
           S_ISREG(state->st_mode);
}

static int is_still(apr_file_t *file, const struct stat *before)
{
    struct stat state;
    return is_regular(file, &state) && na_htpasswd_is_same_state(before, &state);
}

static void find_hashes(apr_pool_t *pool, na_htpasswd_index *index, apr_file_t *file,
                        const char *path, const char *user, apr_time_t now, hashes *found)
{
    struct stat before;
    na_htpasswd_lines lines;
    reading r;
    apr_off_t start = 0;
    int can_index = is_regular(file, &before);
    if (can_index && na_htpasswd_index_find(index, path, &before, user, &lines)) {
        if (read_some(pool, file, user, &lines, found) && is_still(file, &before))
            return;
        apr_file_seek(file, APR_SET, &start);
    }
    read_all(pool, file, user, found, &r);
    if (can_index && r.is_complete && r.costliest >= 0 && is_still(file, &before))
        na_htpasswd_index_put(index, path, &before, now, r.entries, r.costliest);
}

na_password_result na_htpasswd_check(apr_pool_t *pool, na_htpasswd_index *index, apr_time_t now,
                                     const char *path, const char *user, const char *password,
                                     na_error **error)
{
    apr_file_t *file;
    hashes found;
    int matches;
    apr_status_t status = apr_file_open(&file, path, APR_READ | APR_BUFFERED, APR_OS_DEFAULT, pool);
    if (status != APR_SUCCESS) {
        char reason[120];
        *error = na_error_new(pool, NA_ERR_CONFIGURATION, "could not read password file '%s': %s",
                              path, apr_strerror(status, reason, sizeof reason));
        return NA_PASSWORD_FAILED;
    }
    find_hashes(pool, index, file, path, user, now, &found);
    apr_file_close(file);
    na_error *unusable =
        na_password_verify(pool, password, found.user,
                           found.costliest ? found.costliest : DUMMY_HASH, &matches);
    if (unusable)
        *error = na_error_wrap(pool, unusable, NULL, "user '%s' of '%s' cannot sign in",
                               na_percent_encode(pool, user), path);
    return matches ? NA_PASSWORD_GRANTED : NA_PASSWORD_DENIED;
}
