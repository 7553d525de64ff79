/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that files and directories can be written to later. */
#include "base/writable.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <apr_strings.h>

#define PATH_LEN_MAX 4096

static na_error *wrong(apr_pool_t *pool, const char *hint, const char *path, const char *why)
{
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "'%s' %s", path, why), hint);
}

static na_error *cannot(apr_pool_t *pool, const char *path, const char *what, int code)
{
    const char *why = apr_pstrcat(pool, what, ": ", strerror(code), NULL);
    return wrong(pool,
                 code == EROFS ? "use a directory on a writable file system"
                               : "check its owner and mode, and those of its parent directories",
                 path, why);
}

static const char *directory_of(apr_pool_t *pool, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return slash == path ? "/" : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
}

/* The kernel's own file systems look as if root could create files in them. */
static int is_of_kernel(const char *directory)
{
    struct statfs info;
    return statfs(directory, &info) == 0 &&
           (info.f_type == PROC_SUPER_MAGIC || info.f_type == SYSFS_MAGIC);
}

static na_error *check_there(apr_pool_t *pool, const char *directory)
{
    struct stat info;
    if (stat(directory, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                     "directory '%s' does not exist", directory),
                                        apr_psprintf(pool, "mkdir %s", directory))
                   : cannot(pool, directory, "could not be checked", errno);
    if (!S_ISDIR(info.st_mode))
        return wrong(pool, "use another directory", directory, "is not a directory");
    if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0)
        return cannot(pool, directory, "is not writable", errno);
    return is_of_kernel(directory)
               ? wrong(pool, "use another directory", directory, "belongs to the kernel")
               : NULL;
}

/* Returns the file that a dangling symbolic link would create; NULL if `path` is not a link. */
static const char *target_of(apr_pool_t *pool, const char *path)
{
    char target[PATH_LEN_MAX];
    ssize_t len = readlink(path, target, sizeof target);
    if (len <= 0)
        return NULL;
    const char *text = apr_pstrmemdup(pool, target, (apr_size_t)len);
    return *text == '/' ? text : apr_pstrcat(pool, directory_of(pool, path), "/", text, NULL);
}

na_error *na_writable_file(apr_pool_t *pool, const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return wrong(pool, "use a file in it", path, "is a directory");
        if (S_ISSOCK(info.st_mode))
            return wrong(pool, "use a regular file", path, "is a socket");
        return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0
                   ? NULL
                   : cannot(pool, path, "is not writable", errno);
    }
    if (errno != ENOENT && errno != ENOTDIR)
        return cannot(pool, path, "could not be checked", errno);
    const char *target = target_of(pool, path); /* not circular: that is ELOOP */
    return target ? na_writable_file(pool, target) : check_there(pool, directory_of(pool, path));
}

na_error *na_writable_directory(apr_pool_t *pool, const char *path)
{
    struct stat info;
    while (lstat(path, &info) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return cannot(pool, path, "could not be checked", errno);
        path = directory_of(pool, path);
    }
    return check_there(pool, path);
}

const char *na_writable_identity(apr_pool_t *pool, const char *path)
{
    struct stat info;
    const char *slash = strrchr(path, '/');
    const char *name = "";
    if (stat(path, &info) != 0) {
        const char *target = errno == ENOENT ? target_of(pool, path) : NULL; /* not circular */
        if (target)
            return na_writable_identity(pool, target);
        name = slash ? slash + 1 : path;
        if (stat(directory_of(pool, path), &info) != 0)
            return NULL;
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT ":%" APR_INT64_T_FMT "/%s",
                        (apr_int64_t)info.st_dev, (apr_int64_t)info.st_ino, name);
}
