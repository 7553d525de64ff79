/* SPDX-License-Identifier: Apache-2.0 */
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

/* One folder for each sink, which it keeps when its secrets or its events change. */
const char *na_sink_folder_of(apr_pool_t *pool, const na_delivery_plan *plan, const char *target)
{
    unsigned char hash[NA_SHA256_LEN];
    const char *base =
        plan->folder ? plan->folder : ap_runtime_dir_relative(pool, "nextauth-events");
    na_sha256(hash, na_bytes_of(target), na_bytes_of(""));
    return apr_pstrcat(pool, base, "/", na_hex(pool, hash, 16), NULL);
}

/* The children's, who are another user where the server is started by root. */
static uid_t owner(void)
{
    return geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
}

na_error *na_sink_folder_check(apr_pool_t *pool, const char *folder)
{
    struct stat info;
    NA_TRY(na_writable_directory(pool, folder));
    if (lstat(folder, &info) != 0)
        return NULL;
    if (!S_ISDIR(info.st_mode) || (geteuid() != 0 && info.st_uid != owner()))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "%s is a link, or another user's folder", folder),
                                  "move it away");
    return access(folder, R_OK) == 0
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION, "the folder %s cannot be read: %s",
                              folder, strerror(errno));
}

static na_error *hand_over(apr_pool_t *pool, const char *folder)
{
    struct stat info;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "cannot open the folder %s: %s", folder,
                            strerror(errno));
    int failed = fstat(fd, &info) != 0 ||
                 (info.st_uid != owner() && fchown(fd, owner(), -1) != 0) ||
                 fchmod(fd, S_IRWXU) != 0;
    close(fd);
    return failed ? na_error_new(pool, NA_ERR_CONFIGURATION,
                                 "the folder %s cannot be handed to httpd's user", folder)
                  : NULL;
}

na_error *na_sink_folder_make(apr_pool_t *pool, const char *folder)
{
    const char *base = apr_pstrmemdup(pool, folder, (apr_size_t)(strrchr(folder, '/') - folder));
    const apr_fileperms_t all_may_pass = APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE |
                                         APR_FPROT_GEXECUTE | APR_FPROT_WEXECUTE;
    apr_status_t status = apr_dir_make_recursive(base, all_may_pass, pool);
    if (status == APR_SUCCESS)
        status =
            apr_dir_make(folder, APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE, pool);
    if (status != APR_SUCCESS && !APR_STATUS_IS_EEXIST(status))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "cannot make the folder %s: %s", folder,
                            strerror(APR_TO_OS_ERROR(status)));
    return hand_over(pool, folder);
}
