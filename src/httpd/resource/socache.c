/* SPDX-License-Identifier: Apache-2.0 */
/* The shared object cache (mod_socache) as a store. */
#include <string.h>

#include <ap_provider.h>
#include <apr_dbm.h>
#include <apr_strings.h>
#include <http_main.h>
#include <util_mutex.h>

#include "base/writable.h"
#include "httpd/module.h"
#include "httpd/resource/socache_space.h"
#include "httpd/resource/resource.h"

/*
 * The shared object cache as a store. Providers have neither compare-and-swap nor, most of them, a
 * lock of their own: one mutex of this server's is around everything. Caches that several servers
 * share (memcache, redis) therefore swap safely within one of them only.
 *
 * A value is kept behind its expiry, so that it can be moved to another cache with it.
 */

#define CACHE_NAME "nextauth-sess"

/* Records of sessions and users are about as large as this. */
#define OBJECT_SIZE 200

/* What the cache takes at once; dbm's pairs are small. */
#define VALUE_MAX (16 * 1024)
#define DBM_VALUE_MAX 900

/*
 * What outlives a graceful restart: shmcb's segment, the mutex around it, and how full it is. Old
 * and new children use the same.
 *
 * The instance has a pool that APR never clears: mod_socache_shmcb registers a clean-up there, and
 * its code goes with each configuration, before a pool that outlives them all would call it. It is
 * the provider of the day that destroys the instance, when httpd ends or has another one; whoever
 * takes mod_socache_shmcb out of the configuration leaves it to the end of the process.
 */
typedef struct retained {
    apr_global_mutex_t *mutex;
    const char *argument; /* of shmcb's instance */
    ap_socache_instance_t *instance;
    na_socache_space *space;
} retained;

typedef struct na_socache {
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
    apr_global_mutex_t *mutex;
    na_socache_space *space; /* NULL where the cache makes room by itself */
    server_rec *server;
} na_socache;

/* One for all virtual hosts: made before the fork, the child's own afterwards. */
static na_socache the_cache;

static int is_dbm(const na_socache *cache)
{
    return strcmp(cache->provider->name, "dbm") == 0;
}

static int has_server(const char *provider)
{
    return strcmp(provider, "memcache") == 0 || strcmp(provider, "redis") == 0;
}

/* memcached takes what is further away for a date long past. */
static apr_time_t provider_expiry(const na_socache *cache, apr_time_t expires)
{
    apr_time_t furthest = apr_time_now() + apr_time_from_sec(30 * 24 * 3600 - 60);
    return strcmp(cache->provider->name, "memcache") == 0 && expires > furthest ? furthest
                                                                                : expires;
}

/* Under the mutex. `data` has its expiry in front. */
static apr_status_t store_entry(const na_socache *cache, apr_pool_t *pool, const unsigned char *id,
                                apr_time_t expires, unsigned char *data, unsigned len)
{
    if (cache->space && !na_socache_space_take(cache->space, cache->provider, cache->instance,
                                               cache->server, id, NA_SHA256_LEN + len, pool))
        return APR_ENOSPC;
    return cache->provider->store(cache->instance, cache->server, id, NA_SHA256_LEN,
                                  provider_expiry(cache, expires), data, len, pool);
}

/* ── the configuration ─────────────────────────────────────────────────────────────────────── */

static const ap_socache_provider_t *find_provider(const char *name)
{
    return ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name, AP_SOCACHE_PROVIDER_VERSION);
}

/* "shmcb:/path(size)": the provider, and what it makes of the rest. */
static const ap_socache_provider_t *provider_of(apr_pool_t *pool, const char *argument,
                                                const char **rest)
{
    const char *colon = strchr(argument, ':');
    const char *name =
        colon ? apr_pstrmemdup(pool, argument, (apr_size_t)(colon - argument)) : argument;
    *rest = colon ? colon + 1 : NULL;
    return find_provider(name);
}

static const char *argument_of(const server_rec *s)
{
    return na_server_conf_of(s)->plan.stores.socache;
}

static const char *lost(const char *name)
{
    if (strcmp(name, "shmcb") == 0)
        return "sessions survive a reload; a full stop of httpd ends or forgets them all";
    if (strcmp(name, "dbm") == 0)
        return "sessions survive a full stop; every change rewrites a file, which suits small "
               "sites";
    return "several httpd servers that share this cache may overwrite each other's changes, and "
           "sessions end with the cache: NextAuthSessionStore redis knows neither trouble";
}

/* Of the servers that were checked before; NULL: none has one. */
static const char *the_argument;

static apr_status_t forget_argument(void *unused)
{
    the_argument = NULL;
    return APR_SUCCESS;
}

static na_error *check_alone(apr_pool_t *pool, const char *argument)
{
    if (the_argument && strcmp(the_argument, argument) != 0)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "one NextAuthSOCache serves all virtual hosts, and "
                                               "another server has %s",
                                               the_argument),
                                  "write it once, in the main server");
    if (!the_argument)
        apr_pool_cleanup_register(pool, NULL, forget_argument, apr_pool_cleanup_null);
    the_argument = argument;
    return NULL;
}

static na_error *check_dbm(apr_pool_t *pool, const char *rest)
{
    const char *files[2];
    const char *path =
        ap_runtime_dir_relative(pool, rest && *rest ? rest : "socache-dbm-" CACHE_NAME);
    apr_dbm_get_usednames(pool, path, &files[0], &files[1]);
    for (int i = 0; i < 2 && files[i]; i++)
        NA_TRY(na_writable_file(pool, files[i]));
    return NULL;
}

static na_error *check_server(apr_pool_t *pool, const char *rest)
{
    char *host, *scope;
    apr_port_t port;
    return apr_parse_addr_port(&host, &scope, &port, rest, pool) == APR_SUCCESS && host
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION, "HOST:PORT is wanted");
}

/* What only the provider's start would find. */
static na_error *check_place(apr_pool_t *pool, const char *provider, const char *rest)
{
    if (strcmp(provider, "shmcb") == 0)
        return NULL;
    if (rest && strchr(rest, ','))
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "of several servers, what a dead one had would be taken for missing: "
                            "name one");
    if (has_server(provider))
        return check_server(pool, rest);
    return strcmp(provider, "dbm") == 0 ? check_dbm(pool, rest) : NULL;
}

static na_error *check(apr_pool_t *pool, const server_rec *s, const char **notice)
{
    const char *rest, *argument = argument_of(s);
    ap_socache_instance_t *instance;
    if (!argument)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "store socache needs NextAuthSOCache, such as shmcb:nextauth(1048576)");
    const ap_socache_provider_t *provider = provider_of(pool, argument, &rest);
    if (!provider)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "%s: load mod_socache_%.*s (a2enmod socache_%.*s)", argument,
                            (int)strcspn(argument, ":"), argument, (int)strcspn(argument, ":"),
                            argument);
    const char *wrong = provider->create(&instance, rest, pool, pool);
    if (wrong)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "%s: %s", argument, wrong);
    na_error *error = check_place(pool, provider->name, rest);
    if (error)
        return na_error_wrap(pool, error, NULL, "%s", argument);
    *notice = lost(provider->name);
    return check_alone(pool, argument);
}

/* ── before the fork ───────────────────────────────────────────────────────────────────────── */

static retained *retained_of(void)
{
    retained *kept = ap_retained_data_get("nextauth-socache");
    return kept ? kept : ap_retained_data_create("nextauth-socache", sizeof *kept);
}

static void destroy_instance(retained *kept, server_rec *s)
{
    const ap_socache_provider_t *shmcb = find_provider("shmcb");
    if (kept->instance && shmcb)
        shmcb->destroy(kept->instance, s);
    kept->instance = NULL;
}

/* The configuration goes; its modules are still there. */
static apr_status_t forget(void *server)
{
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING)
        destroy_instance(retained_of(), server);
    the_cache = (na_socache){0};
    return APR_SUCCESS;
}

static na_error *make_mutex(apr_pool_t *pool, server_rec *s, retained *kept)
{
    if (!kept->mutex && ap_global_mutex_create(&kept->mutex, NULL, NA_SOCACHE_MUTEX, NULL, s,
                                               s->process->pool, 0) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "no mutex for the shared object cache");
    return NULL;
}

static na_error *make_instance(apr_pool_t *pool, server_rec *s, na_socache *cache, const char *rest)
{
    static const struct ap_socache_hints hints = {.avg_id_len = NA_SHA256_LEN,
                                                  .avg_obj_size = OBJECT_SIZE,
                                                  .expiry_interval = 60000000};
    const char *wrong = cache->provider->create(&cache->instance, rest, pool, pool);
    if (wrong)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "NextAuthSOCache: %s", wrong);
    apr_status_t status = cache->provider->init(cache->instance, CACHE_NAME, &hints, s, pool);
    if (status != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "NextAuthSOCache: the cache cannot be made (the log may say why)");
    return NULL;
}

static apr_status_t move_entry(ap_socache_instance_t *from, server_rec *s, void *data,
                               const unsigned char *id, unsigned id_len, const unsigned char *value,
                               unsigned len, apr_pool_t *pool)
{
    const na_socache *to = data;
    if (id_len == NA_SHA256_LEN && len > NA_SOCACHE_HEAD_LEN)
        store_entry(to, pool, id, na_socache_read_expiry(value), apr_pmemdup(pool, value, len),
                    len);
    return APR_SUCCESS;
}

/* Sessions come along when a reload changes the cache. */
static void move_entries(apr_pool_t *pool, const retained *kept, na_socache *to)
{
    const ap_socache_provider_t *shmcb = find_provider("shmcb");
    apr_pool_t *temporary;
    if (!shmcb || !kept->instance)
        return;
    apr_pool_create(&temporary, pool);
    apr_global_mutex_lock(kept->mutex);
    shmcb->iterate(kept->instance, to->server, to, move_entry, temporary);
    apr_global_mutex_unlock(kept->mutex);
    apr_pool_destroy(temporary);
}

static na_error *make_shmcb(server_rec *s, const char *argument, const char *rest, retained *kept,
                            na_socache *cache)
{
    apr_pool_t *pool;
    if (kept->instance && strcmp(kept->argument, argument) == 0) {
        cache->instance = kept->instance;
        cache->space = kept->space;
        return NULL;
    }
    if (apr_pool_create_unmanaged_ex(&pool, NULL, NULL) != APR_SUCCESS)
        return na_error_new(s->process->pool, NA_ERR_CONFIGURATION,
                            "no pool for the session cache");
    NA_TRY(make_instance(pool, s, cache, rest));
    NA_TRY(na_socache_space_make(pool, argument, OBJECT_SIZE + NA_SHA256_LEN, &cache->space));
    move_entries(pool, kept, cache);
    destroy_instance(kept, s);
    kept->argument = apr_pstrdup(pool, argument);
    kept->instance = cache->instance;
    kept->space = cache->space;
    return NULL;
}

static na_error *make_other(apr_pool_t *pconf, server_rec *s, const char *rest, retained *kept,
                            na_socache *cache)
{
    NA_TRY(make_instance(pconf, s, cache, rest));
    if (is_dbm(cache)) /* the others' connections must not be opened before the fork */
        move_entries(pconf, kept, cache);
    destroy_instance(kept, s);
    return NULL;
}

static na_error *prepare(apr_pool_t *pconf, server_rec *s)
{
    const char *rest, *argument = argument_of(s);
    retained *kept = retained_of();
    NA_TRY(make_mutex(pconf, s, kept));
    the_cache = (na_socache){.provider = provider_of(pconf, argument, &rest),
                             .mutex = kept->mutex,
                             .server = s};
    apr_pool_cleanup_register(pconf, s, forget, apr_pool_cleanup_null);
    return strcmp(the_cache.provider->name, "shmcb") == 0
               ? make_shmcb(s, argument, rest, kept, &the_cache)
               : make_other(pconf, s, rest, kept, &the_cache);
}

/* ── the store ─────────────────────────────────────────────────────────────────────────────── */

static na_error *failed(apr_pool_t *pool, const char *what, apr_status_t status)
{
    char reason[120];
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s: %s", what,
                        apr_strerror(status, reason, sizeof reason));
}

static na_error *lock(const na_socache *cache, apr_pool_t *pool)
{
    apr_status_t status = apr_global_mutex_lock(cache->mutex);
    return status == APR_SUCCESS ? NULL : failed(pool, "no lock", status);
}

static void unlock(const na_socache *cache)
{
    apr_global_mutex_unlock(cache->mutex);
}

/* mod_socache_dbm's word for "not there" is APR_EGENERAL. */
static int is_absent(const na_socache *cache, apr_status_t status)
{
    return status == APR_NOTFOUND || (status == APR_EGENERAL && is_dbm(cache));
}

/*
 * A server that is down is no error to the providers that have one: everything is missing then.
 * One entry that was just written tells the difference.
 */
static na_error *check_alive(const na_socache *cache, apr_pool_t *pool)
{
    unsigned char head[NA_SOCACHE_HEAD_LEN], back[NA_SOCACHE_HEAD_LEN];
    na_store_key key;
    unsigned len = sizeof back;
    if (!has_server(cache->provider->name))
        return NULL;
    apr_time_t expires = apr_time_now() + apr_time_from_sec(60);
    na_store_key_make(&key, "alive", "");
    na_socache_write_head(head, expires, 1);
    apr_status_t status = cache->provider->store(cache->instance, cache->server, key.hash,
                                                 sizeof key.hash, expires, head, sizeof head, pool);
    if (status == APR_SUCCESS)
        status = cache->provider->retrieve(cache->instance, cache->server, key.hash,
                                           sizeof key.hash, back, &len, pool);
    return status == APR_SUCCESS ? NULL
                                 : failed(pool, "the cache's server does not answer", status);
}

/* An entry that expired may be there still. */
static na_error *read_entry(const na_socache *cache, apr_pool_t *pool, const na_store_key *key,
                            unsigned char *buffer, na_bytes *value)
{
    unsigned len = VALUE_MAX + NA_SOCACHE_HEAD_LEN;
    apr_status_t status = cache->provider->retrieve(cache->instance, cache->server, key->hash,
                                                    sizeof key->hash, buffer, &len, pool);
    *value = (na_bytes){0};
    if (is_absent(cache, status))
        return check_alive(cache, pool);
    if (status != APR_SUCCESS)
        return failed(pool, "reading", status);
    if (len > NA_SOCACHE_HEAD_LEN && na_socache_read_expiry(buffer) > apr_time_now())
        *value =
            (na_bytes){apr_pmemdup(pool, buffer + NA_SOCACHE_HEAD_LEN, len - NA_SOCACHE_HEAD_LEN),
                       len - NA_SOCACHE_HEAD_LEN};
    return NULL;
}

static unsigned char *make_buffer(apr_pool_t *pool)
{
    return apr_palloc(pool, VALUE_MAX + NA_SOCACHE_HEAD_LEN);
}

static na_error *write_entry(const na_socache *cache, apr_pool_t *pool, const na_store_key *key,
                             na_bytes value, apr_time_t expires, int may_drop)
{
    unsigned len = (unsigned)value.len + NA_SOCACHE_HEAD_LEN;
    unsigned char *data = apr_palloc(pool, len);
    na_socache_write_head(data, expires, may_drop);
    memcpy(data + NA_SOCACHE_HEAD_LEN, value.data, value.len);
    apr_status_t status = store_entry(cache, pool, key->hash, expires, data, len);
    if (status == APR_ENOSPC && cache->space)
        return na_error_new(pool, NA_ERR_BUSY,
                            "the session cache is full of what must be remembered: make "
                            "NextAuthSOCache larger");
    return status == APR_SUCCESS ? NULL : failed(pool, "writing", status);
}

static na_error *get(void *self, apr_pool_t *pool, const na_store_key *keys, int count,
                     na_bytes *values)
{
    const na_socache *cache = self;
    unsigned char *buffer = make_buffer(pool);
    na_error *error = lock(cache, pool);
    if (error)
        return error;
    for (int i = 0; i < count && !error; i++)
        error = read_entry(cache, pool, &keys[i], buffer, &values[i]);
    unlock(cache);
    return error;
}

/* What is put whatever was there is the end of a session. */
static na_error *put(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes value,
                     apr_time_t expires)
{
    const na_socache *cache = self;
    NA_TRY(lock(cache, pool));
    na_error *error = write_entry(cache, pool, key, value, expires, 0);
    unlock(cache);
    return error;
}

static int equal(na_bytes a, na_bytes b)
{
    return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

/*
 * What says that sessions ended must stay. Without its record a session is refused, a list fills
 * again, and of sign-ins that were used this server has a memory besides.
 */
static int may_drop(const na_store_key *key)
{
    return strcmp(key->kind, NA_KIND_USER) != 0 && strcmp(key->kind, NA_KIND_EPOCH) != 0;
}

static na_error *swap(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes expected,
                      na_bytes value, apr_time_t expires, int *swapped)
{
    const na_socache *cache = self;
    na_bytes there;
    unsigned char *buffer = make_buffer(pool);
    NA_TRY(lock(cache, pool));
    na_error *error = read_entry(cache, pool, key, buffer, &there);
    *swapped = !error && equal(there, expected);
    if (*swapped)
        error = write_entry(cache, pool, key, value, expires, may_drop(key));
    unlock(cache);
    return error;
}

typedef struct listing {
    apr_pool_t *pool;
    const char *kind;
    apr_array_header_t *keys;   /* na_store_key */
    apr_array_header_t *values; /* na_bytes */
} listing;

static apr_status_t collect(ap_socache_instance_t *instance, server_rec *s, void *data,
                            const unsigned char *id, unsigned id_len, const unsigned char *value,
                            unsigned len, apr_pool_t *pool)
{
    listing *l = data;
    if (id_len != NA_SHA256_LEN || len <= NA_SOCACHE_HEAD_LEN)
        return APR_SUCCESS;
    na_store_key *key = apr_array_push(l->keys);
    key->kind = l->kind;
    memcpy(key->hash, id, id_len);
    len -= NA_SOCACHE_HEAD_LEN;
    APR_ARRAY_PUSH(l->values, na_bytes) =
        (na_bytes){apr_pmemdup(l->pool, value + NA_SOCACHE_HEAD_LEN, len), len};
    return APR_SUCCESS;
}

/*
 * The cache does not know kinds: visitors see entries of others too, which do not open as theirs.
 * They are called after the lock was given back.
 */
static na_error *each(void *self, apr_pool_t *pool, const char *kind, na_store_visit *visit,
                      void *data)
{
    const na_socache *cache = self;
    listing l = {pool, kind, apr_array_make(pool, 256, sizeof(na_store_key)),
                 apr_array_make(pool, 256, sizeof(na_bytes))};
    NA_TRY(lock(cache, pool));
    apr_status_t status =
        cache->provider->iterate(cache->instance, cache->server, &l, collect, pool);
    unlock(cache);
    if (status == APR_ENOTIMPL)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "socache %s cannot list all it has: name a user",
                            cache->provider->name);
    if (status != APR_SUCCESS && status != APR_NOTFOUND)
        return failed(pool, "listing", status);
    for (int i = 0; i < l.keys->nelts; i++)
        NA_TRY(visit(data, &APR_ARRAY_IDX(l.keys, i, na_store_key),
                     APR_ARRAY_IDX(l.values, i, na_bytes)));
    return NULL;
}

static apr_size_t value_max(const na_socache *cache)
{
    if (is_dbm(cache))
        return DBM_VALUE_MAX;
    apr_size_t most = VALUE_MAX;
    if (cache->space && na_socache_space_entry_max(cache->space) < most)
        most = na_socache_space_entry_max(cache->space);
    return most - NA_SHA256_LEN - NA_SOCACHE_HEAD_LEN;
}

static na_error *open_cache(apr_pool_t *pool, server_rec *s, na_store *store)
{
    na_store_driver *driver = apr_palloc(pool, sizeof *driver);
    const char *lockfile = apr_global_mutex_lockfile(the_cache.mutex);
    if (apr_global_mutex_child_init(&the_cache.mutex, lockfile, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "no mutex for the shared object cache");
    *driver = (na_store_driver){get, put, swap, each, value_max(&the_cache)};
    store->breaker.name = apr_pstrcat(pool, "socache ", the_cache.provider->name, NULL);
    store->driver = driver;
    store->self = &the_cache;
    return NULL;
}

const na_store_provider na_socache_provider = {.kind = NA_STORE_MEMORY,
                                               .directive = "NextAuthSOCache",
                                               .check = check,
                                               .identity = argument_of,
                                               .prepare = prepare,
                                               .open = open_cache};
