/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_SINKS_H
#define NA_HTTPD_SINKS_H

#include "httpd/module.h"

/* Sinks of a whole server, all virtual hosts together: each has a thread in every child. */
#define NA_SINKS_MAX 32

typedef struct na_shared_sink {
    na_sink sink;
    const char *target;             /* an address, "|program arguments", or a DSN */
    const apr_array_header_t *keys; /* of a webhook */
    na_http_options http;           /* for the child's own client */
} na_shared_sink;

/* Before the fork: forgets all sinks, and makes the memory that processes share. */
na_error *na_sinks_start(apr_pool_t *pconf);

/* The sink of a rule of this server, or of its reports; another server's where it is the same. */
na_error *na_sinks_take_rule(apr_pool_t *pconf, const server_rec *s, const na_event_rule *rule,
                             na_shared_sink **sink);
na_error *na_sinks_take_sentry(apr_pool_t *pconf, const server_rec *s, na_shared_sink **sink);

/* From 0 on; NULL where there are no more. */
na_shared_sink *na_sinks_get(int index);

#endif
