/* SPDX-License-Identifier: Apache-2.0 */
/* Items of a queue that are a file each: those that are tried again, and those of older versions.
 */
#ifndef NA_EVENT_SPOOL_FILE_H
#define NA_EVENT_SPOOL_FILE_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/error.h"
#include "base/text.h"

#define NA_SPOOL_ITEM_MAX (64 * 1024)
#define NA_SPOOL_ID_LEN 32

/* An item of the queue. */
typedef struct na_spool_item {
    const char *name; /* of its file, which has all but the content; NULL for a line of a segment */
    apr_time_t due;
    apr_time_t created;
    int attempts;                 /* number of failed attempts */
    char id[NA_SPOOL_ID_LEN + 1]; /* lower-case hex */
} na_spool_item;

/* The result of the last look into a directory, so that the next can be spared. Zero at first. */
typedef struct na_spool_look {
    apr_time_t changed;  /* when the directory was last changed; 0 if that is not certain */
    apr_time_t next_due; /* when the next item is due */
    apr_uint32_t items;
} na_spool_look;

/*
 * Returns up to `most` na_spool_item that are due, the longest due first; none, without reading the
 * directory, if it is as it was at the last look. Removes partial files of processes that crashed.
 */
na_error *na_spool_files_due(apr_pool_t *pool, const char *directory, apr_time_t now, int most,
                             na_spool_look *look, const apr_array_header_t **items);

/* Writes a file under another name and renames it, so that no item is partial. */
na_error *na_spool_file_write(apr_pool_t *pool, const char *directory, const na_spool_item *item,
                              na_bytes content);

/*
 * Reads the content, NUL-terminated. The error is NA_ERR_UNAVAILABLE if a later attempt can
 * succeed, another one if the file is not an item or damaged.
 */
na_error *na_spool_file_read(apr_pool_t *pool, const char *directory, const na_spool_item *item,
                             na_bytes *content);

na_error *na_spool_file_rename(apr_pool_t *pool, const char *directory, const char *from,
                               const char *to);
na_error *na_spool_file_remove(apr_pool_t *pool, const char *directory, const na_spool_item *item);

/* Parses and formats "DUE-ATTEMPTS-CREATED-ID.json"; parsing returns 0 for any other name. */
int na_spool_name_parse(const char *name, na_spool_item *item);
const char *na_spool_name(apr_pool_t *pool, const na_spool_item *item);

/* Reads exactly `digits` digits and then `end`. Returns what follows; NULL if it is not there. */
const char *na_spool_digits(const char *text, int digits, char end, apr_int64_t *value);

#endif
