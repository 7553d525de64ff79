/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis server that gets a command: the only one, the sentinels' master, or a cluster's. */
#ifndef NA_STORE_REDIS_TOPOLOGY_H
#define NA_STORE_REDIS_TOPOLOGY_H

#include <apr_tables.h>

#include "store/redis_connection.h"

/* The servers of one configuration. Immutable, so that clients share it. */
typedef struct na_redis_topology {
    const na_redis_options *options;
    na_redis_address server; /* not used with sentinels */
    na_redis_access access;
    const na_redis_address *sentinels;
    int sentinel_count; /* 0 if none */
    na_redis_access sentinel_access;
} na_redis_topology;

/* Parses the options' sentinels; the error names an invalid one. */
na_error *na_redis_sentinels_parse(apr_pool_t *pool, const na_redis_options *options,
                                   const na_redis_address **sentinels, int *count);

#define NA_REDIS_SLOTS 16384
#define NA_REDIS_NODES_MAX 128

typedef struct na_redis_node {
    na_redis_address address;
    na_redis_connection connection;
} na_redis_node;

/* A client's map of a cluster, all zero if unknown. */
typedef struct na_redis_cluster {
    int stale; /* a node failed: the map must be read again */
    int count;
    na_redis_node nodes[NA_REDIS_NODES_MAX];
    unsigned char owners[NA_REDIS_SLOTS]; /* index of a node; 0 if unknown */
} na_redis_cluster;

/*
 * The connections of one thread's operation: one, or one to each node that it needs. Each client
 * finds the master itself, so that clients share nothing that changes.
 */
typedef struct na_redis_client {
    const na_redis_topology *topology;
    na_redis_connection server;
    int sentinel;              /* index of the one that answered last */
    na_redis_cluster *cluster; /* NULL if none */
} na_redis_client;

/* Creates a client without connecting; NULL if out of memory. */
na_redis_client *na_redis_client_make(const na_redis_topology *topology);
void na_redis_client_free(na_redis_client *client);

/*
 * Runs a command on the server that it concerns, and returns its reply; an error reply is an error.
 * If the reply is lost on a kept connection, the command is sent once more on a new one.
 */
na_error *na_redis_client_run(na_redis_client *client, apr_pool_t *pool, na_redis_command *command,
                              na_redis_deadline deadline, redisReply **reply);

/* Lists the addresses (na_redis_address) of all servers that hold entries. */
na_error *na_redis_client_servers(na_redis_client *client, apr_pool_t *pool,
                                  na_redis_deadline deadline, apr_array_header_t **servers);

/* Runs a command on one of these servers, like na_redis_client_run. */
na_error *na_redis_client_run_at(na_redis_client *client, apr_pool_t *pool,
                                 const na_redis_address *server, na_redis_command *command,
                                 na_redis_deadline deadline, redisReply **reply);

/* Opens client->server to the master, trying every sentinel. */
na_error *na_redis_sentinel_open(na_redis_client *client, apr_pool_t *pool,
                                 na_redis_deadline deadline);

/* These do the same for a cluster; here an error that Redis returns is a reply. */
na_error *na_redis_cluster_run(na_redis_client *client, apr_pool_t *pool, na_redis_command *command,
                               na_redis_deadline deadline, redisReply **reply);
na_error *na_redis_cluster_servers(na_redis_client *client, apr_pool_t *pool,
                                   na_redis_deadline deadline, apr_array_header_t *servers);
na_error *na_redis_cluster_run_at(na_redis_client *client, apr_pool_t *pool,
                                  const na_redis_address *server, na_redis_command *command,
                                  na_redis_deadline deadline, redisReply **reply);

#endif
