/* SPDX-License-Identifier: Apache-2.0 */
/* Redis as a store. */
#include "store/redis.h"

#include <stdlib.h>
#include <string.h>

#include <apr_reslist.h>
#include <apr_strings.h>

#include "store/redis_topology.h"

#include "base/pools.h"

#define VALUE_MAX (1024 * 1024)
#define IDLE_S 60

/* The number of values of the largest size that fit into one reply. */
#define BATCH 50

typedef struct na_redis {
    na_redis_topology topology;
    apr_reslist_t *clients;
} na_redis;

static const char *key_text(const na_redis *redis, apr_pool_t *pool, const na_store_key *key)
{
    return apr_pstrcat(pool, redis->topology.options->prefix, key->kind, ":",
                       na_hex(pool, key->hash, sizeof key->hash), NULL);
}

static void add_lifetime(na_redis_command *command, apr_pool_t *pool, apr_time_t expires)
{
    apr_int64_t ms = (expires - apr_time_now()) / 1000;
    na_redis_add(command, apr_psprintf(pool, "%" APR_INT64_T_FMT, ms > 0 ? ms : 1));
}

static na_redis_deadline deadline_of(const na_redis *redis)
{
    return na_redis_deadline_in(redis->topology.options->timeout_ms);
}

/* ── a free client ── */

static apr_status_t open_client(void **client, void *topology, apr_pool_t *pool)
{
    *client = na_redis_client_make(topology);
    return *client ? APR_SUCCESS : APR_ENOMEM;
}

static apr_status_t close_client(void *client, void *topology, apr_pool_t *pool)
{
    na_redis_client_free(client);
    return APR_SUCCESS;
}

static na_error *acquire(na_redis *redis, apr_pool_t *pool, na_redis_client **client)
{
    void *acquired = NULL;
    apr_status_t status = apr_reslist_acquire(redis->clients, &acquired);
    *client = acquired;
    if (status == APR_SUCCESS)
        return NULL;
    return na_error_new(pool, NA_ERR_BUSY, "all %d connections to Redis are busy",
                        redis->topology.options->max_connections);
}

static na_error *run_command(na_redis *redis, apr_pool_t *pool, na_redis_command *command,
                             redisReply **reply)
{
    na_redis_client *client;
    NA_TRY(acquire(redis, pool, &client));
    na_error *error = na_redis_client_run(client, pool, command, deadline_of(redis), reply);
    apr_reslist_release(redis->clients, client);
    return error;
}

/* ── get, put, swap ── */

/*
 * The value is not copied: it lives in the reply's pool. A key of another type counts as missing,
 * as in MGET, because it is not a failure of the server.
 */
static int read_value(const redisReply *reply, na_bytes *value)
{
    *value = (na_bytes){NULL, 0};
    if (reply->type == REDIS_REPLY_STRING)
        *value = (na_bytes){(const unsigned char *)reply->str, reply->len};
    return value->data || reply->type == REDIS_REPLY_NIL ||
           na_redis_reply_is_error(reply, "WRONGTYPE");
}

static na_error *get_one(const na_redis *redis, na_redis_client *client, apr_pool_t *pool,
                         const na_store_key *key, na_redis_deadline deadline, na_bytes *value)
{
    redisReply *reply;
    na_redis_command command = {0};
    na_redis_add(&command, "GET");
    na_redis_add_key(&command, key_text(redis, pool, key));
    NA_TRY(na_redis_client_run(client, pool, &command, deadline, &reply));
    return read_value(reply, value) ? NULL : na_redis_reply_odd(pool, &command);
}

static na_error *get_batch(const na_redis *redis, na_redis_client *client, apr_pool_t *pool,
                           const na_store_key *keys, int count, na_redis_deadline deadline,
                           na_bytes *values)
{
    redisReply *reply;
    na_redis_command command = {0};
    na_redis_add(&command, "MGET");
    for (int i = 0; i < count; i++)
        na_redis_add(&command, key_text(redis, pool, &keys[i]));
    NA_TRY(na_redis_client_run(client, pool, &command, deadline, &reply));
    if (!na_redis_reply_is_array(reply, (size_t)count))
        return na_redis_reply_odd(pool, &command);
    for (int i = 0; i < count; i++)
        if (!read_value(reply->element[i], &values[i]))
            return na_redis_reply_odd(pool, &command);
    return NULL;
}

/* Gets values; one by one from a cluster, which rejects a command for keys of several nodes. */
static na_error *get_all(const na_redis *redis, na_redis_client *client, apr_pool_t *pool,
                         const na_store_key *keys, int count, na_bytes *values)
{
    na_redis_deadline deadline = deadline_of(redis);
    int batch = redis->topology.options->cluster ? 1 : BATCH;
    for (int i = 0; i < count; i += batch) {
        int some = count - i < batch ? count - i : batch;
        NA_TRY(some == 1 ? get_one(redis, client, pool, &keys[i], deadline, &values[i])
                         : get_batch(redis, client, pool, &keys[i], some, deadline, &values[i]));
    }
    return NULL;
}

static na_error *redis_get(void *self, apr_pool_t *pool, const na_store_key *keys, int count,
                           na_bytes *values)
{
    na_redis *redis = self;
    na_redis_client *client;
    NA_TRY(acquire(redis, pool, &client));
    na_error *error = get_all(redis, client, pool, keys, count, values);
    apr_reslist_release(redis->clients, client);
    return error;
}

static na_error *redis_put(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes value,
                           apr_time_t expires)
{
    redisReply *reply;
    na_redis_command command = {0};
    na_redis_add(&command, "SET");
    na_redis_add_key(&command, key_text(self, pool, key));
    na_redis_add_bytes(&command, value);
    na_redis_add(&command, "PX");
    add_lifetime(&command, pool, expires);
    NA_TRY(run_command(self, pool, &command, &reply));
    return reply->type == REDIS_REPLY_STATUS ? NULL : na_redis_reply_odd(pool, &command);
}

/* Values are never empty, so an empty text stands for a missing one. */
static const char swap_script[] =
    "local was = redis.pcall('GET', KEYS[1]) "
    "if type(was) == 'table' then "
    "if string.find(was.err, 'WRONGTYPE', 1, true) then return -1 end return was end "
    "if (was or '') ~= ARGV[1] then return 0 end "
    "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) "
    "return 1";

/*
 * If a reply was lost, the command is sent again although the swap might have been executed. The
 * second attempt then finds another value than expected, and it is unknown which client wrote it.
 */
static na_error *redis_swap(void *self, apr_pool_t *pool, const na_store_key *key,
                            na_bytes expected, na_bytes value, apr_time_t expires, int *swapped)
{
    redisReply *reply;
    na_redis_command command = {0};
    na_redis_add(&command, "EVAL");
    na_redis_add(&command, swap_script);
    na_redis_add(&command, "1");
    na_redis_add_key(&command, key_text(self, pool, key));
    na_redis_add_bytes(&command, expected.data ? expected : na_bytes_of(""));
    na_redis_add_bytes(&command, value);
    add_lifetime(&command, pool, expires);
    NA_TRY(run_command(self, pool, &command, &reply));
    if (reply->type != REDIS_REPLY_INTEGER)
        return na_redis_reply_odd(pool, &command);
    *swapped = reply->integer == 1;
    if (reply->integer < 0)
        return na_error_new(pool, NA_ERR_SESSION, "a key in Redis has an unexpected type: %s",
                            command.key);
    if (!*swapped && command.lost)
        return na_error_new(pool, NA_ERR_UNAVAILABLE,
                            "the connection to Redis was lost while a value was replaced");
    return NULL;
}

/* ── page ── */

/* Escapes the characters that MATCH would interpret as a pattern. */
static const char *glob_quote(apr_pool_t *pool, const char *text)
{
    char *quoted = apr_palloc(pool, 2 * strlen(text) + 1);
    char *p = quoted;
    for (; *text; text++) {
        if (strchr("*?[]^\\", *text))
            *p++ = '\\';
        *p++ = *text;
    }
    *p = '\0';
    return quoted;
}

/* Reads the hash that follows `start` in a key; returns 0 if the key has another form. */
static int read_hash(const redisReply *key, const char *start, unsigned char *hash)
{
    size_t len = strlen(start);
    return key->type == REDIS_REPLY_STRING && key->len > len && memcmp(key->str, start, len) == 0 &&
           na_hex_decode_to(hash, NA_SHA256_LEN, key->str + len, key->len - len);
}

static na_error *run_at(na_redis *redis, apr_pool_t *pool, const na_redis_address *server,
                        na_redis_command *command, redisReply **reply)
{
    na_redis_client *client;
    NA_TRY(acquire(redis, pool, &client));
    na_error *error =
        na_redis_client_run_at(client, pool, server, command, deadline_of(redis), reply);
    apr_reslist_release(redis->clients, client);
    return error;
}

static na_error *list_servers(na_redis *redis, apr_pool_t *pool, apr_array_header_t **servers)
{
    na_redis_client *client;
    NA_TRY(acquire(redis, pool, &client));
    na_error *error = na_redis_client_servers(client, pool, deadline_of(redis), servers);
    apr_reslist_release(redis->clients, client);
    return error;
}

/* A listing is a SCAN of one server after the other: "1.1234" is a cursor of the second one. */
typedef struct position {
    int server;
    apr_uint64_t cursor; /* of SCAN; 0 at the beginning of a server */
} position;

static int read_position(const char *text, position *at)
{
    char *end;
    *at = (position){0};
    if (!text)
        return 1;
    if (strspn(text, "0123456789.") != strlen(text) || strlen(text) > 30)
        return 0;
    at->server = (int)strtol(text, &end, 10);
    if (*end != '.')
        return 0;
    at->cursor = strtoull(end + 1, &end, 10);
    return !*end;
}

/*
 * SCAN counts its cursor up from the highest bit to the lowest, so that its bits in reverse say how
 * much of a server's table was listed, whatever the table's size.
 */
static double share_of(const position *at, int servers)
{
    double share = 0, part = 1;
    for (int bit = 0; bit < 64; bit++)
        share += (double)(at->cursor >> bit & 1) * (part /= 2);
    return (at->server + share) / servers;
}

static na_error *scan(na_redis *redis, apr_pool_t *pool, const na_redis_address *server,
                      const char *pattern, int max, apr_uint64_t *cursor, redisReply **names)
{
    redisReply *reply;
    na_redis_command command = {0};
    na_redis_add(&command, "SCAN");
    na_redis_add(&command, apr_psprintf(pool, "%" APR_UINT64_T_FMT, *cursor));
    na_redis_add(&command, "MATCH");
    na_redis_add(&command, pattern);
    na_redis_add(&command, "COUNT");
    na_redis_add(&command, apr_itoa(pool, max));
    NA_TRY(run_at(redis, pool, server, &command, &reply));
    if (!na_redis_reply_is_array(reply, 2) || reply->element[0]->type != REDIS_REPLY_STRING ||
        !na_redis_reply_is_array(reply->element[1], 0))
        return na_redis_reply_odd(pool, &command);
    *cursor = strtoull(reply->element[0]->str, NULL, 10);
    *names = reply->element[1];
    return NULL;
}

static na_error *read_entries(na_redis *redis, apr_pool_t *pool, const na_store_key *keys,
                              int count, na_store_page *page)
{
    na_bytes *values = apr_pcalloc(pool, (apr_size_t)count * sizeof *values);
    NA_TRY(redis_get(redis, pool, keys, count, values));
    for (int i = 0; i < count; i++)
        if (values[i].data)
            na_store_page_add(page, &keys[i], values[i]);
    return NULL;
}

static na_error *redis_page(void *self, apr_pool_t *pool, const char *kind, const char *cursor,
                            int max, na_store_page *page)
{
    na_redis *redis = self;
    apr_array_header_t *servers;
    redisReply *names;
    position at;
    int count = 0;
    const char *start = apr_pstrcat(pool, redis->topology.options->prefix, kind, ":", NULL);
    const char *pattern = apr_pstrcat(pool, glob_quote(pool, start), "*", NULL);
    NA_TRY(list_servers(redis, pool, &servers));
    if (!read_position(cursor, &at) || at.server >= servers->nelts)
        return na_store_bad_cursor(pool);
    NA_TRY(scan(redis, pool, &APR_ARRAY_IDX(servers, at.server, na_redis_address), pattern, max,
                &at.cursor, &names));
    na_store_key *keys = apr_pcalloc(pool, (names->elements + 1) * sizeof *keys);
    for (size_t i = 0; i < names->elements; i++) {
        keys[count].kind = kind;
        count += read_hash(names->element[i], start, keys[count].hash);
    }
    NA_TRY(read_entries(redis, pool, keys, count, page));
    at.server += !at.cursor;
    if (at.server < servers->nelts)
        page->next = apr_psprintf(pool, "%d.%" APR_UINT64_T_FMT, at.server, at.cursor);
    page->share = share_of(&at, servers->nelts);
    return NULL;
}

/* ── persistence and eviction ── */

/* Returns a field of INFO, which is a line "name:value"; "" if missing. */
static const char *info_field(apr_pool_t *pool, const char *info, const char *name)
{
    const char *line = strstr(info, apr_pstrcat(pool, "\n", name, ":", NULL));
    const char *value = line ? strchr(line, ':') + 1 : "";
    return apr_pstrmemdup(pool, value, strcspn(value, "\r\n"));
}

na_error *na_redis_ask_habits(const na_store *store, apr_pool_t *pool, na_redis_habits *habits)
{
    apr_array_header_t *servers;
    redisReply *reply;
    na_redis_command command = {0};
    NA_TRY(list_servers(store->self, pool, &servers));
    na_redis_add(&command, "INFO");
    NA_TRY(
        run_at(store->self, pool, &APR_ARRAY_IDX(servers, 0, na_redis_address), &command, &reply));
    if (reply->type != REDIS_REPLY_STRING || !reply->str)
        return na_redis_reply_odd(pool, &command);
    const char *limit = info_field(pool, reply->str, "maxmemory");
    habits->policy = info_field(pool, reply->str, "maxmemory_policy");
    habits->evicts = *limit && strcmp(limit, "0") != 0 && *habits->policy &&
                     strcmp(habits->policy, "noeviction") != 0;
    habits->appends = strcmp(info_field(pool, reply->str, "aof_enabled"), "1") == 0;
    return NULL;
}

/* ── creating it ── */

static const na_store_driver driver = {redis_get, redis_put, redis_swap, redis_page, VALUE_MAX};

static na_error *set_topology(apr_pool_t *pool, const na_redis_options *options,
                              na_redis_topology *topology)
{
    const na_redis_tls *tls;
    NA_TRY(na_redis_tls_make(pool, options, &tls));
    NA_TRY(
        na_redis_sentinels_parse(pool, options, &topology->sentinels, &topology->sentinel_count));
    topology->options = options;
    topology->access = (na_redis_access){tls, options->user, options->password, options->db,
                                         options->connect_timeout_ms};
    topology->sentinel_access =
        (na_redis_access){tls, options->sentinel_user, options->sentinel_password, 0,
                          options->connect_timeout_ms};
    const char *host = options->unix_path ? options->unix_path : options->host;
    if (!topology->sentinel_count &&
        !na_redis_address_set(&topology->server, host, options->unix_path ? 0 : options->port))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "the Redis host name is too long");
    return NULL;
}

/* The connection list has its own pool, because it allocates under no lock but its own. */
static na_error *make_clients(apr_pool_t *pool, na_redis *redis)
{
    apr_pool_t *own;
    int most = redis->topology.options->max_connections;
    NA_TRY(na_pool_create_apart(pool, &own));
    if (apr_reslist_create(&redis->clients, 0, 0, most, apr_time_from_sec(IDLE_S), open_client,
                           close_client, &redis->topology, own) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not create the list of Redis connections");
    apr_reslist_timeout_set(redis->clients, redis->topology.options->timeout_ms * 1000);
    return NULL;
}

static const char *name_of_topology(apr_pool_t *pool, const na_redis_topology *topology)
{
    if (topology->sentinel_count)
        return apr_psprintf(pool, "Redis master %s", topology->options->master);
    return apr_pstrcat(pool, topology->options->cluster ? "Redis cluster at " : "Redis at ",
                       na_redis_address_name(pool, &topology->server), NULL);
}

na_error *na_redis_make(apr_pool_t *pool, const na_redis_options *options, na_store *store)
{
    na_redis *redis = apr_pcalloc(pool, sizeof *redis);
    NA_TRY(set_topology(pool, options, &redis->topology));
    NA_TRY(make_clients(pool, redis));
    store->breaker.name = name_of_topology(pool, &redis->topology);
    store->driver = &driver;
    store->self = redis;
    return NULL;
}
