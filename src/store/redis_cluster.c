/* SPDX-License-Identifier: Apache-2.0 */
/* Redis Cluster: the node of each key. */
#include "store/redis_topology.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#define REDIRECTIONS_MAX 5

/*
 * Returns CRC-16/XMODEM of the text between the first braces, or of the whole key (Redis cluster
 * specification).
 */
static unsigned slot_of(const char *key)
{
    size_t len = strlen(key);
    const char *open = strchr(key, '{');
    const char *shut = open ? strchr(open, '}') : NULL;
    if (shut && shut > open + 1) {
        key = open + 1;
        len = (size_t)(shut - key);
    }
    unsigned crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned)(unsigned char)key[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    }
    return crc & (NA_REDIS_SLOTS - 1);
}

static void forget(na_redis_cluster *cluster)
{
    for (int i = 0; i < cluster->count; i++)
        na_redis_connection_close(&cluster->nodes[i].connection);
    cluster->count = 0;
    cluster->stale = 0;
    memset(cluster->owners, 0, sizeof cluster->owners);
}

/* Returns the index of the node at an address, adding it if it is new; -1 if there are too many. */
static int node_at(na_redis_cluster *cluster, const na_redis_address *address)
{
    for (int i = 0; i < cluster->count; i++)
        if (cluster->nodes[i].address.port == address->port &&
            strcmp(cluster->nodes[i].address.host, address->host) == 0)
            return i;
    if (cluster->count == NA_REDIS_NODES_MAX)
        return -1;
    cluster->nodes[cluster->count].address = *address;
    return cluster->count++;
}

static na_error *too_many(apr_pool_t *pool)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "the cluster has more than %d nodes",
                        NA_REDIS_NODES_MAX);
}

/* Reads one row of CLUSTER SLOTS: first slot, last slot, its master's [host, port, …], replicas. */
static int read_row(na_redis_cluster *cluster, const redisReply *row, const char *answering)
{
    if (!na_redis_reply_is_array(row, 3) || row->element[0]->type != REDIS_REPLY_INTEGER ||
        row->element[1]->type != REDIS_REPLY_INTEGER ||
        !na_redis_reply_is_array(row->element[2], 2) ||
        row->element[2]->element[1]->type != REDIS_REPLY_INTEGER)
        return 0;
    long long first = row->element[0]->integer, last = row->element[1]->integer;
    const redisReply *host = row->element[2]->element[0];
    long long port = row->element[2]->element[1]->integer;
    na_redis_address address;
    /* a node that does not report its own host has the one that was queried */
    const char *name = host->type == REDIS_REPLY_STRING && host->len ? host->str : answering;
    if (first < 0 || last >= NA_REDIS_SLOTS || port < 1 || port > 65535 ||
        !na_redis_address_set(&address, name, (int)port))
        return 0;
    int node = node_at(cluster, &address);
    if (node < 0)
        return 0;
    for (long long slot = first; slot <= last; slot++)
        cluster->owners[slot] = (unsigned char)node;
    return 1;
}

static na_error *read_map(apr_pool_t *pool, na_redis_cluster *cluster, const redisReply *reply,
                          const na_redis_command *command, const char *answering)
{
    NA_TRY(na_redis_reply_error(pool, reply));
    if (!na_redis_reply_is_array(reply, 1))
        return na_error_new(pool, NA_ERR_UNAVAILABLE, "no node of the cluster has slots");
    forget(cluster);
    for (size_t i = 0; i < reply->elements; i++)
        if (!read_row(cluster, reply->element[i], answering))
            return na_redis_reply_odd(pool, command);
    return NULL;
}

static na_error *learn_from(na_redis_client *client, apr_pool_t *pool,
                            const na_redis_address *address, na_redis_deadline deadline)
{
    redisReply *reply;
    na_redis_command command = {0};
    na_redis_connection connection = {0};
    na_redis_add(&command, "CLUSTER");
    na_redis_add(&command, "SLOTS");
    NA_TRY(
        na_redis_connection_open(pool, &client->topology->access, address, deadline, &connection));
    na_error *error = na_redis_ask(pool, &connection, &command, deadline, &reply);
    na_redis_connection_close(&connection);
    return error ? error : read_map(pool, client->cluster, reply, &command, address->host);
}

/* Reads the map from the configured node; if that fails, from the known ones. */
static na_error *learn(na_redis_client *client, apr_pool_t *pool, na_redis_deadline deadline)
{
    int count = client->cluster->count;
    na_redis_address *known = apr_palloc(pool, ((size_t)count + 1) * sizeof *known);
    known[0] = client->topology->server;
    for (int i = 0; i < count; i++)
        known[i + 1] = client->cluster->nodes[i].address;
    na_error *error = NULL;
    for (int i = 0; i <= count; i++) {
        error =
            learn_from(client, pool, &known[i], na_redis_deadline_share(deadline, count + 2 - i));
        if (!error)
            break;
    }
    return error;
}

static na_error *ask_node(na_redis_client *client, apr_pool_t *pool, na_redis_node *node,
                          int asking, na_redis_command *command, na_redis_deadline deadline,
                          redisReply **reply)
{
    na_redis_command ask = {0};
    na_redis_add(&ask, "ASKING");
    if (!na_redis_connection_usable(&node->connection))
        NA_TRY(na_redis_connection_open(pool, &client->topology->access, &node->address, deadline,
                                        &node->connection));
    if (asking) {
        NA_TRY(na_redis_ask(pool, &node->connection, &ask, deadline, reply));
        NA_TRY(na_redis_reply_error(pool, *reply));
    }
    return na_redis_ask(pool, &node->connection, command, deadline, reply);
}

/* Reads "MOVED 3999 127.0.0.1:6381"; its host can be empty: the one that replied. 0 if invalid. */
static int read_redirection(apr_pool_t *pool, const redisReply *reply, const char *answering,
                            na_redis_address *to)
{
    const char *where = strrchr(reply->str, ' ') + 1;
    if (*where == ':')
        where = apr_pstrcat(pool, answering, where, NULL);
    return na_redis_address_parse(pool, where, 0, to);
}

static na_error *follow(na_redis_client *client, apr_pool_t *pool, unsigned slot,
                        na_redis_command *command, na_redis_deadline deadline, redisReply **reply)
{
    na_redis_address to;
    na_redis_cluster *cluster = client->cluster;
    int node = cluster->owners[slot], asking = 0;
    for (int i = 0; i <= REDIRECTIONS_MAX; i++) {
        NA_TRY(ask_node(client, pool, &cluster->nodes[node], asking, command, deadline, reply));
        int moved = na_redis_reply_is_error(*reply, "MOVED");
        asking = na_redis_reply_is_error(*reply, "ASK");
        if (!moved && !asking) {
            /* a node that is cut off from the others; they might have another map */
            cluster->stale = na_redis_reply_is_error(*reply, "CLUSTERDOWN");
            return NULL;
        }
        if (!read_redirection(pool, *reply, cluster->nodes[node].address.host, &to))
            return na_redis_reply_odd(pool, command);
        node = node_at(cluster, &to);
        if (node < 0)
            return too_many(pool);
        if (moved)
            cluster->owners[slot] = (unsigned char)node;
    }
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "the cluster redirects in circles");
}

na_error *na_redis_cluster_run(na_redis_client *client, apr_pool_t *pool, na_redis_command *command,
                               na_redis_deadline deadline, redisReply **reply)
{
    unsigned slot = slot_of(command->key);
    na_redis_cluster *cluster = client->cluster;
    if (cluster->count && !cluster->stale) {
        na_error *error = follow(client, pool, slot, command, deadline, reply);
        cluster->stale |= error != NULL;
        if (!error || na_redis_deadline_passed(deadline))
            return error;
    }
    NA_TRY(learn(client, pool, deadline));
    na_error *error = follow(client, pool, slot, command, deadline, reply);
    cluster->stale |= error != NULL;
    return error;
}

na_error *na_redis_cluster_servers(na_redis_client *client, apr_pool_t *pool,
                                   na_redis_deadline deadline, apr_array_header_t *servers)
{
    NA_TRY(learn(client, pool, deadline));
    for (int i = 0; i < client->cluster->count; i++)
        APR_ARRAY_PUSH(servers, na_redis_address) = client->cluster->nodes[i].address;
    return NULL;
}

na_error *na_redis_cluster_run_at(na_redis_client *client, apr_pool_t *pool,
                                  const na_redis_address *server, na_redis_command *command,
                                  na_redis_deadline deadline, redisReply **reply)
{
    if (!client->cluster->count)
        NA_TRY(learn(client, pool, deadline));
    int node = node_at(client->cluster, server);
    if (node < 0)
        return too_many(pool);
    return ask_node(client, pool, &client->cluster->nodes[node], 0, command, deadline, reply);
}
