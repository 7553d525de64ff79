/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_METRICS_BLOCK_H
#define NA_METRICS_BLOCK_H

#include "metrics/metrics.h"
#include "metrics/names.h"

/* How the shared memory is laid out: for metrics.c, which writes, and metrics_read.c. */

/* Processes that have a row of their own: httpd's default ServerLimit is no higher. */
#define NA_ROWS 256

#define NA_CACHE_LINE 64

typedef struct na_metrics_block {
    apr_time_t started;
    apr_int64_t sessions;
    apr_time_t sessions_at;  /* 0: never counted */
    apr_uint32_t rows_begun; /* rows that were ever anybody's */
    na_name_list lists[NA_NAMES];
} na_metrics_block;

/* Behind the block: what is sent of each cell, then NA_ROWS rows and the one that is shared. */
typedef struct na_metrics_row {
    apr_int64_t owner; /* a process's id; 0: nobody's */
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

/* Whether the process of a row is there; 0 is none. */
int na_metrics_is_alive(apr_int64_t owner);

#endif
