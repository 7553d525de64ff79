/* SPDX-License-Identifier: Apache-2.0 */
/* Reads audit log files line by line. */
#include "audit/reader.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static apr_status_t close_file(void *in)
{
    fclose(in);
    return APR_SUCCESS;
}

na_error *na_audit_reader_open(apr_pool_t *pool, const char *path, na_audit_reader *reader)
{
    struct stat info;
    *reader = (na_audit_reader){.path = path, .in = fopen(path, "re")};
    if (!reader->in)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not read '%s': %s", path,
                            strerror(errno));
    apr_pool_cleanup_register(pool, reader->in, close_file, apr_pool_cleanup_null);
    if (fstat(fileno(reader->in), &info) != 0 || !S_ISREG(info.st_mode))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "'%s' is not a regular file", path);
    reader->left = info.st_size;
    return NULL;
}

static int next_byte(na_audit_reader *reader)
{
    if (reader->left <= 0)
        return EOF;
    reader->left--;
    return getc_unlocked(reader->in);
}

int na_audit_reader_next(na_audit_reader *reader)
{
    int c, is_there = 0;
    reader->len = 0;
    while ((c = next_byte(reader)) != EOF && c != '\n') {
        is_there = 1;
        if (reader->len < NA_AUDIT_LINE_MAX)
            reader->text[reader->len++] = (char)c;
    }
    reader->text[reader->len] = '\0';
    reader->has_end = c == '\n';
    reader->number += is_there || reader->has_end;
    return is_there || reader->has_end;
}
