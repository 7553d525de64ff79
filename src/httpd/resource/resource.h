/* SPDX-License-Identifier: Apache-2.0 */
/* What a start opens, and servers share. */
#ifndef NA_HTTPD_RESOURCE_RESOURCE_H
#define NA_HTTPD_RESOURCE_RESOURCE_H

#include "httpd/module.h"
#include "httpd/process.h"

/* Functions of a resource, in the order that they run; NULL if there is nothing to do. */
typedef struct na_resource {
    /* before the configuration of any server is built */
    void (*begin)(apr_pool_t *pconf);

    /*
     * Takes in what this server, whose configuration is built, needs: an error if that does not go
     * with what the servers before it said, or if there is too much of it. `*at` is the directive
     * it is about, or NULL. Nothing is opened or made, so that a configuration test finds it, too.
     */
    na_error *(*take)(apr_pool_t *pool, server_rec *s, const na_directive **at);

    /* Before the fork: opens what needs root, makes what processes share. `s` is the first server.
     */
    na_error *(*prepare)(apr_pool_t *pconf, server_rec *s);

    /* In a child: each server's own connections, queues and registries. */
    na_error *(*open)(apr_pool_t *pool, server_rec *s);
} na_resource;

extern const na_resource na_logs, na_metrics_block, na_calls, na_replays, na_audits, na_databases,
    na_mails, na_delivery, na_stores, na_rate_limits, na_health;

/* All of them, one after the other; the first error ends it. */
void na_resources_begin(apr_pool_t *pconf);
na_error *na_resources_take(apr_pool_t *pool, server_rec *s, const na_directive **at);
na_error *na_resources_prepare(apr_pool_t *pconf, server_rec *s);
na_error *na_resources_open(apr_pool_t *pool, server_rec *s);

#define NA_SOCACHE_MUTEX "nextauth-socache"
#define NA_RATE_MUTEX "nextauth-rate"

/* Where the head of a program's chain of audit records is kept. */
const char *na_audit_head_of_program(apr_pool_t *pool, const char *program);

/* Has sessions counted, and StatsD notified, by one child at a time. */
na_error *na_metrics_watch(apr_pool_t *pconf, const server_rec *s);

/* What the store is that is written to; the server names one. */
na_store_kind na_first_store_kind(const na_server_conf *conf);

/* What the site rests on, asked again if that is some time ago. */
void na_health_now(const server_rec *s, apr_pool_t *pool, na_health_report *report);

/* What metrics read of them (na_reading). */
void na_stores_read(apr_array_header_t *readings);
void na_databases_read(apr_array_header_t *readings);
void na_sinks_read(apr_array_header_t *readings);

#endif
