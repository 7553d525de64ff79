/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_RESOURCE_SINKS_H
#define NA_HTTPD_RESOURCE_SINKS_H

#include "httpd/resource/resource.h"

/* Sinks of a whole server, all virtual hosts together: each has a thread in every child. */
#define NA_SINKS_MAX 32

typedef struct na_shared_sink {
    na_sink sink;
    const server_rec *server;       /* one that names it */
    const char *target;             /* an address, "|program arguments", or a DSN */
    const apr_array_header_t *keys; /* of a webhook */
    na_http_options http;           /* for the child's own client */
} na_shared_sink;

/* Forgets all of them. */
void na_sinks_begin(apr_pool_t *pconf);

/* The sink of a rule of this server, or of its reports; another server's where it is the same. */
na_error *na_sinks_take_rule(apr_pool_t *pool, const server_rec *s, const na_event_rule *rule,
                             na_shared_sink **sink);
na_error *na_sinks_take_sentry(apr_pool_t *pool, const server_rec *s, na_shared_sink **sink);

/* Before the fork: makes their folders and the memory that processes share, starts programs. */
na_error *na_sinks_open(apr_pool_t *pconf);

/* From 0 on; NULL where there are no more. */
na_shared_sink *na_sinks_get(int index);

/*
 * sink_folder.c: the folder of a sink's queue; whether it could be made, or used as it is; making
 * it, and handing it to httpd's children.
 */
const char *na_sink_folder_of(apr_pool_t *pool, const na_delivery_plan *plan, const char *target);
na_error *na_sink_folder_check(apr_pool_t *pool, const char *folder);
na_error *na_sink_folder_make(apr_pool_t *pool, const char *folder);

#endif
