/* SPDX-License-Identifier: Apache-2.0 */
/* Reads metrics: sums the rows of all processes. */
#include <string.h>

#include "metrics/block.h"

void na_reading_add(apr_array_header_t *readings, const na_reading *reading)
{
    for (int i = 0; i < readings->nelts; i++) {
        na_reading *other = &APR_ARRAY_IDX(readings, i, na_reading);
        if (other->metric != reading->metric || strcmp(other->values[0], reading->values[0]) != 0)
            continue;
        if (reading->number < other->number)
            other->number = reading->number;
        return;
    }
    APR_ARRAY_PUSH(readings, na_reading) = *reading;
}

/* more than any histogram has */
#define BUCKETS_MAX 32

static const char *label_value_at(const na_metrics *metrics, const na_label *label, int index)
{
    return label->values ? label->values[index]
                         : na_name_at(&metrics->block->lists[label->names], index);
}

typedef struct reader {
    const na_metrics *metrics;
    const apr_array_header_t *readings;
    apr_time_t now;
    const na_metrics_visitor *visitor;
    char counts[NA_ROWS + 1]; /* 1 if the gauges of a row count, because its process is running */
    apr_uint32_t rows;
} reader;

/*
 * Gauges in the shared row always count, because it has no owner. rows_begun is not trusted: a
 * compromised process could write anything to this memory.
 */
static void find_counted_rows(reader *r)
{
    r->rows = __atomic_load_n(&r->metrics->block->rows_begun, __ATOMIC_ACQUIRE);
    if (r->rows > NA_ROWS)
        r->rows = NA_ROWS;
    for (apr_uint32_t i = 0; i < r->rows; i++)
        r->counts[i] = (char)na_metrics_is_alive(
            __atomic_load_n(&na_metrics_row_at(r->metrics, i)->owner, __ATOMIC_RELAXED));
}

static apr_uint64_t sum_cell(const reader *r, apr_size_t cell, int is_gauge)
{
    apr_uint64_t sum =
        __atomic_load_n(&na_metrics_row_at(r->metrics, NA_ROWS)->cells[cell], __ATOMIC_RELAXED);
    for (apr_uint32_t i = 0; i < r->rows; i++)
        if (!is_gauge || r->counts[i])
            sum +=
                __atomic_load_n(&na_metrics_row_at(r->metrics, i)->cells[cell], __ATOMIC_RELAXED);
    return sum;
}

/* "other" is shown only if it is not zero: most sites have names for all. */
static int is_worth_showing(const na_metric_family *family, const na_sample *sample)
{
    for (int i = 0; i < NA_LABELS_MAX && family->labels[i]; i++)
        if (!family->labels[i]->values && strcmp(sample->values[i], NA_OTHER) == 0)
            return sample->number != 0;
    return 1;
}

static void read_cells(const reader *r, const na_metric_family *family, na_sample *sample)
{
    apr_uint64_t buckets[BUCKETS_MAX];
    int is_gauge = family->type == NA_GAUGE;
    if (family->type == NA_HISTOGRAM) {
        for (int i = 0; i <= family->bound_count; i++)
            buckets[i] = sum_cell(r, sample->cell + (apr_size_t)i, 0) + (i ? buckets[i - 1] : 0);
        sample->buckets = buckets;
        sample->sum = sum_cell(r, sample->cell + (apr_size_t)family->bound_count + 1, 0);
        sample->number = (apr_int64_t)buckets[family->bound_count];
    } else {
        sample->number = (apr_int64_t)sum_cell(r, sample->cell, is_gauge);
    }
    if (is_gauge && sample->number < 0) /* a process that used the shared row has ended */
        sample->number = 0;
    if (is_worth_showing(family, sample))
        r->visitor->sample(r->visitor->data, family, sample);
}

/* Reads all combinations of the labels from index `label` on. */
static void read_labels(const reader *r, const na_metric_family *family, int label, apr_size_t at,
                        na_sample *sample)
{
    const na_label *is = label < NA_LABELS_MAX ? family->labels[label] : NULL;
    if (!is) {
        sample->cell = r->metrics->first_cell[family - na_metric_families] +
                       at * (apr_size_t)na_family_stride(family);
        read_cells(r, family, sample);
        return;
    }
    int size = na_label_size(is);
    for (int i = 0; i < size; i++) {
        sample->values[label] = label_value_at(r->metrics, is, i);
        if (sample->values[label])
            read_labels(r, family, label + 1, at * (apr_size_t)size + (apr_size_t)i, sample);
    }
}

static void read_block(const reader *r, const na_metric_family *family)
{
    na_metrics_block *b = r->metrics->block;
    na_sample sample = {.number = (apr_int64_t)apr_time_sec(b->started)};
    if (family == &na_metric_families[NA_METRIC_SESSIONS_ACTIVE]) {
        apr_time_t at = __atomic_load_n(&b->sessions_at, __ATOMIC_RELAXED);
        __atomic_store_n(&b->sessions_read_at, r->now, __ATOMIC_RELAXED);
        if (!at || r->now - at > apr_time_from_sec(NA_SESSIONS_VALID))
            return;
        sample.number = __atomic_load_n(&b->sessions, __ATOMIC_RELAXED);
    }
    r->visitor->sample(r->visitor->data, family, &sample);
}

static void read_readings(const reader *r, const na_metric_family *family)
{
    for (int i = 0; r->readings && i < r->readings->nelts; i++) {
        const na_reading *reading = &APR_ARRAY_IDX(r->readings, i, na_reading);
        na_sample sample = {.number = reading->number};
        if (family != &na_metric_families[reading->metric])
            continue;
        memcpy(sample.values, reading->values, sizeof sample.values);
        r->visitor->sample(r->visitor->data, family, &sample);
    }
}

void na_metrics_each(const na_metrics *metrics, const apr_array_header_t *readings, apr_time_t now,
                     const na_metrics_visitor *visitor)
{
    reader r = {.metrics = metrics, .readings = readings, .now = now, .visitor = visitor};
    if (!metrics)
        return;
    find_counted_rows(&r);
    for (int i = 0; i < NA_METRICS; i++) {
        const na_metric_family *family = &na_metric_families[i];
        na_sample sample = {.number = 0};
        if (visitor->family)
            visitor->family(visitor->data, family);
        if (family->source == NA_FROM_ROWS)
            read_labels(&r, family, 0, 0, &sample);
        else if (family->source == NA_FROM_BLOCK)
            read_block(&r, family);
        else
            read_readings(&r, family);
    }
}

apr_uint64_t na_metrics_unsent(na_metrics *metrics, const na_metric_family *family,
                               const na_sample *sample, int offset)
{
    int is_sum = family->type == NA_HISTOGRAM && offset;
    apr_uint64_t now = is_sum ? sample->sum : (apr_uint64_t)sample->number;
    apr_size_t at = sample->cell + (is_sum ? (apr_size_t)family->bound_count + 1 : 0);
    apr_uint64_t before = __atomic_load_n(&metrics->sent[at], __ATOMIC_RELAXED);
    if (now <= before || !__atomic_compare_exchange_n(&metrics->sent[at], &before, now, 0,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return 0;
    return now - before;
}
