/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of each destination's queue. */
#include "httpd/resource/sinks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <unixd.h>

#include "base/crypto.h"
#include "base/writable.h"

/* Does not depend on secrets and events, so that a queue is kept if these change. */
const char *na_sink_directory_of(apr_pool_t *pool, const na_delivery_plan *plan, const char *target)
{
    unsigned char hash[NA_SHA256_LEN];
    const char *base =
        plan->directory ? plan->directory : ap_runtime_dir_relative(pool, "nextauth-events");
    na_sha256(hash, na_bytes_of(target), na_bytes_of(""));
    return apr_pstrcat(pool, base, "/", na_hex(pool, hash, 16), NULL);
}

/* Returns the user of the child processes, which differs if root starts httpd. */
static uid_t queue_owner(void)
{
    return geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
}

na_error *na_sink_directory_check(apr_pool_t *pool, const char *directory)
{
    struct stat info;
    NA_TRY(na_writable_directory(pool, directory));
    if (lstat(directory, &info) != 0)
        return NULL;
    if (!S_ISDIR(info.st_mode) || (geteuid() != 0 && info.st_uid != queue_owner()))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "'%s' is not a directory, or belongs to another "
                                               "user",
                                               directory),
                                  "move it away");
    return access(directory, R_OK) == 0
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION, "could not read directory '%s': %s",
                              directory, strerror(errno));
}

static na_error *give_to_owner(apr_pool_t *pool, const char *directory)
{
    struct stat info;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not open directory '%s': %s",
                            directory, strerror(errno));
    int failed = fstat(fd, &info) != 0 ||
                 (info.st_uid != queue_owner() && fchown(fd, queue_owner(), -1) != 0) ||
                 fchmod(fd, S_IRWXU) != 0;
    close(fd);
    return failed ? na_error_new(pool, NA_ERR_CONFIGURATION,
                                 "could not give directory '%s' to the httpd user", directory)
                  : NULL;
}

na_error *na_sink_directory_make(apr_pool_t *pool, const char *directory)
{
    const char *base =
        apr_pstrmemdup(pool, directory, (apr_size_t)(strrchr(directory, '/') - directory));
    const apr_fileperms_t all_may_pass = APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE |
                                         APR_FPROT_GEXECUTE | APR_FPROT_WEXECUTE;
    apr_status_t status = apr_dir_make_recursive(base, all_may_pass, pool);
    if (status == APR_SUCCESS)
        status =
            apr_dir_make(directory, APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE, pool);
    if (status != APR_SUCCESS && !APR_STATUS_IS_EEXIST(status))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create directory '%s': %s",
                            directory, strerror(APR_TO_OS_ERROR(status)));
    return give_to_owner(pool, directory);
}
