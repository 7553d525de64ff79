/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_METRICS_STATSD_H
#define NA_METRICS_STATSD_H

#include "metrics/metrics.h"

/* StatsD puts labels into names; DogStatsD has tags for them. */
typedef enum na_statsd_format { NA_STATSD, NA_DOGSTATSD } na_statsd_format;

typedef struct na_statsd_options {
    const char *host;
    int port;
    const char *prefix; /* of every name */
    na_statsd_format format;
    long interval; /* seconds */
} na_statsd_options;

/* Bytes of a datagram: what passes an Ethernet of 1,500 bytes, IPv6 and tunnels included. */
#define NA_STATSD_DATAGRAM 1432

/* Takes the text of one datagram. */
typedef na_error *na_statsd_sender(void *data, apr_pool_t *pool, const char *text, apr_size_t len);

/*
 * What was counted since the last call, in datagrams: counters and histograms by what they gained
 * ("…count", and "…sum" in milliseconds), gauges as they are. The first error of `send` is
 * returned; the datagrams that follow are given to it all the same.
 */
na_error *na_statsd_write(na_metrics *metrics, apr_pool_t *pool, const na_statsd_options *options,
                          const apr_array_header_t *readings, apr_time_t now,
                          na_statsd_sender *send, void *data);

/* The same over UDP, never waiting for the network but to look the host up. */
na_error *na_statsd_push(na_metrics *metrics, apr_pool_t *pool, const na_statsd_options *options,
                         const apr_array_header_t *readings, apr_time_t now);

#endif
