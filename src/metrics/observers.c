/* SPDX-License-Identifier: Apache-2.0 */
/* Observers that count HTTP calls, sessions, and emails. */
#include "metrics/observers.h"

static void count_call(void *data, const na_http_call *call)
{
    if (call->had_room) /* otherwise the call was not made, and took no time */
        na_metrics_observe(data, NA_METRIC_HTTP_REQUEST_DURATION, call->host, call->seconds);
    if (!call->status || call->status >= 500)
        na_metrics_count(data, NA_METRIC_HTTP_REQUEST_FAILURES, call->host, NULL);
}

const na_http_observer *na_metrics_of_calls(apr_pool_t *pool, na_metrics *metrics)
{
    na_http_observer *observer = apr_palloc(pool, sizeof *observer);
    *observer = (na_http_observer){metrics, count_call};
    return metrics ? observer : NULL;
}

static void count_check(void *data, na_session_lookup check, double seconds)
{
    static const char *const results[] = {
        [NA_LOOKUP_NONE] = "none",       [NA_LOOKUP_CACHED] = "cached",
        [NA_LOOKUP_OPENED] = "opened",   [NA_LOOKUP_STORE] = "store",
        [NA_LOOKUP_REFUSED] = "refused", [NA_LOOKUP_UNAVAILABLE] = "unavailable"};
    na_metrics_count(data, NA_METRIC_SESSION_CHECKS, results[check], NULL);
    if (check != NA_LOOKUP_NONE)
        na_metrics_observe(data, NA_METRIC_SESSION_CHECK_DURATION, NULL, seconds);
}

static void count_created(void *data)
{
    na_metrics_count(data, NA_METRIC_SESSIONS_CREATED, NULL, NULL);
}

static void count_ended(void *data, apr_int64_t seconds)
{
    na_metrics_count(data, NA_METRIC_SESSIONS_ENDED, NULL, NULL);
    na_metrics_observe(data, NA_METRIC_SESSION_DURATION, NULL, (double)seconds);
}

const na_session_observer *na_metrics_of_sessions(apr_pool_t *pool, na_metrics *metrics)
{
    na_session_observer *observer = apr_palloc(pool, sizeof *observer);
    *observer = (na_session_observer){metrics, count_check, count_created, count_ended};
    return metrics ? observer : NULL;
}

static void count_mail(void *data, na_mail_fate fate)
{
    static const char *const results[] = {[NA_MAIL_SENT] = "sent",
                                          [NA_MAIL_FAILED] = "failed",
                                          [NA_MAIL_LOST] = "dropped",
                                          [NA_MAIL_NOT_TAKEN] = "dropped"};
    if (fate != NA_MAIL_TAKEN && fate != NA_MAIL_FOR_NOBODY)
        na_metrics_count(data, NA_METRIC_MAILS, results[fate], NULL);
    if (fate != NA_MAIL_NOT_TAKEN)
        na_metrics_adjust(data, NA_METRIC_MAIL_QUEUE_DEPTH, fate == NA_MAIL_TAKEN ? 1 : -1);
}

const na_mail_observer *na_metrics_of_mails(apr_pool_t *pool, na_metrics *metrics)
{
    na_mail_observer *observer = apr_palloc(pool, sizeof *observer);
    *observer = (na_mail_observer){metrics, count_mail};
    return metrics ? observer : NULL;
}
