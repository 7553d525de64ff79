/* SPDX-License-Identifier: Apache-2.0 */
/* The shared object cache as a session store. */
#include <string.h>

#include <ap_provider.h>
#include <apr_dbm.h>
#include <apr_strings.h>
#include <http_main.h>
#include <util_mutex.h>

#include "auth/kept_post.h"
#include "auth/long_url.h"
#include "base/text.h"
#include "base/writable.h"
#include "httpd/module.h"
#include "httpd/resource/socache_space.h"
#include "httpd/resource/resource.h"
#include "session/token_entry.h"

/*
 * Providers have no compare-and-swap and mostly no lock, so one mutex of this server protects all
 * operations. If servers share a cache (memcache, redis), swaps are therefore safe only within each
 * server.
 *
 * Each value begins with its expiry, so that entries can be moved to another cache.
 */

#define CACHE_NAME "nextauth-sess"

/* typical size of a record of a session or user */
#define OBJECT_SIZE 200

/* largest value; dbm limits the size of a pair */
#define VALUE_MAX (16 * 1024)
#define DBM_VALUE_MAX 900

/*
 * Survives a graceful restart, because old and new child processes use the same segment of shmcb,
 * its mutex, and its fill level.
 *
 * The instance has a pool that APR never clears: mod_socache_shmcb registers a cleanup there, but
 * its code is unloaded with each configuration, before a longer-lived pool would call it. The
 * currently loaded provider destroys the instance when httpd ends or another instance replaces it.
 * If mod_socache_shmcb is removed from the configuration, the instance stays until the process
 * ends.
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
    na_socache_space *space; /* NULL if the cache makes room by itself */
    server_rec *server;
} na_socache;

/* one for all virtual hosts; created before the fork, then owned by each child process */
static na_socache the_cache;

static int is_dbm(const na_socache *cache)
{
    return strcmp(cache->provider->name, "dbm") == 0;
}

static int has_server(const char *provider)
{
    return strcmp(provider, "memcache") == 0 || strcmp(provider, "redis") == 0;
}

/* memcached interprets longer times as dates in the past. */
static apr_time_t provider_expiry(const na_socache *cache, apr_time_t expires)
{
    apr_time_t furthest = apr_time_now() + apr_time_from_sec(30 * 24 * 3600 - 60);
    return strcmp(cache->provider->name, "memcache") == 0 && expires > furthest ? furthest
                                                                                : expires;
}

/* Requires the mutex. `data` begins with its head. */
static apr_status_t store_entry(const na_socache *cache, apr_pool_t *pool, const unsigned char *id,
                                apr_time_t expires, unsigned char *data, unsigned len)
{
    if (cache->space &&
        !na_socache_space_take(cache->space, cache->provider, cache->instance, cache->server, id,
                               NA_SHA256_LEN + len, na_socache_read_rank(data), pool))
        return APR_ENOSPC;
    return cache->provider->store(cache->instance, cache->server, id, NA_SHA256_LEN,
                                  provider_expiry(cache, expires), data, len, pool);
}

/* ── the configuration ─────────────────────────────────────────────────────────────────────── */

static const ap_socache_provider_t *find_provider(const char *name)
{
    return ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name, AP_SOCACHE_PROVIDER_VERSION);
}

/* Splits "shmcb:/path(size)": returns the provider, and the rest for it. */
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

static const char *durability_notice(const char *name)
{
    if (strcmp(name, "shmcb") == 0)
        return "sessions survive a graceful restart, but are lost when httpd stops";
    if (strcmp(name, "dbm") == 0)
        return "sessions survive a stop of httpd, but each change rewrites a file, which suits "
               "small sites only";
    return "httpd servers that share this cache can overwrite each other's changes, and sessions "
           "are lost with the cache: use NextAuthSessionStore redis to avoid both";
}

/* the argument of previously checked virtual hosts; NULL if none */
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
                                               "NextAuthSOCache must be the same in all virtual "
                                               "hosts, but another one has '%s'",
                                               the_argument),
                                  "set it once, in the main server");
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
               : na_error_new(pool, NA_ERR_CONFIGURATION, "expected HOST:PORT");
}

/* Finds errors that the provider reports only when it starts. */
static na_error *check_place(apr_pool_t *pool, const char *provider, const char *rest)
{
    if (strcmp(provider, "shmcb") == 0)
        return NULL;
    if (rest && strchr(rest, ','))
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "several servers are not supported, because entries of one that is "
                            "down would seem missing: name one server");
    if (has_server(provider))
        return check_server(pool, rest);
    return strcmp(provider, "dbm") == 0 ? check_dbm(pool, rest) : NULL;
}

static na_error *check_socache(apr_pool_t *pool, const server_rec *s, const char **notice)
{
    const char *rest, *argument = argument_of(s);
    ap_socache_instance_t *instance;
    if (!argument)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "session store socache requires NextAuthSOCache: set NextAuthSOCache "
                            "shmcb:nextauth(1048576)");
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
    *notice = durability_notice(provider->name);
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

/* Runs when the configuration is discarded, while its modules are still loaded. */
static apr_status_t forget_cache(void *server)
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
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not create the shared object cache mutex");
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
                            "NextAuthSOCache: could not create the cache; see the error log");
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

/* Moves the sessions to the new cache if a graceful restart changes it. */
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
                            "could not create the session cache pool");
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
    if (is_dbm(cache)) /* other providers must not open connections before the fork */
        move_entries(pconf, kept, cache);
    destroy_instance(kept, s);
    return NULL;
}

static na_error *prepare_socache(apr_pool_t *pconf, server_rec *s)
{
    const char *rest, *argument = argument_of(s);
    retained *kept = retained_of();
    NA_TRY(make_mutex(pconf, s, kept));
    the_cache = (na_socache){.provider = provider_of(pconf, argument, &rest),
                             .mutex = kept->mutex,
                             .server = s};
    apr_pool_cleanup_register(pconf, s, forget_cache, apr_pool_cleanup_null);
    return strcmp(the_cache.provider->name, "shmcb") == 0
               ? make_shmcb(s, argument, rest, kept, &the_cache)
               : make_other(pconf, s, rest, kept, &the_cache);
}

/* ── the store ─────────────────────────────────────────────────────────────────────────────── */

static na_error *socache_error(apr_pool_t *pool, const char *what, apr_status_t status)
{
    char reason[120];
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s: %s", what,
                        apr_strerror(status, reason, sizeof reason));
}

static na_error *lock_cache(const na_socache *cache, apr_pool_t *pool)
{
    apr_status_t status = apr_global_mutex_lock(cache->mutex);
    return status == APR_SUCCESS ? NULL : socache_error(pool, "could not lock the cache", status);
}

static void unlock_cache(const na_socache *cache)
{
    apr_global_mutex_unlock(cache->mutex);
}

/* mod_socache_dbm returns APR_EGENERAL if an entry does not exist. */
static int is_absent(const na_socache *cache, apr_status_t status)
{
    return status == APR_NOTFOUND || (status == APR_EGENERAL && is_dbm(cache));
}

/*
 * Providers with a server do not report that it is down: all entries seem missing then. Writing and
 * reading an entry shows the difference.
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
    na_socache_write_head(head, expires, NA_SOCACHE_MAY_GO);
    apr_status_t status = cache->provider->store(cache->instance, cache->server, key.hash,
                                                 sizeof key.hash, expires, head, sizeof head, pool);
    if (status == APR_SUCCESS)
        status = cache->provider->retrieve(cache->instance, cache->server, key.hash,
                                           sizeof key.hash, back, &len, pool);
    return status == APR_SUCCESS
               ? NULL
               : socache_error(pool, "the cache server is not responding", status);
}

/* An expired entry can still exist, so the expiry is checked. */
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
        return socache_error(pool, "could not read from the cache", status);
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

/* Forms and long URLs are large, and visitors can send many, so that they never push out sessions.
 */
static int goes_first(const na_store_key *key)
{
    return strcmp(key->kind, NA_KIND_POST) == 0 || strcmp(key->kind, NA_KIND_URL) == 0;
}

/* A provider's tokens are worth as much as the session. Otherwise, only revocations are put. */
static na_socache_rank rank_of_put(const na_store_key *key)
{
    int may_go = strcmp(key->kind, NA_KIND_TOKENS) == 0;
    return goes_first(key) ? NA_SOCACHE_GOES_FIRST : may_go ? NA_SOCACHE_MAY_GO : NA_SOCACHE_STAYS;
}

/*
 * Revocations must stay. Other entries can be dropped: without its record a session is refused,
 * lists are filled again, and used sign-ins are also remembered in this server's memory.
 */
static na_socache_rank rank_of_swap(const na_store_key *key)
{
    int stays = strcmp(key->kind, NA_KIND_USER) == 0 || strcmp(key->kind, NA_KIND_EPOCH) == 0;
    return stays ? NA_SOCACHE_STAYS : goes_first(key) ? NA_SOCACHE_GOES_FIRST : NA_SOCACHE_MAY_GO;
}

static na_error *write_entry(const na_socache *cache, apr_pool_t *pool, const na_store_key *key,
                             na_bytes value, apr_time_t expires, na_socache_rank rank)
{
    unsigned len = (unsigned)value.len + NA_SOCACHE_HEAD_LEN;
    unsigned char *data = apr_palloc(pool, len);
    na_socache_write_head(data, expires, rank);
    memcpy(data + NA_SOCACHE_HEAD_LEN, value.data, value.len);
    apr_status_t status = store_entry(cache, pool, key->hash, expires, data, len);
    if (status == APR_ENOSPC && cache->space)
        return na_error_new(pool, NA_ERR_BUSY,
                            "the session cache is full of entries that must be kept: increase "
                            "NextAuthSOCache");
    return status == APR_SUCCESS ? NULL
                                 : socache_error(pool, "could not write to the cache", status);
}

static na_error *socache_get(void *self, apr_pool_t *pool, const na_store_key *keys, int count,
                             na_bytes *values)
{
    const na_socache *cache = self;
    unsigned char *buffer = make_buffer(pool);
    na_error *error = lock_cache(cache, pool);
    if (error)
        return error;
    for (int i = 0; i < count && !error; i++)
        error = read_entry(cache, pool, &keys[i], buffer, &values[i]);
    unlock_cache(cache);
    return error;
}

static na_error *socache_put(void *self, apr_pool_t *pool, const na_store_key *key, na_bytes value,
                             apr_time_t expires)
{
    const na_socache *cache = self;
    NA_TRY(lock_cache(cache, pool));
    na_error *error = write_entry(cache, pool, key, value, expires, rank_of_put(key));
    unlock_cache(cache);
    return error;
}

static int is_equal(na_bytes a, na_bytes b)
{
    return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

static na_error *socache_swap(void *self, apr_pool_t *pool, const na_store_key *key,
                              na_bytes expected, na_bytes value, apr_time_t expires, int *swapped)
{
    const na_socache *cache = self;
    na_bytes there;
    unsigned char *buffer = make_buffer(pool);
    NA_TRY(lock_cache(cache, pool));
    na_error *error = read_entry(cache, pool, key, buffer, &there);
    *swapped = !error && is_equal(there, expected);
    if (*swapped)
        error = write_entry(cache, pool, key, value, expires, rank_of_swap(key));
    unlock_cache(cache);
    return error;
}

/* ── a page of it ──────────────────────────────────────────────────────────────────────────── */

typedef struct listing {
    const na_socache *cache;
    apr_pool_t *pool;
    const unsigned char *after; /* ID that the page follows; NULL on the first page */
    na_store_entry **entries;   /* sorted */
    int count, max;
    apr_time_t now;
} listing;

/* The order of pages: shmcb's subcaches one after the other, as it visits them. */
static int compare_ids(const na_socache *cache, const unsigned char *a, const unsigned char *b)
{
    int order =
        (int)na_socache_subcache_of(cache->space, a) - (int)na_socache_subcache_of(cache->space, b);
    if (!order)
        order = memcmp(a + 1, b + 1, NA_SHA256_LEN - 1);
    return order ? order : *a - *b;
}

static double share_of(const na_socache *cache, const unsigned char *id)
{
    return (na_socache_subcache_of(cache->space, id) + na_store_share(id + 1)) /
           na_socache_subcaches(cache->space);
}

static const unsigned char *last_id(const listing *l)
{
    return l->entries[l->count - 1]->key.hash;
}

/* Inserts in order; the last one gives way. */
static void insert_entry(listing *l, na_store_entry *entry)
{
    int at = l->count < l->max ? l->count++ : l->count - 1;
    for (; at && compare_ids(l->cache, entry->key.hash, l->entries[at - 1]->key.hash) < 0; at--)
        l->entries[at] = l->entries[at - 1];
    l->entries[at] = entry;
}

/* Ends the visit with APR_INCOMPLETE once only later subcaches are left. */
static apr_status_t collect_entry(ap_socache_instance_t *instance, server_rec *s, void *data,
                                  const unsigned char *id, unsigned id_len,
                                  const unsigned char *value, unsigned len, apr_pool_t *pool)
{
    listing *l = data;
    if (id_len != NA_SHA256_LEN || len <= NA_SOCACHE_HEAD_LEN ||
        na_socache_read_expiry(value) <= l->now ||
        (l->after && compare_ids(l->cache, id, l->after) <= 0))
        return APR_SUCCESS;
    if (l->count == l->max && compare_ids(l->cache, id, last_id(l)) > 0)
        return na_socache_subcache_of(l->cache->space, id) >
                       na_socache_subcache_of(l->cache->space, last_id(l))
                   ? APR_INCOMPLETE
                   : APR_SUCCESS;
    na_store_entry *entry = apr_palloc(l->pool, sizeof *entry);
    memcpy(entry->key.hash, id, id_len);
    len -= NA_SOCACHE_HEAD_LEN;
    entry->value = (na_bytes){apr_pmemdup(l->pool, value + NA_SOCACHE_HEAD_LEN, len), len};
    insert_entry(l, entry);
    return APR_SUCCESS;
}

static na_error *visit_cache(const na_socache *cache, apr_pool_t *pool, listing *l)
{
    NA_TRY(lock_cache(cache, pool));
    apr_status_t status =
        cache->provider->iterate(cache->instance, cache->server, l, collect_entry, pool);
    unlock_cache(cache);
    if (status == APR_ENOTIMPL)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "socache %s cannot list all sessions: name a user",
                            cache->provider->name);
    return status == APR_SUCCESS || status == APR_INCOMPLETE || status == APR_NOTFOUND
               ? NULL
               : socache_error(pool, "could not list the cache", status);
}

/* The cache has no kinds: a page also has entries of other kinds, which cannot be decrypted. */
static na_error *socache_page(void *self, apr_pool_t *pool, const char *kind, const char *cursor,
                              int max, na_store_page *page)
{
    const na_socache *cache = self;
    unsigned char after[NA_SHA256_LEN];
    listing l = {.cache = cache,
                 .pool = pool,
                 .after = cursor ? after : NULL,
                 .entries = apr_palloc(pool, (apr_size_t)max * sizeof *l.entries),
                 .max = max,
                 .now = apr_time_now()};
    if (cursor && !na_hex_decode_to(after, sizeof after, cursor, strlen(cursor)))
        return na_store_bad_cursor(pool);
    NA_TRY(visit_cache(cache, pool, &l));
    for (int i = 0; i < l.count; i++) {
        l.entries[i]->key.kind = kind;
        l.entries[i]->key.is_optional = 0;
        na_store_page_add(page, &l.entries[i]->key, l.entries[i]->value);
    }
    if (l.count < max)
        return NULL;
    page->next = na_hex(pool, last_id(&l), NA_SHA256_LEN);
    page->share = share_of(cache, last_id(&l));
    return NULL;
}

/* ── opening it ────────────────────────────────────────────────────────────────────────────── */

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
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not create the shared object cache mutex");
    *driver = (na_store_driver){socache_get, socache_put, socache_swap, socache_page,
                                value_max(&the_cache)};
    store->breaker.name = apr_pstrcat(pool, "socache ", the_cache.provider->name, NULL);
    store->driver = driver;
    store->self = &the_cache;
    return NULL;
}

const na_store_provider na_socache_provider = {.kind = NA_STORE_MEMORY,
                                               .directive = "NextAuthSOCache",
                                               .check = check_socache,
                                               .identity = argument_of,
                                               .prepare = prepare_socache,
                                               .open = open_cache};
