/* SPDX-License-Identifier: Apache-2.0 */
/* Resources that are opened at startup, many of them shared by virtual hosts. */
#ifndef NA_HTTPD_RESOURCE_RESOURCE_H
#define NA_HTTPD_RESOURCE_RESOURCE_H

#include "httpd/module.h"
#include "httpd/process.h"

/* The functions of a resource, in the order that they run; NULL if there is nothing to do. */
typedef struct na_resource {
    /* Runs before the configuration of any virtual host is built. */
    void (*begin)(apr_pool_t *pconf);

    /*
     * Adds what this virtual host needs, once its configuration is built. Returns an error if that
     * conflicts with previous virtual hosts or exceeds a limit. `*at` is the directive at fault,
     * NULL if none. Opens and creates nothing, so that a configuration test finds errors too.
     */
    na_error *(*take)(apr_pool_t *pool, server_rec *s, const na_directive **at);

    /*
     * Runs before the fork: opens what requires root, creates what child processes share. `s` is
     * the first server.
     */
    na_error *(*prepare)(apr_pool_t *pconf, server_rec *s);

    /* Runs in each child process: opens connections, queues, and registries. */
    na_error *(*open)(apr_pool_t *pool, server_rec *s);
} na_resource;

extern const na_resource na_logs, na_metrics_block, na_calls, na_provider_documents, na_replays,
    na_access_tokens, na_audits, na_databases, na_mails, na_delivery, na_stores, na_rate_limits,
    na_health;

/* Each calls that function of all resources in turn, up to the first error. */
void na_resources_begin(apr_pool_t *pconf);
na_error *na_resources_take(apr_pool_t *pool, server_rec *s, const na_directive **at);
na_error *na_resources_prepare(apr_pool_t *pconf, server_rec *s);
na_error *na_resources_open(apr_pool_t *pool, server_rec *s);

#define NA_SOCACHE_MUTEX "nextauth-socache"
#define NA_RATE_MUTEX "nextauth-rate"
#define NA_DOCUMENT_MUTEX "nextauth-documents"

/* Returns the path of the head file of a program's audit chain. */
const char *na_audit_head_of_program(apr_pool_t *pool, const char *program);

/* Makes one child process at a time count sessions and push metrics to StatsD. */
na_error *na_metrics_watch(apr_pool_t *pconf, const server_rec *s);

/* Returns the kind of the store that is written to. The virtual host must name a store. */
na_store_kind na_first_store_kind(const na_server_conf *conf);

/* Reports the health of the site's components; checks them again if the last report is old. */
void na_health_now(const server_rec *s, apr_pool_t *pool, na_health_report *report);

/* Each appends its current metrics (na_reading). */
void na_stores_read(apr_array_header_t *readings);
void na_databases_read(apr_array_header_t *readings);
void na_sinks_read(apr_array_header_t *readings);

#endif
