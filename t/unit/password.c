/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <apr_atomic.h>
#include <apr_file_io.h>
#include <apr_md5.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <apr_time.h>

#include "password/htpasswd.h"
#include "password/gate.h"
#include "tap.h"

/*
 * Stands in for APR-util's: what it is asked to compute is what callers wait for. A hash is here of
 * the password that reads like it.
 */
static const char *validated[8];
static int validations, takes_all;

APU_DECLARE(apr_status_t) apr_password_validate(const char *password, const char *hash)
{
    if (validations < 8)
        validated[validations++] = hash;
    return takes_all || strcmp(password, hash) == 0 ? APR_SUCCESS : APR_EMISMATCH;
}

static int lines_read;

APR_DECLARE(apr_status_t) apr_file_gets(char *text, int len, apr_file_t *file)
{
    static apr_status_t (*gets_of_apr)(char *, int, apr_file_t *);
    if (!gets_of_apr)
        *(void **)&gets_of_apr = dlsym(RTLD_NEXT, "apr_file_gets");
    lines_read++;
    return gets_of_apr(text, len, file);
}

static const char *reason;

/* Files are long enough unchanged to be indexed if the present is that much later. */
#define AGE apr_time_from_sec(10)

static na_htpasswd_index *file_index;
static int is_settled;

/* At a time that is `later` than the present. */
static na_password_result check_later(apr_pool_t *pool, apr_time_t later, const char *path,
                                      const char *user, const char *password)
{
    na_error *error = NULL;
    validations = lines_read = 0;
    na_password_result result =
        na_htpasswd_check(pool, file_index, apr_time_now() + later, path, user, password, &error);
    reason = error ? na_error_text(pool, error) : "";
    return result;
}

static na_password_result check(apr_pool_t *pool, const char *path, const char *user,
                                const char *password)
{
    if (is_settled) /* the first time it is indexed */
        check_later(pool, AGE, path, user, password);
    return check_later(pool, is_settled ? AGE : 0, path, user, password);
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

#define SHA "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="
#define APR1 "$apr1$saltsalt$0123456789012345678901"
#define BCRYPT_5 "$2y$05$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6"
#define BCRYPT_10 "$2y$10$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6"
#define BCRYPT_31 "$2y$31$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6"

static void files(apr_pool_t *pool)
{
    const char *users =
        write_file(pool, "# comment\nada:" BCRYPT_5 "\nbob:" BCRYPT_5 ":more\nnone:\n\n");
    is_number(check(pool, users, "ada", BCRYPT_5), NA_PASSWORD_GRANTED, "the right password");
    is_number(check(pool, users, "bob", BCRYPT_5), NA_PASSWORD_GRANTED, "a line with more fields");
    is_number(check(pool, users, "ada", "two"), NA_PASSWORD_DENIED, "another one");
    is_number(validations, 1, "a wrong password is hashed once");
    is_number(check(pool, users, "eve", "one"), NA_PASSWORD_DENIED, "an unknown user");
    is_number(validations, 1, "and so is an unknown user's: both take the same time");
    is_number(check(pool, users, "none", ""), NA_PASSWORD_DENIED, "a user without a hash");
    is_number(validations, 1, "is as good as unknown");
    apr_file_remove(users, pool);
    const char *nobody = write_file(pool, "");
    is_number(check(pool, nobody, "eve", "x"), NA_PASSWORD_DENIED, "a file without users");
    is_number(validations, 1, "takes that time as well");
    apr_file_remove(nobody, pool);
    is_number(check(pool, nobody, "eve", "x"), NA_PASSWORD_FAILED, "a file that is not there");
}

/* A file of several kinds: who is unknown takes what the costliest takes, and nobody takes less. */
static void work(apr_pool_t *pool)
{
    static const char *const files[] = {"sha:" SHA "\napr:" APR1 "\nada:" BCRYPT_5
                                        "\nbob:" BCRYPT_10 "\n",
                                        "bob:" BCRYPT_10 "\nada:" BCRYPT_5 "\napr:" APR1
                                        "\nsha:" SHA "\n"};
    for (int i = 0; i < 2; i++) {
        const char *users = write_file(pool, files[i]);
        check(pool, users, "eve", "x");
        is_number(validations, 1, "an unknown user is one hash");
        is(validated[0], BCRYPT_10, "the costliest, wherever it stands");
        check(pool, users, "bob", "x");
        is_number(validations, 1, "so is who has that");
        is_number(check(pool, users, "sha", "x"), NA_PASSWORD_DENIED, "who has a cheap one");
        is_number(validations, 2, "takes the same besides");
        is(validated[0], BCRYPT_10, "which is computed first");
        is_number(check(pool, users, "apr", APR1), NA_PASSWORD_GRANTED, "and his own decides");
        is_number(check(pool, users, "apr", BCRYPT_10), NA_PASSWORD_DENIED, "nobody else's");
        apr_file_remove(users, pool);
    }
}

static void unusable(apr_pool_t *pool)
{
    char *file = apr_psprintf(pool,
                              "ada:" BCRYPT_31 "\nbob:$6$rounds=900000000$salt$x\nplain:secret\n"
                              "locked:!" BCRYPT_5 "\nok:" BCRYPT_5 "\n%s:" BCRYPT_5 "\n"
                              "x%1021d\nsplit:" BCRYPT_5 "\n",
                              "long", 0);
    const char *users = write_file(pool, file);
    is_number(check(pool, users, "ada", BCRYPT_31), NA_PASSWORD_DENIED, "a hash of cost 31");
    is_number(validations, 1, "is never computed");
    is(validated[0], BCRYPT_5, "but the costliest that is usable");
    ok(strstr(reason, "user 'ada'") && strstr(reason, "costs too much"), "and said: %s", reason);
    is_number(check(pool, users, "bob", "x"), NA_PASSWORD_DENIED, "900 million rounds");
    ok(strstr(reason, "user 'bob'") && strstr(reason, "costs too much"), "are said: %s", reason);
    is_number(check(pool, users, "plain", "secret"), NA_PASSWORD_DENIED, "a plain password");
    ok(strstr(reason, "unknown kind") && !strstr(reason, "secret"), "is not repeated: %s", reason);
    is_number(check(pool, users, "locked", "x"), NA_PASSWORD_DENIED, "a locked user");
    is(reason, "", "is nothing to say a word about");
    is_number(check(pool, users, "eve", "x"), NA_PASSWORD_DENIED, "an unknown user");
    is(validated[0], BCRYPT_5, "takes no more than what is usable");
    is_number(check(pool, users, "split", BCRYPT_5), NA_PASSWORD_GRANTED, "after a long line");
    apr_file_remove(users, pool);
    users = write_file(pool, apr_psprintf(pool, "x%*sada:" BCRYPT_5 "\n", 1022, ""));
    is_number(check(pool, users, "ada", BCRYPT_5), NA_PASSWORD_DENIED, "the rest of a long line");
    apr_file_remove(users, pool);
    users = write_file(pool, apr_pstrcat(pool, "ada:", SHA, NULL));
    is_number(check(pool, users, "ada", SHA), NA_PASSWORD_GRANTED, "a last line without an end");
    apr_file_remove(users, pool);
}

static const char *write_users(apr_pool_t *pool, int count)
{
    char *text = apr_palloc(pool, (apr_size_t)count * 100 + 100), *end = text;
    for (int i = 0; i < count; i++)
        end += sprintf(end, "user%06d:" SHA "\n", i);
    sprintf(end, "ada:" BCRYPT_5 "\nada:" BCRYPT_10 "\n");
    return write_file(pool, text);
}

static void indexed(apr_pool_t *pool)
{
    const char *users = write_users(pool, 1000);
    is_number(check_later(pool, 0, users, "ada", BCRYPT_5), NA_PASSWORD_GRANTED, "a new file");
    is_number(lines_read, 1003, "is read from start to end");
    is_number(check_later(pool, AGE, users, "ada", BCRYPT_5), NA_PASSWORD_GRANTED,
              "so is it later");
    is_number(lines_read, 1003, "once");
    is_number(check_later(pool, AGE, users, "ada", BCRYPT_5), NA_PASSWORD_GRANTED, "then");
    is_number(lines_read, 2, "only the lines of the user and of the costliest hash");
    is(validated[0], BCRYPT_10, "which is imitated");
    is_number(check_later(pool, AGE, users, "ada", BCRYPT_10), NA_PASSWORD_DENIED,
              "of two lines the first counts");
    is_number(check_later(pool, AGE, users, "user000999", SHA), NA_PASSWORD_GRANTED, "others too");
    is_number(lines_read, 2, "by their lines");
    is_number(check_later(pool, AGE, users, "eve", "x"), NA_PASSWORD_DENIED, "an unknown user");
    is_number(lines_read, 2, "takes as many");
    is(validated[0], BCRYPT_10, "and the costliest hash");
    apr_file_remove(users, pool);
    is_number(check_later(pool, AGE, users, "ada", BCRYPT_5), NA_PASSWORD_FAILED,
              "a file that is gone is not remembered");
}

static apr_int64_t changed_at(const char *path)
{
    struct stat state;
    stat(path, &state);
    return (apr_int64_t)state.st_ctim.tv_sec * 1000000000 + state.st_ctim.tv_nsec;
}

/* AGE pretends that time has passed. The file system must have made a step at least. */
static void await_step(apr_pool_t *pool, const char *path)
{
    for (int is_later = 0; !is_later;) {
        const char *other = write_file(pool, "");
        is_later = changed_at(other) > changed_at(path);
        apr_file_remove(other, pool);
    }
}

/* Edits a file and sets its time of modification back. */
static void overwrite(apr_pool_t *pool, const char *path, apr_off_t at, const char *text)
{
    apr_file_t *file;
    struct stat was;
    stat(path, &was);
    const struct timespec times[] = {was.st_atim, was.st_mtim};
    await_step(pool, path);
    apr_file_open(&file, path, APR_WRITE, APR_OS_DEFAULT, pool);
    apr_file_seek(file, APR_SET, &at);
    apr_file_puts(text, file);
    apr_file_close(file);
    utimensat(AT_FDCWD, path, times, 0);
}

/* A change counts at once, however alike the file is. */
static void changed(apr_pool_t *pool)
{
    static const char before[] = "ada:" BCRYPT_5 "\nbob:" BCRYPT_5 "\n";
    struct stat was;
    const char *users = write_file(pool, before);
    stat(users, &was);
    for (int i = 0; i < 2; i++)
        is_number(check_later(pool, AGE, users, "ada", BCRYPT_5), NA_PASSWORD_GRANTED,
                  "as written");
    overwrite(pool, users, 0, "ada:" BCRYPT_10);
    is_number(check_later(pool, AGE, users, "ada", BCRYPT_5), NA_PASSWORD_DENIED,
              "a hash of the same length in its place");
    is_number(check_later(pool, AGE, users, "ada", BCRYPT_10), NA_PASSWORD_GRANTED, "counts");
    overwrite(pool, users, 0, "eve:");
    is_number(check_later(pool, AGE, users, "ada", BCRYPT_10), NA_PASSWORD_DENIED,
              "a name in its place");
    is_number(check_later(pool, AGE, users, "eve", BCRYPT_10), NA_PASSWORD_GRANTED, "as well");
    await_step(pool, users);
    const char *next = write_file(pool, "bob:" BCRYPT_5 "\nada:" BCRYPT_5 "\n");
    const struct timespec times[] = {was.st_atim, was.st_mtim};
    utimensat(AT_FDCWD, next, times, 0);
    apr_file_rename(next, users, pool);
    is_number(check_later(pool, AGE, users, "ada", BCRYPT_5), NA_PASSWORD_GRANTED,
              "a file of the same size and time in its place");
    is_number(check_later(pool, AGE, users, "eve", BCRYPT_10), NA_PASSWORD_DENIED, "does so");
    apr_file_remove(users, pool);
}

/* What is too much for the index is read each time, and files beyond its places give way. */
static void bounded(apr_pool_t *pool)
{
    const char *many = write_users(pool, NA_HTPASSWD_USERS_MAX - 1);
    const char *files[NA_HTPASSWD_FILES_MAX + 1];
    for (int i = 0; i < 2; i++)
        is_number(check_later(pool, AGE, many, "ada", BCRYPT_5), NA_PASSWORD_GRANTED,
                  "a user of too many");
    ok(lines_read > NA_HTPASSWD_USERS_MAX, "who are read each time");
    apr_file_remove(many, pool);
    for (int i = 0; i <= NA_HTPASSWD_FILES_MAX; i++) {
        files[i] = write_users(pool, 10);
        check_later(pool, AGE, files[i], "ada", BCRYPT_5);
        check_later(pool, AGE, files[i], "ada", BCRYPT_5);
        is_number(lines_read, 2, "one file more is indexed");
    }
    check_later(pool, AGE, files[0], "ada", BCRYPT_5);
    ok(lines_read > 2, "in the place of the one that was not used for longest");
    for (int i = 0; i <= NA_HTPASSWD_FILES_MAX; i++)
        apr_file_remove(files[i], pool);
}

/* bcrypt looks at 72 bytes: more would sign in with any ending. */
static void long_passwords(apr_pool_t *pool)
{
    const char *users = write_file(pool, "ada:" BCRYPT_5 "\n");
    char *password = apr_palloc(pool, 74);
    memset(password, 'x', 73);
    password[73] = '\0';
    takes_all = 1;
    is_number(check(pool, users, "ada", password), NA_PASSWORD_DENIED, "73 bytes");
    is_number(validations, 1, "are refused after the same work");
    password[72] = '\0';
    is_number(check(pool, users, "ada", password), NA_PASSWORD_GRANTED, "72 are not");
    takes_all = 0;
    apr_file_remove(users, pool);
}

static volatile apr_uint32_t entered, refused;

static na_password_gate *gate;

static void *APR_THREAD_FUNC try_gate(apr_thread_t *thread, void *client)
{
    if (na_password_gate_enter(gate, client)) {
        apr_atomic_inc32(&entered);
        na_password_gate_leave(gate, client);
    } else {
        apr_atomic_inc32(&refused);
    }
    return NULL;
}

static void gates(apr_pool_t *pool)
{
    static const char *const clients[] = {"a", "b", "c", "d", "e", "f",
                                          "g", "h", "i", "j", "k", "l"};
    apr_thread_t *threads[12];
    apr_status_t status;
    succeeds(na_password_gate_make(pool, 1, &gate), "a gate of one place");
    ok(na_password_gate_enter(gate, "first"), "the first goes in");
    for (int i = 0; i < 12; i++)
        apr_thread_create(&threads[i], NULL, try_gate, (void *)clients[i], pool);
    for (int i = 0; i < 400 && apr_atomic_read32(&refused) < 4; i++)
        apr_sleep(10 * 1000);
    is_number(apr_atomic_read32(&refused), 4, "eight may wait, the other four are refused at once");
    is_number(apr_atomic_read32(&entered), 0, "nobody goes in while the place is taken");
    na_password_gate_leave(gate, "first");
    for (int i = 0; i < 12; i++)
        apr_thread_join(&status, threads[i]);
    is_number(apr_atomic_read32(&entered), 8, "then those who waited do, one after the other");
    ok(na_password_gate_enter(gate, "first"), "and the place is free again");
}

/* One client asks as often as it likes, then another one comes. */
static void shares(apr_pool_t *pool)
{
    apr_thread_t *threads[12], *other;
    apr_status_t status;
    entered = refused = 0;
    succeeds(na_password_gate_make(pool, 1, &gate), "a gate of one place");
    ok(na_password_gate_enter(gate, "greedy"), "a client goes in");
    for (int i = 0; i < 12; i++)
        apr_thread_create(&threads[i], NULL, try_gate, (void *)"greedy", pool);
    for (int i = 0; i < 400 && apr_atomic_read32(&refused) < 6; i++)
        apr_sleep(10 * 1000);
    is_number(apr_atomic_read32(&refused), 6, "six more of its checks may wait, not twelve");
    apr_thread_create(&other, NULL, try_gate, (void *)"other", pool);
    na_password_gate_leave(gate, "greedy");
    apr_thread_join(&status, other);
    for (int i = 0; i < 12; i++)
        apr_thread_join(&status, threads[i]);
    is_number(apr_atomic_read32(&entered), 7, "and another client gets in");
}

static volatile apr_uint32_t is_over;

static void *APR_THREAD_FUNC come_and_go(apr_thread_t *thread, void *client)
{
    for (int i = 0; i < 250 && !apr_atomic_read32(&is_over); i++)
        if (na_password_gate_enter(gate, client)) {
            apr_atomic_inc32(&entered);
            apr_sleep(20 * 1000);
            na_password_gate_leave(gate, client);
        }
    apr_atomic_inc32(&refused);
    return NULL;
}

/* A thread that waits is one that serves no page. */
static void waits(apr_pool_t *pool)
{
    static const char *const clients[] = {"c", "d", "e", "f"};
    apr_thread_t *threads[4];
    apr_status_t status;
    entered = refused = 0;
    succeeds(na_password_gate_make(pool, 2, &gate), "a gate of two places");
    ok(na_password_gate_enter(gate, "slow"), "a client keeps one of them");
    for (int i = 0; i < 4; i++)
        apr_thread_create(&threads[i], NULL, come_and_go, (void *)clients[i], pool);
    while (apr_atomic_read32(&entered) < 4)
        apr_sleep(10 * 1000);
    if (na_password_gate_enter(gate, "slow"))
        na_password_gate_leave(gate, "slow");
    is_number(apr_atomic_read32(&refused), 0, "it does not wait for as long as others come");
    apr_atomic_set32(&is_over, 1);
    for (int i = 0; i < 4; i++)
        apr_thread_join(&status, threads[i]);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    na_htpasswd_index_make(pool, &file_index);
    for (is_settled = 0; is_settled < 2; is_settled++) {
        files(pool);
        work(pool);
        unusable(pool);
    }
    indexed(pool);
    changed(pool);
    bounded(pool);
    long_passwords(pool);
    gates(pool);
    shares(pool);
    waits(pool);
    return tap_done();
}
