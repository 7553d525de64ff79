/* SPDX-License-Identifier: Apache-2.0 */
/* Redis as a store. */
#ifndef NA_STORE_REDIS_H
#define NA_STORE_REDIS_H

#include "store/store.h"

/*
 * A store in Redis 5 or newer, or Valkey: one server, a master that sentinels name, or a cluster.
 * An entry is the key <prefix><kind>:<hash in hex>. A user of Redis' ACL needs the commands get,
 * mget, set, eval and scan on the prefix's keys, select for a database other than 0, role behind
 * sentinels, cluster and asking in a cluster; a sentinel's user needs sentinel.
 */

/* Immutable configuration. na_redis_url_parse sets the defaults. */
typedef struct na_redis_options {
    const char *host; /* of the server or of one node of the cluster; not used with sentinels */
    int port;
    const char *unix_path; /* instead of host and port, or NULL */
    int tls;
    const char *user; /* requires `password`; NULL for Redis' user "default" */
    const char *password;
    int db;
    long timeout_ms;         /* of an operation, plus at most as much for a free connection */
    long connect_timeout_ms; /* of these, until connected, with TLS and authentication */
    const char *ca_file;     /* NULL for the system's */
    const char *cert_file;   /* a client certificate, its chain behind it; NULL if none */
    const char *key_file;    /* its key; every child process reads it as the httpd user */
    int max_connections;     /* in this process to each server */
    const char *prefix;      /* of all keys */
    const char *sentinels;   /* "host:port,host:port", by default port 26379; NULL if none */
    const char *master;      /* its name among the sentinels */
    const char *sentinel_user;
    const char *sentinel_password;
    int cluster;
} na_redis_options;

/*
 * Sets all of `options` from a URL, with defaults for the rest. URLs are
 * redis://[user[:password]@]host[:port][/db], rediss: likewise for TLS, and unix:/path[?db=number];
 * user and password are percent-decoded. The error's message never shows the URL.
 */
na_error *na_redis_url_parse(apr_pool_t *pool, const char *url, na_redis_options *options);

/* Checks that the options are consistent and their files usable; no server is asked. */
na_error *na_redis_options_check(apr_pool_t *pool, const na_redis_options *options);

/*
 * Sets name, driver and self of *store. Nothing is connected before the first operation, idle
 * connections end after a minute, all of them with the pool. The options must live as long; they
 * must have passed na_redis_options_check. Must be called after the fork, by one thread.
 *
 * The system resolves names, with its own time limits in addition. The driver's each gives every
 * round trip the time of an operation, holds no connection during a visit, and can visit an entry
 * twice if Redis resizes its table meanwhile.
 */
na_error *na_redis_make(apr_pool_t *pool, const na_redis_options *options, na_store *store);

/* Whether a Redis keeps all entries. */
typedef struct na_redis_habits {
    const char *policy; /* maxmemory-policy; "" if unknown */
    int evicts;         /* it has a memory limit and a policy that drops entries */
    int appends;        /* appendonly is on */
} na_redis_habits;

/*
 * Queries one server of a store of na_redis_make with INFO. Fails if its user lacks the permission.
 */
na_error *na_redis_ask_habits(const na_store *store, apr_pool_t *pool, na_redis_habits *habits);

#endif
