/* SPDX-License-Identifier: Apache-2.0 */
/* Redis Sentinel: finding the master. */
#include "store/redis_topology.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#define SENTINEL_PORT 26379

na_error *na_redis_sentinels_parse(apr_pool_t *pool, const na_redis_options *options,
                                   const na_redis_address **sentinels, int *count)
{
    apr_array_header_t *list = apr_array_make(pool, 3, sizeof(na_redis_address));
    char *rest = apr_pstrdup(pool, options->sentinels ? options->sentinels : "");
    char *state;
    for (char *text = apr_strtok(rest, ",", &state); text; text = apr_strtok(NULL, ",", &state))
        if (!na_redis_address_parse(pool, text, SENTINEL_PORT, apr_array_push(list)))
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "invalid sentinel '%s': expected host:port",
                                na_one_line(pool, text, 100));
    *sentinels = (const na_redis_address *)list->elts;
    *count = list->nelts;
    return NULL;
}

static na_error *read_master(apr_pool_t *pool, const char *master, const na_redis_command *command,
                             const redisReply *reply, na_redis_address *address)
{
    NA_TRY(na_redis_reply_error(pool, reply));
    if (reply->type == REDIS_REPLY_NIL)
        return na_error_new(pool, NA_ERR_UNAVAILABLE, "unknown master '%s'", master);
    if (!na_redis_reply_is_array(reply, 2) || reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_STRING ||
        !na_redis_address_set(address, reply->element[0]->str, atoi(reply->element[1]->str)) ||
        !address->port)
        return na_redis_reply_odd(pool, command);
    return NULL;
}

static na_error *ask_sentinel(const na_redis_topology *topology, apr_pool_t *pool,
                              const na_redis_address *sentinel, na_redis_deadline deadline,
                              na_redis_address *address)
{
    redisReply *reply;
    na_redis_command command = {0};
    na_redis_connection connection = {0};
    na_redis_add(&command, "SENTINEL");
    na_redis_add(&command, "get-master-addr-by-name");
    na_redis_add(&command, topology->options->master);
    NA_TRY(na_redis_connection_open(pool, &topology->sentinel_access, sentinel, deadline,
                                    &connection));
    na_error *error = na_redis_ask(pool, &connection, &command, deadline, &reply);
    na_redis_connection_close(&connection);
    return error ? error : read_master(pool, topology->options->master, &command, reply, address);
}

/* A sentinel that is cut off from the others can name a server that is no longer the master. */
static na_error *check_role(apr_pool_t *pool, na_redis_connection *server,
                            na_redis_deadline deadline)
{
    redisReply *reply;
    na_redis_command command = {0};
    na_redis_add(&command, "ROLE");
    NA_TRY(na_redis_ask(pool, server, &command, deadline, &reply));
    NA_TRY(na_redis_reply_error(pool, reply));
    if (!na_redis_reply_is_array(reply, 1) || reply->element[0]->type != REDIS_REPLY_STRING)
        return na_redis_reply_odd(pool, &command);
    if (strcmp(reply->element[0]->str, "master") == 0)
        return NULL;
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s is not a master",
                        na_redis_address_name(pool, &server->transport.address));
}

static na_error *open_by(na_redis_client *client, apr_pool_t *pool,
                         const na_redis_address *sentinel, na_redis_deadline deadline)
{
    na_redis_address address;
    NA_TRY(ask_sentinel(client->topology, pool, sentinel, deadline, &address));
    NA_TRY(na_redis_connection_open(pool, &client->topology->access, &address, deadline,
                                    &client->server));
    na_error *error = check_role(pool, &client->server, deadline);
    if (error)
        na_redis_connection_close(&client->server);
    return error;
}

na_error *na_redis_sentinel_open(na_redis_client *client, apr_pool_t *pool,
                                 na_redis_deadline deadline)
{
    const na_redis_topology *topology = client->topology;
    na_error *error = NULL;
    const na_redis_address *sentinel = NULL;
    for (int left = topology->sentinel_count; left; left--) {
        sentinel = &topology->sentinels[client->sentinel];
        /* a silent sentinel leaves time for the others and for the command itself */
        error = open_by(client, pool, sentinel, na_redis_deadline_share(deadline, left + 1));
        if (!error)
            return NULL;
        client->sentinel = (client->sentinel + 1) % topology->sentinel_count;
    }
    return na_error_wrap(pool, error, NULL, "no sentinel found the master '%s'; the last was %s",
                         topology->options->master, na_redis_address_name(pool, sentinel));
}
