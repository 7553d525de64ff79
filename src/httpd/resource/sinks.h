/* SPDX-License-Identifier: Apache-2.0 */
/* Destinations of events and error reports, and the directories of their queues. */
#ifndef NA_HTTPD_RESOURCE_SINKS_H
#define NA_HTTPD_RESOURCE_SINKS_H

#include "httpd/resource/resource.h"

/* limit for all virtual hosts together, because each has a thread in every child process */
#define NA_SINKS_MAX 32

typedef struct na_shared_sink {
    na_sink sink;
    const server_rec *server;       /* one of those that name it */
    const char *target;             /* a URL, "|program arguments", or a DSN */
    const apr_array_header_t *keys; /* na_bytes; NULL if not a webhook */
    na_http_options http;           /* for the HTTP client of each child process */
} na_shared_sink;

/* Forgets all destinations. */
void na_sinks_begin(apr_pool_t *pconf);

/* Each finds or adds the destination of a rule, or of error reports, of this virtual host. */
na_error *na_sinks_take_rule(apr_pool_t *pool, const server_rec *s, const na_event_rule *rule,
                             na_shared_sink **sink);
na_error *na_sinks_take_sentry(apr_pool_t *pool, const server_rec *s, na_shared_sink **sink);

/* Runs before the fork: creates directories and shared memory, starts programs. */
na_error *na_sinks_open(apr_pool_t *pconf);

/* Returns the destination at `index`, which starts at 0; NULL if there are no more. */
na_shared_sink *na_sinks_get(int index);

/*
 * sink_directory.c: the first returns the path of the directory of a destination's queue, the
 * second checks that it can be created or used, the third creates it and gives it to the httpd
 * user.
 */
const char *na_sink_directory_of(apr_pool_t *pool, const na_delivery_plan *plan,
                                 const char *target);
na_error *na_sink_directory_check(apr_pool_t *pool, const char *directory);
na_error *na_sink_directory_make(apr_pool_t *pool, const char *directory);

#endif
