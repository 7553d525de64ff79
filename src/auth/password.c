/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/password.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_md5.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "base/crypto.h"

#define WAIT apr_time_from_sec(5)

/* Checks that may wait for each that is under way: the rest are refused, or they would take every
 * worker of the server. */
#define WAITING_PER_PLACE 8
#define LINE_MAX_BYTES 1024

/* bcrypt, cost 10, of a random word nobody kept: for files that have no hash to imitate. */
#define DUMMY_HASH "$2y$10$SOHQod5.8FuDsZ61ttNMseJJmJYBAJVTCLTqrNZ1.HWjcZJDh4UjO"

struct na_password_gate {
    apr_thread_mutex_t *lock;
    apr_thread_cond_t *left;
    int places;
    int waiting, waiting_max;
};

na_error *na_password_gate_make(apr_pool_t *pool, int places, na_password_gate **made)
{
    na_password_gate *gate = apr_pcalloc(pool, sizeof *gate);
    gate->places = places;
    gate->waiting_max = places * WAITING_PER_PLACE;
    if (apr_thread_mutex_create(&gate->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&gate->left, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_CONFIGURATION, "no mutex for the password checks");
    *made = gate;
    return NULL;
}

int na_password_gate_enter(na_password_gate *gate)
{
    apr_thread_mutex_lock(gate->lock);
    apr_status_t status = gate->waiting < gate->waiting_max ? APR_SUCCESS : APR_EBUSY;
    gate->waiting++;
    while (!gate->places && status == APR_SUCCESS)
        status = apr_thread_cond_timedwait(gate->left, gate->lock, WAIT);
    gate->waiting--;
    int entered = gate->places > 0;
    gate->places -= entered;
    apr_thread_mutex_unlock(gate->lock);
    return entered;
}

void na_password_gate_leave(na_password_gate *gate)
{
    apr_thread_mutex_lock(gate->lock);
    gate->places++;
    apr_thread_cond_signal(gate->left);
    apr_thread_mutex_unlock(gate->lock);
}

/* The user's hash; *any takes the first of the file, whoever's it is. */
static const char *find_hash(apr_pool_t *pool, apr_file_t *file, const char *user, const char **any)
{
    char line[LINE_MAX_BYTES];
    while (apr_file_gets(line, sizeof line, file) == APR_SUCCESS) {
        char *hash = strchr(line, ':');
        if (*line == '#' || !hash)
            continue;
        *hash++ = '\0';
        hash[strcspn(hash, ":\r\n")] = '\0';
        if (!*hash)
            continue;
        if (!*any)
            *any = apr_pstrdup(pool, hash);
        if (strcmp(line, user) == 0)
            return apr_pstrdup(pool, hash);
    }
    return NULL;
}

na_password_result na_password_check(apr_pool_t *pool, const char *path, const char *user,
                                     const char *password, na_error **error)
{
    apr_file_t *file;
    apr_status_t status = apr_file_open(&file, path, APR_READ | APR_BUFFERED, APR_OS_DEFAULT, pool);
    if (status != APR_SUCCESS) {
        char reason[120];
        *error = na_error_new(pool, NA_CONFIGURATION, "cannot read password file %s: %s", path,
                              apr_strerror(status, reason, sizeof reason));
        return NA_PASSWORD_FAILED;
    }
    const char *any = NULL;
    const char *hash = find_hash(pool, file, user, &any);
    apr_file_close(file);
    if (!hash) { /* the same work, or time would tell who exists */
        apr_password_validate(password, any ? any : DUMMY_HASH);
        return NA_PASSWORD_DENIED;
    }
    return apr_password_validate(password, hash) == APR_SUCCESS ? NA_PASSWORD_GRANTED
                                                                : NA_PASSWORD_DENIED;
}
