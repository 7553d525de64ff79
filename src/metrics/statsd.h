/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes metrics to StatsD. */
#ifndef NA_METRICS_STATSD_H
#define NA_METRICS_STATSD_H

#include "metrics/metrics.h"

/* Labels are part of the name in StatsD, and tags in DogStatsD. */
typedef enum na_statsd_format { NA_STATSD, NA_DOGSTATSD } na_statsd_format;

typedef struct na_statsd_options {
    const char *host;
    int port;
    const char *prefix; /* of every name */
    na_statsd_format format;
    long interval; /* seconds */
} na_statsd_options;

/* bytes of a datagram that fit into an Ethernet frame, also with IPv6 and tunnels */
#define NA_STATSD_DATAGRAM 1432

/* Sends the text of one datagram. */
typedef na_error *na_statsd_sender(void *data, apr_pool_t *pool, const char *text, apr_size_t len);

/*
 * Writes datagrams: the increase of counters and histograms since the last call ("…count", and
 * "…sum" in milliseconds), and the values of gauges. Returns the first error of `send`, after all
 * datagrams.
 */
na_error *na_statsd_write(na_metrics *metrics, apr_pool_t *pool, const na_statsd_options *options,
                          const apr_array_header_t *readings, apr_time_t now,
                          na_statsd_sender *send, void *data);

/* Sends the datagrams over UDP. Waits only for the resolution of the host name. */
na_error *na_statsd_push(na_metrics *metrics, apr_pool_t *pool, const na_statsd_options *options,
                         const apr_array_header_t *readings, apr_time_t now);

#endif
