/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis server that gets a command. */
#include "store/redis_topology.h"

#include <stdlib.h>
#include <string.h>

na_redis_client *na_redis_client_make(const na_redis_topology *topology)
{
    na_redis_client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->topology = topology;
    if (topology->options->cluster)
        client->cluster = calloc(1, sizeof *client->cluster);
    if (client->cluster || !topology->options->cluster)
        return client;
    free(client);
    return NULL;
}

void na_redis_client_free(na_redis_client *client)
{
    na_redis_connection_close(&client->server);
    if (client->cluster)
        for (int i = 0; i < client->cluster->count; i++)
            na_redis_connection_close(&client->cluster->nodes[i].connection);
    free(client->cluster);
    free(client);
}

/* Returns 1 if another server must be asked: this one is no longer, or not yet, the master. */
static int is_elsewhere(const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR)
        return 0;
    /* before Redis 7, an error within a script has it in the middle */
    return strstr(reply->str, "READONLY ") || na_redis_reply_is_error(reply, "LOADING") ||
           na_redis_reply_is_error(reply, "MASTERDOWN");
}

static na_error *open_server(na_redis_client *client, apr_pool_t *pool, na_redis_deadline deadline)
{
    const na_redis_topology *topology = client->topology;
    if (topology->sentinel_count)
        return na_redis_sentinel_open(client, pool, deadline);
    return na_redis_connection_open(pool, &topology->access, &topology->server, deadline,
                                    &client->server);
}

static na_error *run_single(na_redis_client *client, apr_pool_t *pool, na_redis_command *command,
                            na_redis_deadline deadline, redisReply **reply)
{
    na_redis_connection *server = &client->server;
    if (na_redis_connection_usable(server)) {
        na_error *error = na_redis_ask(pool, server, command, deadline, reply);
        if (error ? na_redis_deadline_passed(deadline) : !is_elsewhere(*reply))
            return error;
        na_redis_connection_close(server);
    }
    NA_TRY(open_server(client, pool, deadline));
    return na_redis_ask(pool, server, command, deadline, reply);
}

na_error *na_redis_client_run(na_redis_client *client, apr_pool_t *pool, na_redis_command *command,
                              na_redis_deadline deadline, redisReply **reply)
{
    NA_TRY(client->cluster ? na_redis_cluster_run(client, pool, command, deadline, reply)
                           : run_single(client, pool, command, deadline, reply));
    return na_redis_reply_error(pool, *reply);
}

na_error *na_redis_client_servers(na_redis_client *client, apr_pool_t *pool,
                                  na_redis_deadline deadline, apr_array_header_t **servers)
{
    *servers = apr_array_make(pool, 1, sizeof(na_redis_address));
    if (client->cluster)
        return na_redis_cluster_servers(client, pool, deadline, *servers);
    APR_ARRAY_PUSH(*servers, na_redis_address) = client->topology->server;
    return NULL;
}

na_error *na_redis_client_run_at(na_redis_client *client, apr_pool_t *pool,
                                 const na_redis_address *server, na_redis_command *command,
                                 na_redis_deadline deadline, redisReply **reply)
{
    NA_TRY(client->cluster ? na_redis_cluster_run_at(client, pool, server, command, deadline, reply)
                           : run_single(client, pool, command, deadline, reply));
    return na_redis_reply_error(pool, *reply);
}
