/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's database file, created with restricted permissions. */
#include "sql/sqlite_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

static void give_to_owner_of_directory(apr_pool_t *pool, int fd, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct stat info;
    if (geteuid() != 0 || !slash ||
        stat(apr_pstrmemdup(pool, path, (apr_size_t)(slash + 1 - path)), &info) != 0)
        return;
    if (fchown(fd, info.st_uid, info.st_gid) != 0)
        return; /* file systems without owners */
}

void na_sql_sqlite_file_make(apr_pool_t *pool, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    give_to_owner_of_directory(pool, fd, path);
    close(fd);
}
