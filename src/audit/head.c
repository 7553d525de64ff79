/* SPDX-License-Identifier: Apache-2.0 */
/* Head files of audit logs. */
#include "audit/head.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#define DIGITS 20
#define HEAD_LEN (DIGITS + 1 + NA_AUDIT_HASH_LEN + 1)

static apr_status_t close_file(void *fd)
{
    close((int)(intptr_t)fd);
    return APR_SUCCESS;
}

na_error *na_audit_open(apr_pool_t *pool, const char *path, int flags, int *fd)
{
    *fd = open(path, flags | O_CLOEXEC, 0600);
    if (*fd < 0)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not open '%s': %s", path,
                            strerror(errno));
    apr_pool_cleanup_register(pool, (void *)(intptr_t)*fd, close_file, apr_pool_cleanup_null);
    return NULL;
}

const char *na_audit_head_path(apr_pool_t *pool, const char *path)
{
    return apr_pstrcat(pool, path, ".head", NULL);
}

int na_audit_head_lock(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    int result;
    do
        result = fcntl(fd, F_SETLKW, &lock);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

na_audit_head_state na_audit_head_read(int fd, na_audit_link *link)
{
    char text[HEAD_LEN + 1];
    ssize_t len = pread(fd, text, sizeof text, 0);
    na_audit_link_start(link);
    if (len == 0)
        return NA_AUDIT_HEAD_EMPTY;
    if (len != HEAD_LEN || text[HEAD_LEN - 1] != '\n' || text[DIGITS] != ' ')
        return NA_AUDIT_HEAD_BROKEN;
    text[HEAD_LEN - 1] = text[DIGITS] = '\0';
    apr_int64_t seq = strtoll(text, NULL, 10);
    if (strspn(text, "0123456789") != DIGITS || seq > NA_AUDIT_SEQ_MAX ||
        !na_audit_is_hash(text + DIGITS + 1))
        return NA_AUDIT_HEAD_BROKEN;
    link->seq = seq;
    memcpy(link->hash, text + DIGITS + 1, sizeof link->hash);
    return NA_AUDIT_HEAD_THERE;
}

int na_audit_head_write(int fd, const na_audit_link *link)
{
    char text[HEAD_LEN + 1];
    snprintf(text, sizeof text, "%020lld %s\n", (long long)link->seq, link->hash);
    return pwrite(fd, text, HEAD_LEN, 0) == HEAD_LEN;
}
