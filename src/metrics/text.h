/* SPDX-License-Identifier: Apache-2.0 */
/* Writes metrics as text for Prometheus and OpenMetrics. */
#ifndef NA_METRICS_TEXT_H
#define NA_METRICS_TEXT_H

#include "metrics/metrics.h"

/* Prometheus text format 0.0.4, and OpenMetrics 1.0. */
typedef enum na_exposition { NA_PROMETHEUS, NA_OPENMETRICS } na_exposition;

/* Returns the Content-Type of a format. */
const char *na_exposition_type(na_exposition format);

/* Returns the format that an Accept header prefers; `accept` is NULL if there is none. */
na_exposition na_exposition_of(apr_pool_t *pool, const char *accept);

/* Receives a piece of the text, which is valid during the call only. */
typedef void na_metrics_writer(void *data, const char *text);

/* Writes all metrics. `readings` is as for na_metrics_each. */
void na_metrics_write(const na_metrics *metrics, apr_pool_t *pool, na_exposition format,
                      const apr_array_header_t *readings, apr_time_t now, na_metrics_writer *write,
                      void *data);

/* Returns the exact sum of a histogram in seconds: "12", "0.000013500". */
const char *na_metrics_seconds(apr_pool_t *pool, const na_metric_family *family, apr_uint64_t sum);

#endif
