/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of the shared memory of metrics, for metrics.c, which writes, and read.c. */
#ifndef NA_METRICS_BLOCK_H
#define NA_METRICS_BLOCK_H

#include "metrics/metrics.h"
#include "metrics/names.h"

/* processes that have a row of their own; httpd's default ServerLimit is not higher */
#define NA_ROWS 256

#define NA_CACHE_LINE 64

/* seconds for which the number of sessions is shown, and for which they are counted once read */
#define NA_SESSIONS_VALID 300

typedef struct na_metrics_block {
    apr_time_t started;
    apr_int64_t sessions;
    apr_time_t sessions_at;      /* when they were counted; 0 if never */
    apr_time_t sessions_due_at;  /* when they were to be counted last; 0 if never */
    apr_time_t sessions_read_at; /* when their number was read last; 0 if never */
    apr_uint32_t rows_begun;     /* number of rows that were ever in use */
    na_name_list lists[NA_NAMES];
} na_metrics_block;

/* After the block: what was sent of each cell, then NA_ROWS rows and the shared one. */
typedef struct na_metrics_row {
    apr_int64_t owner; /* a process ID; 0 if free */
    char padding[NA_CACHE_LINE - sizeof(apr_int64_t)];
    apr_uint64_t cells[];
} na_metrics_row;

struct na_metrics {
    na_metrics_block *block;
    apr_uint64_t *sent;
    char *rows;
    apr_size_t row_size;
    na_metrics_row *row;
    apr_size_t first_cell[NA_METRICS + 1]; /* of each family */
};

static inline na_metrics_row *na_metrics_row_at(const na_metrics *metrics, apr_uint32_t index)
{
    return (na_metrics_row *)(metrics->rows + index * metrics->row_size);
}

/* Returns 1 if the process that owns a row is running; 0 otherwise, and for owner 0. */
int na_metrics_is_alive(apr_int64_t owner);

#endif
