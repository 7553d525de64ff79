/* SPDX-License-Identifier: Apache-2.0 */
/* Writes records to all destinations of an audit log, and raises an alarm if that fails. */
#include "audit/audit.h"

#include <apr_strings.h>

/* seconds between two alarms about the same failure */
#define ALARM_INTERVAL 60

static na_error *write_to_sinks(const na_audit *audit, apr_pool_t *pool, na_db_use *use,
                                const na_event *event)
{
    na_audit_fields fields;
    na_error *first = NULL;
    na_audit_fields_of(pool, event, &fields);
    for (int i = 0; i < audit->sinks->nelts; i++) {
        const na_audit_sink *sink = &APR_ARRAY_IDX(audit->sinks, i, na_audit_sink);
        na_error *error = sink->write(sink->self, pool, use, &fields);
        first = first ? first : error;
    }
    return first;
}

static void raise_alarm(const na_audit *audit, int is_failing, const char *text)
{
    if (audit->alarm)
        audit->alarm(audit->data, is_failing, text);
}

static apr_uint64_t current_seconds(void)
{
    return (apr_uint64_t)apr_time_sec(apr_time_now());
}

/* Returns 1 for one caller when the failure begins, and then for one in each minute. */
static int is_alarm_due(na_audit_counts *counts)
{
    apr_uint64_t now = current_seconds();
    apr_uint64_t last = __atomic_load_n(&counts->alarmed_at, __ATOMIC_RELAXED);
    int is_new = !__atomic_exchange_n(&counts->is_failing, 1, __ATOMIC_RELAXED);
    if (!is_new && now - last < ALARM_INTERVAL)
        return 0;
    return __atomic_compare_exchange_n(&counts->alarmed_at, &last, now, 0, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED) ||
           is_new;
}

/*
 * An action that is refused because it could not be recorded is recorded as failed. If that fails
 * too, it is not counted again.
 */
static void note_failure(const na_audit *audit, apr_pool_t *pool, const na_event *event,
                         const na_error *error)
{
    apr_uint64_t count =
        __atomic_add_fetch(&audit->counts->failures, !event->is_unrecorded, __ATOMIC_RELAXED);
    __atomic_store_n(&audit->counts->failed_at, current_seconds(), __ATOMIC_RELAXED);
    if (audit->told && !event->is_unrecorded)
        audit->told(0);
    if (is_alarm_due(audit->counts))
        raise_alarm(audit, 1,
                    apr_psprintf(pool, "%s; %s (%" APR_UINT64_T_FMT " so far)",
                                 na_error_text(pool, error),
                                 audit->goes_on
                                     ? "actions proceed without a record (onFailure=continue)"
                                     : "actions are refused",
                                 count));
}

static void note_success(const na_audit *audit)
{
    if (__atomic_load_n(&audit->counts->is_failing, __ATOMIC_RELAXED) &&
        __atomic_exchange_n(&audit->counts->is_failing, 0, __ATOMIC_RELAXED))
        raise_alarm(audit, 0, "records are written again");
    if (audit->told)
        audit->told(1);
}

na_error *na_audit_write(const na_audit *audit, apr_pool_t *pool, na_db_use *use,
                         const na_event *event)
{
    if (!audit || !na_event_audit_name(event->kind))
        return NULL;
    na_error *error = write_to_sinks(audit, pool, use, event);
    if (!error) {
        note_success(audit);
        return NULL;
    }
    note_failure(audit, pool, event, error);
    return audit->goes_on
               ? NULL
               : na_error_wrap(pool, error, NA_ERR_UNAVAILABLE, "could not write an audit record");
}

int na_audit_is_failing(const na_audit *audit, apr_interval_time_t within)
{
    return __atomic_load_n(&audit->counts->is_failing, __ATOMIC_RELAXED) &&
           current_seconds() - __atomic_load_n(&audit->counts->failed_at, __ATOMIC_RELAXED) <=
               (apr_uint64_t)apr_time_sec(within);
}
