/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_atomic.h>
#include <apr_file_io.h>
#include <apr_md5.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <apr_time.h>

#include "auth/password.h"
#include "tap.h"

/* Stands in for APR-util's: what is asked of it is counted, as its time is what callers notice. */
static int validated;

APU_DECLARE(apr_status_t) apr_password_validate(const char *password, const char *hash)
{
    validated++;
    return strcmp(password, hash) == 0 ? APR_SUCCESS : APR_EMISMATCH;
}

static na_password_result check(apr_pool_t *pool, const char *path, const char *user,
                                const char *password)
{
    na_error *error = NULL;
    validated = 0;
    return na_password_check(pool, path, user, password, &error);
}

static const char *write_file(apr_pool_t *pool, const char *text)
{
    char *path = apr_pstrdup(pool, "/tmp/nextauth-XXXXXX");
    apr_file_t *file;
    apr_file_mktemp(&file, path, APR_WRITE | APR_CREATE | APR_EXCL, pool);
    apr_file_puts(text, file);
    apr_file_close(file);
    return path;
}

static void files(apr_pool_t *pool)
{
    const char *users = write_file(pool, "# comment\nada:one\nbob:two:more\nnone:\n\n");
    is_number(check(pool, users, "ada", "one"), NA_PASSWORD_GRANTED, "the right password");
    is_number(check(pool, users, "bob", "two"), NA_PASSWORD_GRANTED, "a line with more fields");
    is_number(check(pool, users, "ada", "two"), NA_PASSWORD_DENIED, "somebody else's");
    is_number(validated, 1, "a wrong password is hashed once");
    is_number(check(pool, users, "eve", "one"), NA_PASSWORD_DENIED, "an unknown user");
    is_number(validated, 1, "and so is an unknown user's: both take the same time");
    is_number(check(pool, users, "none", ""), NA_PASSWORD_DENIED, "a user without a hash");
    is_number(validated, 1, "is as good as unknown");
    apr_file_remove(users, pool);
    const char *nobody = write_file(pool, "");
    is_number(check(pool, nobody, "eve", "x"), NA_PASSWORD_DENIED, "a file without users");
    is_number(validated, 1, "takes that time as well");
    apr_file_remove(nobody, pool);
    is_number(check(pool, nobody, "eve", "x"), NA_PASSWORD_FAILED, "a file that is not there");
}

static volatile apr_uint32_t entered, refused;

static void *APR_THREAD_FUNC try_gate(apr_thread_t *thread, void *gate)
{
    if (na_password_gate_enter(gate)) {
        apr_atomic_inc32(&entered);
        na_password_gate_leave(gate);
    } else {
        apr_atomic_inc32(&refused);
    }
    return NULL;
}

static void gates(apr_pool_t *pool)
{
    na_password_gate *gate;
    apr_thread_t *threads[12];
    apr_status_t status;
    succeeds(na_password_gate_make(pool, 1, &gate), "a gate of one place");
    ok(na_password_gate_enter(gate), "the first goes in");
    for (int i = 0; i < 12; i++)
        apr_thread_create(&threads[i], NULL, try_gate, gate, pool);
    for (int i = 0; i < 400 && apr_atomic_read32(&refused) < 4; i++)
        apr_sleep(10 * 1000);
    is_number(apr_atomic_read32(&refused), 4, "eight may wait, the other four are refused at once");
    is_number(apr_atomic_read32(&entered), 0, "nobody goes in while the place is taken");
    na_password_gate_leave(gate);
    for (int i = 0; i < 12; i++)
        apr_thread_join(&status, threads[i]);
    is_number(apr_atomic_read32(&entered), 8, "then those who waited do, one after the other");
    ok(na_password_gate_enter(gate), "and the place is free again");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    files(pool);
    gates(pool);
    return tap_done();
}
