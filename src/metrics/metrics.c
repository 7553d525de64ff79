/* SPDX-License-Identifier: Apache-2.0 */
/* Counts, in memory that all processes share. */
#include "metrics/metrics.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "metrics/block.h"

/* seconds between two counts of sessions */
#define SESSIONS_INTERVAL 60

static apr_size_t whole_lines(apr_size_t size)
{
    return (size + NA_CACHE_LINE - 1) / NA_CACHE_LINE * NA_CACHE_LINE;
}

static apr_size_t count_cells(apr_size_t first_cell[NA_METRICS + 1])
{
    first_cell[0] = 0;
    for (int i = 0; i < NA_METRICS; i++)
        first_cell[i + 1] = first_cell[i] + na_family_cells(&na_metric_families[i]);
    return first_cell[NA_METRICS];
}

static apr_size_t size_of_cells(apr_size_t cells)
{
    return whole_lines(cells * sizeof(apr_uint64_t));
}

apr_size_t na_metrics_size(void)
{
    apr_size_t first_cell[NA_METRICS + 1], cells = size_of_cells(count_cells(first_cell));
    return whole_lines(sizeof(na_metrics_block)) + cells +
           (NA_ROWS + 1) * (sizeof(na_metrics_row) + cells);
}

void na_metrics_init(void *memory, apr_time_t now)
{
    ((na_metrics_block *)memory)->started = now;
}

na_metrics *na_metrics_open(apr_pool_t *pool, void *memory)
{
    na_metrics *metrics = apr_palloc(pool, sizeof *metrics);
    apr_size_t cells = size_of_cells(count_cells(metrics->first_cell));
    metrics->block = memory;
    metrics->sent = (apr_uint64_t *)((char *)memory + whole_lines(sizeof(na_metrics_block)));
    metrics->rows = (char *)metrics->sent + cells;
    metrics->row_size = sizeof(na_metrics_row) + cells;
    metrics->row = na_metrics_row_at(metrics, NA_ROWS);
    return metrics;
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

int na_metrics_is_alive(apr_int64_t owner)
{
    return owner && (kill((pid_t)owner, 0) == 0 || errno != ESRCH);
}

/* A gauge of a process that ended no longer counts: what waited there is lost. */
static void clear_gauges(const na_metrics *metrics, na_metrics_row *mine)
{
    for (int i = 0; i < NA_METRICS; i++)
        if (na_metric_families[i].type == NA_GAUGE)
            for (apr_size_t c = metrics->first_cell[i]; c < metrics->first_cell[i + 1]; c++)
                __atomic_store_n(&mine->cells[c], 0, __ATOMIC_RELAXED);
}

static void note_row_in_use(na_metrics_block *block, apr_uint32_t index)
{
    apr_uint32_t begun = __atomic_load_n(&block->rows_begun, __ATOMIC_RELAXED);
    while (begun <= index && !__atomic_compare_exchange_n(&block->rows_begun, &begun, index + 1, 0,
                                                          __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        continue;
}

static apr_status_t release_row(void *data)
{
    na_metrics *metrics = data;
    na_metrics_row *mine = metrics->row;
    metrics->row = na_metrics_row_at(metrics, NA_ROWS);
    __atomic_store_n(&mine->owner, 0, __ATOMIC_RELEASE);
    return APR_SUCCESS;
}

void na_metrics_claim(na_metrics *metrics, apr_pool_t *pool)
{
    if (!metrics)
        return;
    const apr_int64_t me = getpid();
    for (apr_uint32_t i = 0; i < NA_ROWS; i++) {
        na_metrics_row *free_row = na_metrics_row_at(metrics, i);
        apr_int64_t owner = __atomic_load_n(&free_row->owner, __ATOMIC_RELAXED);
        /* a row with this process ID belonged to a previous process */
        if ((owner != me && na_metrics_is_alive(owner)) ||
            !__atomic_compare_exchange_n(&free_row->owner, &owner, me, 0, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            continue;
        clear_gauges(metrics, free_row);
        note_row_in_use(metrics->block, i);
        metrics->row = free_row;
        apr_pool_cleanup_register(pool, metrics, release_row, apr_pool_cleanup_null);
        return;
    }
}

/* ── labels ────────────────────────────────────────────────────────────────────────────────── */

/* Returns the index of a value, or else of "other"; -1 if the list has neither. */
static int find_fixed_value(const na_label *label, const char *value)
{
    int size = 0;
    for (; label->values[size]; size++)
        if (value && strcmp(label->values[size], value) == 0)
            return size;
    return strcmp(label->values[size - 1], NA_OTHER) == 0 ? size - 1 : -1;
}

static int find_value(const na_metrics *metrics, const na_label *label, const char *value)
{
    return label->values ? find_fixed_value(label, value)
                         : na_name_find(&metrics->block->lists[label->names], value,
                                        label->names != NA_PROVIDERS);
}

void na_metrics_name(na_metrics *metrics, na_names names, const char *name)
{
    if (metrics)
        na_name_find(&metrics->block->lists[names], name, 1);
}

/* ── counting ──────────────────────────────────────────────────────────────────────────────── */

/* Returns the first number of a combination of labels; NULL if a value is unknown. */
static apr_uint64_t *find_cells(const na_metrics *metrics, na_metric metric, const char *first,
                                const char *second)
{
    const na_metric_family *family = &na_metric_families[metric];
    const char *const values[] = {first, second, NULL};
    apr_size_t at = 0;
    for (int i = 0; i < NA_LABELS_MAX && family->labels[i]; i++) {
        int index = find_value(metrics, family->labels[i], values[i]);
        if (index < 0)
            return NULL;
        if (at)
            at *= (apr_size_t)na_label_size(family->labels[i]);
        at += (apr_size_t)index;
    }
    at *= (apr_size_t)na_family_stride(family);
    return &metrics->row->cells[metrics->first_cell[metric] + at];
}

static void add_to_cell(apr_uint64_t *cell, apr_uint64_t number)
{
    __atomic_fetch_add(cell, number, __ATOMIC_RELAXED);
}

void na_metrics_count(na_metrics *metrics, na_metric metric, const char *first, const char *second)
{
    apr_uint64_t *cell = metrics ? find_cells(metrics, metric, first, second) : NULL;
    if (cell)
        add_to_cell(cell, 1);
}

void na_metrics_adjust(na_metrics *metrics, na_metric metric, apr_int64_t by)
{
    if (metrics)
        add_to_cell(find_cells(metrics, metric, NULL, NULL), (apr_uint64_t)by);
}

void na_metrics_observe(na_metrics *metrics, na_metric metric, const char *label, double seconds)
{
    const na_metric_family *family = &na_metric_families[metric];
    apr_uint64_t *cells = metrics ? find_cells(metrics, metric, label, NULL) : NULL;
    int bucket = 0;
    if (!cells)
        return;
    while (bucket < family->bound_count && seconds > family->bounds[bucket].seconds)
        bucket++;
    add_to_cell(&cells[bucket], 1);
    if (seconds > 0)
        add_to_cell(&cells[family->bound_count + 1],
                    (apr_uint64_t)(seconds * (double)family->resolution + 0.5));
}

int na_metrics_sessions_due(na_metrics *metrics, apr_time_t now)
{
    if (!metrics)
        return 0;
    na_metrics_block *b = metrics->block;
    apr_time_t read_at = __atomic_load_n(&b->sessions_read_at, __ATOMIC_RELAXED);
    apr_time_t due_at = __atomic_load_n(&b->sessions_due_at, __ATOMIC_RELAXED);
    if (!read_at || now - read_at > apr_time_from_sec(NA_SESSIONS_VALID) ||
        now - due_at < apr_time_from_sec(SESSIONS_INTERVAL))
        return 0;
    __atomic_store_n(&b->sessions_due_at, now, __ATOMIC_RELAXED);
    return 1;
}

void na_metrics_sessions(na_metrics *metrics, apr_int64_t count, apr_time_t now)
{
    if (!metrics)
        return;
    __atomic_store_n(&metrics->block->sessions, count, __ATOMIC_RELAXED);
    __atomic_store_n(&metrics->block->sessions_at, now, __ATOMIC_RELAXED);
}

void na_metrics_event(na_metrics *metrics, const na_event *event)
{
    static const struct {
        na_event_kind kind;
        na_metric metric;
    } counted[] = {{NA_EVENT_SIGN_OUT, NA_METRIC_SIGNOUTS},
                   {NA_EVENT_CREATE_USER, NA_METRIC_USERS_CREATED},
                   {NA_EVENT_LINK_ACCOUNT, NA_METRIC_ACCOUNTS_LINKED},
                   {NA_EVENT_LOCK_USER, NA_METRIC_ACCOUNT_LOCKS}};
    int signs_in = event->kind == NA_EVENT_SIGN_IN || event->kind == NA_EVENT_SECOND_FACTOR;
    if (signs_in && event->failure)
        na_metrics_count(metrics, NA_METRIC_SIGNIN_FAILURES, event->provider, event->failure);
    if (event->failure)
        return;
    if (signs_in && event->detail)
        na_metrics_count(metrics, NA_METRIC_SECOND_FACTORS, event->detail, NULL);
    if (event->kind == NA_EVENT_SIGN_IN)
        na_metrics_count(metrics, NA_METRIC_SIGNINS, event->provider, NULL);
    for (apr_size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        if (event->kind == counted[i].kind)
            na_metrics_count(metrics, counted[i].metric, NULL, NULL);
}
