/* SPDX-License-Identifier: Apache-2.0 */
/* Redis as a store. */
#ifndef NA_STORE_REDIS_H
#define NA_STORE_REDIS_H

#include "store/store.h"

/*
 * A store in Redis 5 or newer, or Valkey: one server, a master found through sentinels, or a
 * cluster. An entry is the key <prefix><kind>:<hash in hex>. An ACL user of Redis needs the
 * commands get, mget, set, eval, and scan on keys with the prefix; select for a database other than
 * 0; role with sentinels; cluster and asking in a cluster. A sentinel's user needs the command
 * sentinel.
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
    long timeout_ms;         /* of an operation, plus at most as much until a connection is free */
    long connect_timeout_ms; /* part of it for connecting, with TLS and authentication */
    const char *ca_file;     /* NULL for the system's */
    const char *cert_file;   /* a client certificate followed by its chain; NULL if none */
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
 * Sets `options` from a URL, with defaults for the rest. URLs are
 * redis://[user[:password]@]host[:port][/db], rediss:// with the same parts for TLS, and
 * unix:/path[?db=number]; user and password are percent-decoded. The error's message never contains
 * the URL.
 */
na_error *na_redis_url_parse(apr_pool_t *pool, const char *url, na_redis_options *options);

/* Checks that the options are consistent and their files usable, without connecting. */
na_error *na_redis_options_check(apr_pool_t *pool, const na_redis_options *options);

/*
 * Sets name, driver, and self of *store. Connections are opened when needed, closed after a minute
 * without use, and destroyed with the pool. The options must live as long; they must have passed
 * na_redis_options_check. Must be called after the fork, by one thread.
 *
 * Names are resolved by the system, with time limits of its own in addition. A page of a
 * listing is one SCAN: it can be somewhat larger than `max`, and an entry can be on two pages if
 * Redis resizes its table meanwhile.
 */
na_error *na_redis_make(apr_pool_t *pool, const na_redis_options *options, na_store *store);

/* How a server persists and evicts entries. */
typedef struct na_redis_habits {
    const char *policy; /* maxmemory-policy; "" if unknown */
    int evicts;         /* 1 if it has a memory limit and a policy that drops entries */
    int appends;        /* 1 if appendonly is on */
} na_redis_habits;

/*
 * Queries one server of a store that na_redis_make set, with INFO. Fails if its user lacks the
 * permission.
 */
na_error *na_redis_ask_habits(const na_store *store, apr_pool_t *pool, na_redis_habits *habits);

#endif
