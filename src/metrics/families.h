/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_METRICS_FAMILIES_H
#define NA_METRICS_FAMILIES_H

#include <apr.h>

/* What is measured, in the order in which it is shown; docs/metrics.md explains each. */
typedef enum na_metric {
    NA_METRIC_SIGNINS,
    NA_METRIC_SIGNIN_FAILURES,
    NA_METRIC_SIGNOUTS,
    NA_METRIC_USERS_CREATED,
    NA_METRIC_ACCOUNTS_LINKED,
    NA_METRIC_SESSION_CHECKS,
    NA_METRIC_SESSION_CHECK_DURATION,
    NA_METRIC_SESSIONS_CREATED,
    NA_METRIC_SESSIONS_ENDED,
    NA_METRIC_SESSION_DURATION,
    NA_METRIC_SESSIONS_ACTIVE,
    NA_METRIC_HTTP_REQUEST_DURATION,
    NA_METRIC_HTTP_REQUEST_FAILURES,
    NA_METRIC_STORE_UP,
    NA_METRIC_STORE_ERRORS,
    NA_METRIC_DATABASE_UP,
    NA_METRIC_DATABASE_ERRORS,
    NA_METRIC_RATE_LIMITED,
    NA_METRIC_ACCOUNT_LOCKS,
    NA_METRIC_MAILS,
    NA_METRIC_MAIL_QUEUE_DEPTH,
    NA_METRIC_EVENTS_DELIVERED,
    NA_METRIC_EVENT_QUEUE_DEPTH,
    NA_METRIC_AUDIT_RECORDS,
    NA_METRIC_AUDIT_FAILURES,
    NA_METRIC_ERROR_REPORTS,
    NA_METRIC_BUILD_INFO,
    NA_METRIC_START_TIME,
    NA_METRICS
} na_metric;

typedef enum na_metric_type { NA_COUNTER, NA_GAUGE, NA_HISTOGRAM, NA_INFO } na_metric_type;

/* Labels whose values are not known when this is compiled; each has a list of its own. */
typedef enum na_names { NA_PROVIDERS, NA_HOSTS, NA_STORES, NA_DATABASES, NA_NAMES } na_names;

/* Names of a list; all others are "other". */
#define NA_NAMES_MAX 32

#define NA_OTHER "other"

typedef struct na_label {
    const char *name;
    const char *const *values; /* ends with NULL; NULL where they are names */
    na_names names;
} na_label;

#define NA_LABELS_MAX 3

/* Where a family's numbers come from. */
typedef enum na_metric_source {
    NA_FROM_ROWS,    /* counted by processes */
    NA_FROM_BLOCK,   /* one for all processes */
    NA_FROM_READINGS /* asked for by who shows them */
} na_metric_source;

/* An upper bound. */
typedef struct na_bound {
    double seconds;
    const char *text;
} na_bound;

typedef struct na_metric_family {
    const char *name; /* without "nextauth_" and "_total" */
    na_metric_type type;
    na_metric_source source;
    const char *help;
    const na_label *labels[NA_LABELS_MAX]; /* NULL behind the last */
    const na_bound *bounds;                /* a histogram's, ascending; +Inf is behind them */
    int bound_count;
    apr_uint64_t resolution; /* a histogram's: its sum counts in this fraction of a second */
} na_metric_family;

extern const na_metric_family na_metric_families[NA_METRICS];

/* Different values that a label takes, "other" among them. */
int na_label_size(const na_label *label);

/* Numbers that a process keeps for a family: for each combination of labels, one or a histogram. */
apr_size_t na_family_cells(const na_metric_family *family);

/* Numbers of one combination: a histogram has its buckets, +Inf's, and its sum. */
int na_family_stride(const na_metric_family *family);

#endif
