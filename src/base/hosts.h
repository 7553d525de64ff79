/* SPDX-License-Identifier: Apache-2.0 */
/* The host names of a site: URLs that can have a wildcard, and the origin of a request among them.
 */
#ifndef NA_BASE_HOSTS_H
#define NA_BASE_HOSTS_H

#include <apr_tables.h>

#include "base/url.h"

/* Most characters of a host name (RFC 1035 section 2.3.4, without the root's dot), and of a label.
 */
#define NA_HOST_LEN_MAX 253
#define NA_LABEL_LEN_MAX 63

/* Bytes of an origin: "https://", the host, ":65535", and the NUL. */
#define NA_ORIGIN_SIZE (8 + NA_HOST_LEN_MAX + 6 + 1)

/* One URL of a site, of which the host can have a wildcard. Immutable configuration. */
typedef struct na_host_pattern {
    const char *origin; /* the wildcard included; the default port left out */
    const char *scheme; /* "http" or "https" */
    const char *host;   /* lower case; IPv6 in brackets; can contain one '*' */
    const char *star;   /* the wildcard in `host`; NULL if there is none */
    int port;
} na_host_pattern;

/*
 * Parses an absolute http or https URL. Its host can have one '*', which stands for one or more
 * characters of the first label, as in a certificate (RFC 9525 section 6.3). A domain of at least
 * two labels, or localhost, must follow. *path is what follows the origin. Returns NULL, or what is
 * wrong with the URL.
 */
const char *na_host_pattern_parse(apr_pool_t *pool, const char *text, na_host_pattern *pattern,
                                  const char **path);

/* Returns 1 if the pattern has this host, which is in the form that na_host_normalize writes. */
int na_host_pattern_has(const na_host_pattern *pattern, const char *host);

/* Returns 1 if a host can match both patterns, whatever the port. */
int na_host_patterns_overlap(const na_host_pattern *a, const na_host_pattern *b);

/*
 * Writes a host name of a request as patterns have it: lower case, without the root's dot; the
 * canonical form of an IPv6 address (with or without brackets) in brackets. Returns 0 if it is
 * anything else than a host name or an IP address.
 */
int na_host_normalize(const char *text, char host[NA_HOST_LEN_MAX + 1]);

/*
 * Writes the origin of the first pattern (na_host_pattern) that has the request's host and port.
 * `port` is 0 if the request names none. Returns 0 if there is no such pattern.
 */
int na_hosts_find(const apr_array_header_t *patterns, const char *host, int port,
                  char origin[NA_ORIGIN_SIZE]);

/*
 * Returns what the wildcard stands for in an origin that na_hosts_find wrote; NULL if a pattern
 * without a wildcard has it.
 */
const char *na_hosts_label(apr_pool_t *pool, const apr_array_header_t *patterns,
                           const char *origin);

/* Returns 1 if a pattern has the origin of the URL. */
int na_hosts_have(const apr_array_header_t *patterns, const na_url *url);

#endif
