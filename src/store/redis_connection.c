/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a Redis server: handshake, commands, replies. */
#include "store/redis_connection.h"

#include <string.h>

#include <apr_strings.h>

#include "store/redis_bounds.h"

#define STALE_MS 60000

void na_redis_add_bytes(na_redis_command *command, na_bytes bytes)
{
    command->argv[command->argc] = (const char *)bytes.data;
    command->lens[command->argc++] = bytes.len;
}

void na_redis_add(na_redis_command *command, const char *text)
{
    na_redis_add_bytes(command, na_bytes_of(text));
}

void na_redis_add_key(na_redis_command *command, const char *key)
{
    command->key = key;
    na_redis_add(command, key);
}

int na_redis_reply_is_error(const redisReply *reply, const char *word)
{
    size_t len = strlen(word);
    return reply->type == REDIS_REPLY_ERROR && reply->len > len &&
           memcmp(reply->str, word, len) == 0 && reply->str[len] == ' ';
}

int na_redis_reply_is_array(const redisReply *reply, size_t least)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements >= least;
}

na_error *na_redis_reply_error(apr_pool_t *pool, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR || na_redis_reply_is_error(reply, "WRONGTYPE"))
        return NULL; /* the caller handles an error of a single key */
    char *words = apr_pstrdup(pool, na_one_line(pool, reply->str, 200));
    /* an error about an unknown command repeats its arguments: a password, a session */
    char *repeated = strstr(words, ", with args");
    if (repeated)
        *repeated = '\0';
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "Redis returned the error: %s", words);
}

na_error *na_redis_reply_odd(apr_pool_t *pool, const na_redis_command *command)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "unexpected reply of Redis to %s",
                        command->argv[0]);
}

static apr_status_t free_reply(void *reply)
{
    freeReplyObject(reply);
    return APR_SUCCESS;
}

static na_error *broken(apr_pool_t *pool, const na_redis_connection *connection, const char *how)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s sent an invalid reply: %s",
                        na_redis_address_name(pool, &connection->transport.address), how);
}

static na_error *read_reply(apr_pool_t *pool, na_redis_connection *connection,
                            na_redis_deadline deadline, redisReply **reply)
{
    char buffer[16384];
    void *parsed = NULL;
    apr_size_t got;
    na_redis_bounds bounds = {0};
    redisReader *reader = connection->reader;
    for (;;) {
        if (redisReaderGetReply(reader, &parsed) != REDIS_OK)
            return broken(pool, connection, na_one_line(pool, reader->errstr, 100));
        if (parsed)
            break;
        NA_TRY(na_redis_transport_read(pool, &connection->transport, buffer, sizeof buffer, &got,
                                       deadline));
        const char *beyond = na_redis_bounds_check(&bounds, buffer, got);
        if (beyond)
            return broken(pool, connection, beyond);
        if (redisReaderFeed(reader, buffer, got) != REDIS_OK)
            return broken(pool, connection, na_one_line(pool, reader->errstr, 100));
    }
    apr_pool_cleanup_register(pool, parsed, free_reply, apr_pool_cleanup_null);
    if (reader->pos < reader->len)
        return broken(pool, connection, "unexpected data after the reply");
    *reply = parsed;
    return NULL;
}

static na_error *exchange(apr_pool_t *pool, na_redis_connection *connection,
                          na_redis_command *command, na_redis_deadline deadline, redisReply **reply)
{
    char *wire;
    /* an int in hiredis 0.14, a long long in 1.x */
    long long len = redisFormatCommandArgv(&wire, command->argc, command->argv, command->lens);
    if (len < 0)
        return na_error_new(pool, NA_ERR_UNAVAILABLE, "out of memory for a Redis command");
    na_error *error =
        na_redis_transport_write(pool, &connection->transport, wire, (apr_size_t)len, deadline);
    na_wipe(wire, (apr_size_t)len);
    redisFreeCommand(wire);
    return error ? error : read_reply(pool, connection, deadline, reply);
}

na_error *na_redis_ask(apr_pool_t *pool, na_redis_connection *connection, na_redis_command *command,
                       na_redis_deadline deadline, redisReply **reply)
{
    na_error *error = exchange(pool, connection, command, deadline, reply);
    connection->stale_at = na_redis_deadline_in(STALE_MS);
    if (!error)
        return NULL;
    command->lost = 1;
    na_redis_connection_close(connection);
    return error;
}

static na_error *must_do(apr_pool_t *pool, na_redis_connection *connection,
                         na_redis_command *command, na_redis_deadline deadline)
{
    redisReply *reply;
    NA_TRY(na_redis_ask(pool, connection, command, deadline, &reply));
    return na_redis_reply_error(pool, reply);
}

static na_error *log_in(apr_pool_t *pool, const na_redis_access *access, na_redis_deadline deadline,
                        na_redis_connection *connection)
{
    na_redis_command auth = {0}, select_db = {0};
    if (access->password) {
        na_redis_add(&auth, "AUTH");
        if (access->user)
            na_redis_add(&auth, access->user);
        na_redis_add(&auth, access->password);
        NA_TRY(must_do(pool, connection, &auth, deadline));
    }
    if (!access->db)
        return NULL;
    na_redis_add(&select_db, "SELECT");
    na_redis_add(&select_db, apr_itoa(pool, access->db));
    return must_do(pool, connection, &select_db, deadline);
}

na_error *na_redis_connection_open(apr_pool_t *pool, const na_redis_access *access,
                                   const na_redis_address *address, na_redis_deadline deadline,
                                   na_redis_connection *connection)
{
    na_redis_deadline by =
        na_redis_deadline_sooner(deadline, na_redis_deadline_in(access->connect_timeout_ms));
    NA_TRY(na_redis_transport_open(pool, access->tls, address, by, &connection->transport));
    connection->reader = redisReaderCreate();
    na_error *error = connection->reader ? log_in(pool, access, by, connection)
                                         : na_error_new(pool, NA_ERR_UNAVAILABLE,
                                                        "out of memory for Redis replies");
    if (error)
        na_redis_connection_close(connection);
    return error;
}

void na_redis_connection_close(na_redis_connection *connection)
{
    na_redis_transport_close(&connection->transport);
    if (connection->reader)
        redisReaderFree(connection->reader);
    connection->reader = NULL;
}

int na_redis_connection_usable(na_redis_connection *connection)
{
    if (!connection->transport.is_open)
        return 0;
    /* the peer might have closed it long ago, and a firewall drops idle connections silently */
    if (!na_redis_deadline_passed(connection->stale_at) &&
        na_redis_transport_is_quiet(&connection->transport))
        return 1;
    na_redis_connection_close(connection);
    return 0;
}
