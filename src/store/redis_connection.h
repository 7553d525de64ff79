/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a Redis server: handshake, commands, replies. */
#ifndef NA_STORE_REDIS_CONNECTION_H
#define NA_STORE_REDIS_CONNECTION_H

#include <hiredis/hiredis.h>

#include "store/redis_transport.h"

#define NA_REDIS_ARGS_MAX 64

/* A command while it is composed; all zero at first. It borrows texts and bytes. */
typedef struct na_redis_command {
    int argc;
    const char *argv[NA_REDIS_ARGS_MAX];
    size_t lens[NA_REDIS_ARGS_MAX];
    const char *key; /* determines its node in a cluster; NULL for any */
    int lost;        /* set if a reply was lost: the command might have been executed */
} na_redis_command;

void na_redis_add(na_redis_command *command, const char *text);
void na_redis_add_bytes(na_redis_command *command, na_bytes bytes);
void na_redis_add_key(na_redis_command *command, const char *key);

/* How to authenticate to a server. Immutable. */
typedef struct na_redis_access {
    const na_redis_tls *tls; /* NULL if none */
    const char *user;        /* NULL for Redis' user "default" */
    const char *password;    /* NULL if none */
    int db;
    long connect_timeout_ms;
} na_redis_access;

/*
 * A connection, used by one thread at a time; all zero if closed. Any error closes it, because the
 * next reply could belong to another command.
 */
typedef struct na_redis_connection {
    na_redis_transport transport;
    redisReader *reader;
    na_redis_deadline stale_at; /* when it has been idle for too long to be trusted */
} na_redis_connection;

/* Opens a closed connection; if this fails, it stays closed. */
na_error *na_redis_connection_open(apr_pool_t *pool, const na_redis_access *access,
                                   const na_redis_address *address, na_redis_deadline deadline,
                                   na_redis_connection *connection);

void na_redis_connection_close(na_redis_connection *connection);

/* Returns 1 if the connection is open and looks alive; otherwise closes it. Does not wait. */
int na_redis_connection_usable(na_redis_connection *connection);

/*
 * Sends a command and reads its reply, which lives in `pool`. Fails only if the connection does: an
 * error that Redis returns is a reply.
 */
na_error *na_redis_ask(apr_pool_t *pool, na_redis_connection *connection, na_redis_command *command,
                       na_redis_deadline deadline, redisReply **reply);

/* Returns the reply's error; NULL if none. */
na_error *na_redis_reply_error(apr_pool_t *pool, const redisReply *reply);

/* Returns the error for a reply of an unexpected form. */
na_error *na_redis_reply_odd(apr_pool_t *pool, const na_redis_command *command);

/* Returns 1 if the reply is an error whose first word is `word`. */
int na_redis_reply_is_error(const redisReply *reply, const char *word);

/* Returns 1 if the reply is an array of at least `least` elements. */
int na_redis_reply_is_array(const redisReply *reply, size_t least);

#endif
