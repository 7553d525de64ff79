/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_STARTUP_H
#define NA_HTTPD_STARTUP_H

#include "httpd/module.h"

/* What startup.c does at each start: `s` is the first server, and the others are behind it. */

/* ── once directives are read ──────────────────────────────────────────────────────────────── */

/*
 * Builds a server's configuration from its directives and the environment into conf->config, which
 * is NULL where the engine is off, and conf->plan. `*at` is the directive that an error is about.
 */
na_error *na_config_build(apr_pool_t *pool, server_rec *s, na_server_conf *conf,
                          const na_written **at);

/* sites.c: which tokens that name no site a site takes, and a warning where sites share a secret.
 */
void na_sites_separate(const server_rec *s);

/* Warns where two servers of one host name throw out each other's cookies. */
void na_warn_of_shared_cookies(const server_rec *s, apr_pool_t *pool);

/* What development and test mode mean where others can reach them. */
void na_warn_of_exposure(const server_rec *s, apr_pool_t *pool);

/* ── what servers share: found out as each is built, so that a configuration test does, too ── */

void na_databases_begin(void);
void na_stores_begin(void);
void na_sinks_begin(void);
void na_audits_begin(apr_pool_t *pconf);

/*
 * Takes in what this server, whose configuration is built, needs of them: an error where that does
 * not go with what the servers before it said, or where there is too much of it. `*at` is the
 * directive it is about, or NULL. Nothing is opened or made.
 */
typedef na_error *na_taker(apr_pool_t *pool, server_rec *s, const na_written **at);
na_taker na_databases_take, na_stores_take, na_delivery_take, na_audits_take;

/* Where the head of a program's chain is kept. */
const char *na_audit_head_of_program(apr_pool_t *pool, const char *program);

/* ── before the fork: what needs root is opened, what processes share is made ──────────────── */

#define NA_SOCACHE_MUTEX "nextauth-socache"
#define NA_RATE_MUTEX "nextauth-rate"

/* Zeroed memory that all processes see, as long as the pool; `what` it is for. */
na_error *na_share(apr_pool_t *pool, apr_size_t size, const char *what, void **memory);

na_error *na_logs_open(apr_pool_t *pconf, server_rec *s);

/* Kept over reloads; nothing where no engine is on. */
na_error *na_metrics_prepare(apr_pool_t *pconf, server_rec *s);

/* metrics_watch.c: has sessions counted, and StatsD told. */
na_error *na_metrics_watch(apr_pool_t *pconf, const server_rec *s);

/* A database that is written to is found in a child. */
na_error *na_audits_prepare(apr_pool_t *pconf, server_rec *s);

na_error *na_databases_prepare(apr_pool_t *pconf);
na_error *na_delivery_prepare(apr_pool_t *pconf, server_rec *s);
na_error *na_stores_prepare(apr_pool_t *pconf);
na_error *na_rates_prepare(apr_pool_t *pconf, server_rec *s);
na_error *na_health_prepare(apr_pool_t *pconf, server_rec *s);

na_error *na_replays_prepare(server_rec *s);

/* calls.c: of the outgoing calls that requests wait for, in all processes. */
na_error *na_calls_prepare(apr_pool_t *pconf);

/* ── in a child: each server's own connections, queues and registries ──────────────────────── */

struct na_replay_memory *na_replays_of_child(void);

na_error *na_calls_open(apr_pool_t *pool, na_call_limits **limits);

/* Of the password checks of all processes, of which one client has a share. */
na_error *na_checks_open(apr_pool_t *pool, na_call_limits **limits);

/* NULL where nothing is counted. */
na_metrics *na_metrics_of_child(apr_pool_t *pool);

na_error *na_databases_open(apr_pool_t *pool, server_rec *s);
na_error *na_mails_open(apr_pool_t *pool, server_rec *s);
na_error *na_delivery_open(apr_pool_t *pool);
na_error *na_stores_open(apr_pool_t *pool, server_rec *s);
na_error *na_rates_open(apr_pool_t *pool, server_rec *s);
na_error *na_health_open(apr_pool_t *pool, server_rec *s);

/*
 * Takes the variables of NextAuth, and all that a directive was read from, out of this process's
 * environment: what runs in a child for a tenant (PassEnv and osenv() of .htaccess, mod_php) must
 * not find the secret there. The parent keeps them for the next reload.
 */
void na_variables_forget(const server_rec *s);

#endif
