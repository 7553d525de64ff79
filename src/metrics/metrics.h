/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: counting, and reading what was counted. */
#ifndef NA_METRICS_METRICS_H
#define NA_METRICS_METRICS_H

#include <apr_tables.h>
#include <apr_time.h>

#include "event/event.h"
#include "metrics/families.h"

/*
 * All processes share one block of memory without pointers. Each adds to a row of its own, without
 * a lock. A row keeps its counters when its process ends, so that sums never decrease; the next
 * process continues with it.
 *
 * All functions accept a NULL na_metrics, and do nothing then.
 */
typedef struct na_metrics na_metrics;

/* Returns the size of the block in bytes. */
apr_size_t na_metrics_size(void);

/* Initializes a block in zeroed memory; called before the fork. */
void na_metrics_init(void *block, apr_time_t now);

/* Returns a process's view of a block, which must outlive it. It counts in the shared row. */
na_metrics *na_metrics_open(apr_pool_t *pool, void *block);

/*
 * Called after the fork: takes a row for this process, and releases it with the pool. If none is
 * free, the process keeps using the shared row.
 */
void na_metrics_claim(na_metrics *metrics, apr_pool_t *pool);

/*
 * Adds a name to the values of a label, so that it is shown from the start. Names that are too
 * long, or exceed NA_NAMES_MAX, are counted as "other".
 */
void na_metrics_name(na_metrics *metrics, na_names names, const char *name);

/*
 * Adds 1. `first` and `second` are values of the family's labels, NULL if it has fewer. A value
 * that is not in a fixed list counts as "other", or not at all if the list has no "other". The same
 * applies to providers that na_metrics_name did not add, because clients send their IDs.
 */
void na_metrics_count(na_metrics *metrics, na_metric metric, const char *first, const char *second);

/* Adds to a gauge of this process; the sum of all running processes is shown. */
void na_metrics_adjust(na_metrics *metrics, na_metric metric, apr_int64_t by);

/* Adds an observation to a histogram. */
void na_metrics_observe(na_metrics *metrics, na_metric metric, const char *label, double seconds);

/*
 * Returns 1, once a minute, if the number of sessions was read in the last five minutes: then
 * they are to be counted.
 */
int na_metrics_sessions_due(na_metrics *metrics, apr_time_t now);

/* Sets the number of sessions in the stores, which is shown for five minutes. */
void na_metrics_sessions(na_metrics *metrics, apr_int64_t count, apr_time_t now);

/*
 * Counts sign-ins, failed sign-ins, sign-outs, new users, links, and locks. Observers count the
 * sessions that are created and ended (observers.h).
 */
void na_metrics_event(na_metrics *metrics, const na_event *event);

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

/* A number that is read only when metrics are requested, such as whether a store is available. */
typedef struct na_reading {
    na_metric metric;
    const char *values[NA_LABELS_MAX];
    apr_int64_t number;
} na_reading;

/* Appends a reading. Of several with the same labels, only the lowest is kept. */
void na_reading_add(apr_array_header_t *readings, const na_reading *reading);

typedef struct na_sample {
    const char *values[NA_LABELS_MAX]; /* as many as the family has labels */
    apr_int64_t number;                /* of a histogram: the number of observations */
    apr_uint64_t sum;                  /* of a histogram, in its resolution */
    const apr_uint64_t *buckets;       /* of a histogram, cumulative; the last is for +Inf */
    apr_size_t cell;                   /* for na_metrics_unsent */
} na_sample;

/* Called for each family, then for its samples; arguments are valid during the call only. */
typedef struct na_metrics_visitor {
    void *data;
    void (*family)(void *data, const na_metric_family *family); /* or NULL */
    void (*sample)(void *data, const na_metric_family *family, const na_sample *sample);
} na_metrics_visitor;

/* Calls the visitor for all families and samples. `readings` (na_reading) can be NULL. */
void na_metrics_each(const na_metrics *metrics, const apr_array_header_t *readings, apr_time_t now,
                     const na_metrics_visitor *visitor);

/*
 * Returns the increase of a counter since the last call, in all processes: of several callers at
 * once, only one gets it. `offset` is 0 for the number, 1 for a histogram's sum in its resolution.
 */
apr_uint64_t na_metrics_unsent(na_metrics *metrics, const na_metric_family *family,
                               const na_sample *sample, int offset);

#endif
