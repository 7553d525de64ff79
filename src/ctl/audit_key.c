/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/audit_key.h"

#include <string.h>

#include "base/envfile.h"

na_error *na_ctl_read_audit_key(apr_pool_t *pool, const char *file, const char **key)
{
    char *text;
    *key = NULL;
    if (!file)
        return NULL;
    NA_TRY(na_secret_file_read(pool, file, &text));
    size_t len = strlen(text);
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    *key = text;
    return len ? NULL : na_error_new(pool, NA_CONFIGURATION, "%s is empty", file);
}
