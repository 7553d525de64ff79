/* SPDX-License-Identifier: Apache-2.0 */
/* The families of metrics. */
#ifndef NA_METRICS_FAMILIES_H
#define NA_METRICS_FAMILIES_H

#include <apr.h>

/* The families in the order of the output; docs/metrics.md explains each. */
typedef enum na_metric {
    NA_METRIC_SIGNINS,
    NA_METRIC_SIGNIN_FAILURES,
    NA_METRIC_SECOND_FACTORS,
    NA_METRIC_SIGNOUTS,
    NA_METRIC_USERS_CREATED,
    NA_METRIC_ACCOUNTS_LINKED,
    NA_METRIC_SESSION_CHECKS,
    NA_METRIC_SESSION_CHECK_DURATION,
    NA_METRIC_SESSIONS_CREATED,
    NA_METRIC_SESSIONS_ENDED,
    NA_METRIC_SESSION_DURATION,
    NA_METRIC_SESSIONS_ACTIVE,
    NA_METRIC_RENEWALS,
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

/* Labels whose values are names from the configuration or from calls; each has its own list. */
typedef enum na_names { NA_PROVIDERS, NA_HOSTS, NA_STORES, NA_DATABASES, NA_NAMES } na_names;

/* maximum number of names in a list; all others are "other" */
#define NA_NAMES_MAX 32

#define NA_OTHER "other"

typedef struct na_label {
    const char *name;
    const char *const *values; /* ends with NULL; NULL if the values are names */
    na_names names;
} na_label;

#define NA_LABELS_MAX 3

/* The source of a family's numbers. */
typedef enum na_metric_source {
    NA_FROM_ROWS,    /* counted by each process */
    NA_FROM_BLOCK,   /* one number for all processes */
    NA_FROM_READINGS /* read when metrics are requested */
} na_metric_source;

/* An upper bound of a bucket. */
typedef struct na_bound {
    double seconds;
    const char *text;
} na_bound;

typedef struct na_metric_family {
    const char *name; /* without "nextauth_" and "_total" */
    na_metric_type type;
    na_metric_source source;
    const char *help;
    const na_label *labels[NA_LABELS_MAX]; /* NULL after the last */
    const na_bound *bounds;                /* of a histogram, ascending, without +Inf */
    int bound_count;
    apr_uint64_t resolution; /* of a histogram: units of its sum in a second */
} na_metric_family;

extern const na_metric_family na_metric_families[NA_METRICS];

/* Returns the number of values that a label can have, including "other". */
int na_label_size(const na_label *label);

/* Returns how many numbers a process keeps for a family, for all combinations of labels. */
apr_size_t na_family_cells(const na_metric_family *family);

/* Returns how many numbers one combination has: a histogram has its buckets, +Inf, and its sum. */
int na_family_stride(const na_metric_family *family);

#endif
