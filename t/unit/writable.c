/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/writable.h"
#include "tap.h"

static const char *folder;

static const char *in_folder(apr_pool_t *pool, const char *name)
{
    return apr_pstrcat(pool, folder, "/", name, NULL);
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    apr_cpystrn(address.sun_path, path, sizeof address.sun_path);
    ok(bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "a socket");
    close(fd);
}

static void furnish(apr_pool_t *pool)
{
    close(open(in_folder(pool, "file"), O_WRONLY | O_CREAT, 0600));
    ok(mkdir(in_folder(pool, "sub"), 0700) == 0 &&
           symlink("sub/later", in_folder(pool, "link")) == 0 &&
           symlink(in_folder(pool, "none/later"), in_folder(pool, "lost")) == 0 &&
           symlink("circle", in_folder(pool, "circle")) == 0 &&
           symlink("sub", in_folder(pool, "alias")) == 0,
       "links");
    make_socket(in_folder(pool, "socket"));
}

/* What is said has to be what is seen by who really does it. */
static void files(apr_pool_t *pool)
{
    static const char *const names[] = {"file", "new",  "sub",    "sub/new", "none/new", "file/new",
                                        "link", "lost", "circle", "socket",  "alias/new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = in_folder(pool, names[i]);
        na_error *error = na_writable_file(pool, path);
        char made[PATH_MAX];
        int was_there = access(path, F_OK) == 0;
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        ok((fd >= 0) == !error, "%s: %s", names[i], error ? error->message : "can be written to");
        ok(!error || error->hint, "  with a hint where it cannot");
        if (fd >= 0 && !was_there && realpath(path, made))
            unlink(made);
        close(fd);
    }
    fails(na_writable_file(pool, "/proc/new"), "the kernel takes no files");
    fails(na_writable_file(pool, "/sys/new"), "nowhere");
    succeeds(na_writable_file(pool, "/dev/null"), "but a device is written to");
    ok(access(in_folder(pool, "new"), F_OK) != 0, "nothing was made");
}

static void folders(apr_pool_t *pool)
{
    succeeds(na_writable_directory(pool, in_folder(pool, "sub")), "a folder");
    succeeds(na_writable_directory(pool, in_folder(pool, "alias")), "a link to one");
    succeeds(na_writable_directory(pool, in_folder(pool, "a/b/c")), "one that can be made");
    fails(na_writable_directory(pool, in_folder(pool, "file")), "a file is none");
    fails(na_writable_directory(pool, in_folder(pool, "file/a/b")), "nor has any");
    fails(na_writable_directory(pool, in_folder(pool, "lost")), "a link to nothing is none");
    fails(na_writable_directory(pool, in_folder(pool, "circle/a")), "nor one to itself");
    fails(na_writable_directory(pool, "/proc/a/b"), "the kernel takes none");
    ok(access(in_folder(pool, "a"), F_OK) != 0, "none was made");
}

static void identities(apr_pool_t *pool)
{
    const char *there = na_writable_identity(pool, in_folder(pool, "file"));
    is(na_writable_identity(pool, in_folder(pool, "sub/../file")), there, "two paths of one file");
    ok(strcmp(na_writable_identity(pool, in_folder(pool, "sub")), there) != 0, "two files");
    const char *later = na_writable_identity(pool, in_folder(pool, "sub/new"));
    is(na_writable_identity(pool, in_folder(pool, "alias/new")), later, "of one that is not there");
    ok(strcmp(na_writable_identity(pool, in_folder(pool, "sub/other")), later) != 0, "two of them");
    is(na_writable_identity(pool, in_folder(pool, "none/new")), NULL,
       "of one that cannot be there");
    is(na_writable_identity(pool, in_folder(pool, "link")),
       na_writable_identity(pool, in_folder(pool, "sub/later")), "a link to what is not there yet");
    ok(na_writable_identity(pool, in_folder(pool, "circle")) != NULL, "a link to itself is itself");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    folder = tap_folder();
    furnish(pool);
    files(pool);
    folders(pool);
    identities(pool);
    return tap_done();
}
