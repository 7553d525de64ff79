/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_METRICS_METRICS_H
#define NA_METRICS_METRICS_H

#include <apr_tables.h>
#include <apr_time.h>

#include "event/event.h"
#include "metrics/families.h"

/*
 * What is counted, for all processes together: one block of shared memory without pointers, a row
 * for each process, added to without a lock. A row keeps its counters when its process ends, so
 * that sums never go down; the next process goes on with it.
 *
 * Every function takes a NULL na_metrics, and does nothing then.
 */
typedef struct na_metrics na_metrics;

/* Bytes of the block. */
apr_size_t na_metrics_size(void);

/* Makes a block of memory that is all zero; before the fork. */
void na_metrics_init(void *block, apr_time_t now);

/* A process's view of a block, which has to outlive it; its counts go to a row that many share. */
na_metrics *na_metrics_open(apr_pool_t *pool, void *block);

/*
 * After the fork: a row of this process's own, given back with the pool. Where none is left the
 * process keeps to the shared one.
 */
void na_metrics_claim(na_metrics *metrics, apr_pool_t *pool);

/*
 * Makes a value of a label that takes names known, so that it is there from the start. Names beyond
 * the label's limit, or too long, are "other".
 */
void na_metrics_name(na_metrics *metrics, na_names names, const char *name);

/*
 * Adds 1. Labels in the order of the family; NULL where it has fewer. What a fixed list does not
 * have is "other", or counted nowhere where there is no "other". Of a provider that nobody made
 * known as well: what comes from a client must not become a label.
 */
void na_metrics_count(na_metrics *metrics, na_metric metric, const char *first, const char *second);

/* A gauge that is a process's share: of all processes that live, the sum is shown. */
void na_metrics_adjust(na_metrics *metrics, na_metric metric, apr_int64_t by);

/* Of a histogram. */
void na_metrics_observe(na_metrics *metrics, na_metric metric, const char *label, double seconds);

/* How many sessions the stores have. What was not said for five minutes is not shown. */
void na_metrics_sessions(na_metrics *metrics, apr_int64_t count, apr_time_t now);

/*
 * Counts sign-ins, their failures, sign-outs, new users and links. Sessions' beginnings and ends
 * are counted where they happen (metric_sources.h).
 */
void na_metrics_event(na_metrics *metrics, const na_event *event);

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

/* What is asked for only when somebody reads, such as whether a store answers. */
typedef struct na_reading {
    na_metric metric;
    const char *values[NA_LABELS_MAX];
    apr_int64_t number;
} na_reading;

/* Appends a reading; of several with the same labels, the lowest stays. */
void na_reading_add(apr_array_header_t *readings, const na_reading *reading);

typedef struct na_sample {
    const char *values[NA_LABELS_MAX]; /* as many as the family has labels */
    apr_int64_t number;                /* a histogram's: how many */
    apr_uint64_t sum;                  /* a histogram's, in its resolution */
    const apr_uint64_t *buckets;       /* a histogram's, cumulative; the last is +Inf's */
    apr_size_t cell;                   /* for na_metrics_unsent */
} na_sample;

/* Told of each family, then of its samples; what is passed is gone after the call. */
typedef struct na_metrics_visitor {
    void *data;
    void (*family)(void *data, const na_metric_family *family); /* or NULL */
    void (*sample)(void *data, const na_metric_family *family, const na_sample *sample);
} na_metrics_visitor;

/* `readings` (na_reading) may be NULL. */
void na_metrics_each(const na_metrics *metrics, const apr_array_header_t *readings, apr_time_t now,
                     const na_metrics_visitor *visitor);

/*
 * What a counter of a sample's gained since the last call, for all processes: of several that ask
 * at once, one is told. `offset` 0: the number; 1: a histogram's sum, in its resolution.
 */
apr_uint64_t na_metrics_unsent(na_metrics *metrics, const na_metric_family *family,
                               const na_sample *sample, int offset);

#endif
