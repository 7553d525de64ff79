/* SPDX-License-Identifier: Apache-2.0 */
/* Files of configuration. */
#include "base/file.h"

#include <string.h>

#include <apr_file_io.h>

#include "base/text.h"

na_error *na_file_read(apr_pool_t *pool, const char *path, apr_size_t max, const char **text)
{
    apr_file_t *file;
    char *read = apr_palloc(pool, max + 2);
    apr_size_t len;
    if (apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, pool) != APR_SUCCESS)
        return na_error_with_hint(
            na_error_new(pool, NA_ERR_CONFIGURATION, "could not read '%s'", path),
            "check that it exists and that the user that starts httpd can read it");
    apr_status_t status = apr_file_read_full(file, read, max + 1, &len);
    apr_file_close(file);
    if (status != APR_EOF)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not read '%s', or it has more than %d bytes", path, (int)max);
    read[len] = '\0';
    if (strlen(read) != len || !na_is_utf8(read))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "'%s' is not UTF-8",
                                               path),
                                  "save it as UTF-8");
    *text = read;
    return NULL;
}
