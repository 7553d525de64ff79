/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session store in another module: a file an entry, in the directory that FileStore names. It
 * uses mod_nextauth's headers only, and is linked to nothing of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <httpd.h>
#include <http_config.h>
#include <ap_provider.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "httpd/store_provider.h"

module AP_MODULE_DECLARE_DATA filestore_module;

#define VALUE_MAX 65536

static na_error *failed(apr_pool_t *pool, const char *code, const char *message)
{
    na_error *error = apr_pcalloc(pool, sizeof *error);
    error->code = code;
    error->message = message;
    return error;
}

static const char *path_of(apr_pool_t *pool, const char *directory, const na_store_key *key)
{
    char hex[2 * NA_SHA256_LEN + 1];
    for (int i = 0; i < NA_SHA256_LEN; i++)
        sprintf(hex + 2 * i, "%02x", key->hash[i]);
    return apr_pstrcat(pool, directory, "/", key->kind, "-", hex, NULL);
}

/* The lock of all entries; closing the file gives it back. */
static na_error *lock(apr_pool_t *pool, const char *directory, apr_file_t **file)
{
    const char *path = apr_pstrcat(pool, directory, "/lock", NULL);
    if (apr_file_open(file, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE, APR_FPROT_OS_DEFAULT, pool) ||
        apr_file_lock(*file, APR_FLOCK_EXCLUSIVE))
        return failed(pool, NA_ERR_UNAVAILABLE, "the directory cannot be locked");
    return NULL;
}

/* An entry that expired, or is not there, has no data. */
static na_bytes read_entry(apr_pool_t *pool, const char *path)
{
    const na_bytes none = {NULL, 0};
    apr_time_t expires;
    apr_size_t len = sizeof expires;
    apr_file_t *file;
    unsigned char *value = apr_palloc(pool, VALUE_MAX);
    if (apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool))
        return none;
    if (apr_file_read(file, &expires, &len) || expires <= apr_time_now())
        return none;
    len = VALUE_MAX;
    return apr_file_read(file, value, &len) ? none : (na_bytes){value, len};
}

static na_error *write_entry(apr_pool_t *pool, const char *path, na_bytes value, apr_time_t expires)
{
    apr_file_t *file;
    if (apr_file_open(&file, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE,
                      APR_FPROT_OS_DEFAULT, pool) ||
        apr_file_write_full(file, &expires, sizeof expires, NULL) ||
        apr_file_write_full(file, value.data, value.len, NULL) || apr_file_close(file))
        return failed(pool, NA_ERR_UNAVAILABLE, "an entry cannot be written");
    return NULL;
}

static na_error *get(void *directory, apr_pool_t *pool, const na_store_key *keys, int count,
                     na_bytes *values)
{
    apr_file_t *locked;
    NA_TRY(lock(pool, directory, &locked));
    for (int i = 0; i < count; i++)
        values[i] = read_entry(pool, path_of(pool, directory, &keys[i]));
    apr_file_close(locked);
    return NULL;
}

static na_error *put(void *directory, apr_pool_t *pool, const na_store_key *key, na_bytes value,
                     apr_time_t expires)
{
    apr_file_t *locked;
    NA_TRY(lock(pool, directory, &locked));
    na_error *error = write_entry(pool, path_of(pool, directory, key), value, expires);
    apr_file_close(locked);
    return error;
}

static na_error *swap(void *directory, apr_pool_t *pool, const na_store_key *key, na_bytes expected,
                      na_bytes value, apr_time_t expires, int *swapped)
{
    const char *path = path_of(pool, directory, key);
    apr_file_t *locked;
    NA_TRY(lock(pool, directory, &locked));
    na_bytes found = read_entry(pool, path);
    *swapped = found.len == expected.len && !found.data == !expected.data &&
               (!found.data || memcmp(found.data, expected.data, found.len) == 0);
    na_error *error = *swapped ? write_entry(pool, path, value, expires) : NULL;
    apr_file_close(locked);
    return error;
}

static int parse_name(const char *name, const char *kind, na_store_key *key)
{
    size_t len = strlen(kind);
    unsigned byte;
    if (strncmp(name, kind, len) != 0 || name[len] != '-' ||
        strlen(name) != len + 1 + 2 * NA_SHA256_LEN)
        return 0;
    key->kind = kind;
    for (int i = 0; i < NA_SHA256_LEN; i++) {
        if (sscanf(name + len + 1 + 2 * i, "%2x", &byte) != 1)
            return 0;
        key->hash[i] = (unsigned char)byte;
    }
    return 1;
}

static int compare_entries(const void *a, const void *b)
{
    return memcmp(((const na_store_entry *)a)->key.hash, ((const na_store_entry *)b)->key.hash,
                  NA_SHA256_LEN);
}

/* Lists the keys of a kind that follow one, in the order of their hashes. */
static na_error *list_keys(apr_pool_t *pool, const char *directory, const na_store_key *after,
                           apr_array_header_t *entries)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    if (apr_dir_open(&dir, directory, pool))
        return failed(pool, NA_ERR_UNAVAILABLE, "the directory cannot be read");
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        na_store_entry entry = {.key.kind = after->kind};
        if (parse_name(info.name, after->kind, &entry.key) &&
            memcmp(entry.key.hash, after->hash, NA_SHA256_LEN) > 0)
            APR_ARRAY_PUSH(entries, na_store_entry) = entry;
    }
    apr_dir_close(dir);
    qsort(entries->elts, (size_t)entries->nelts, sizeof(na_store_entry), compare_entries);
    return NULL;
}

/* A cursor is the file's name of the last entry on a page. */
static na_error *read_page(void *directory, apr_pool_t *pool, const char *kind, const char *cursor,
                           int max, na_store_page *page)
{
    na_store_key after = {.kind = kind};
    apr_array_header_t *all = apr_array_make(pool, max, sizeof(na_store_entry));
    if (cursor && !parse_name(cursor, kind, &after))
        return failed(pool, NA_ERR_INVALID_CHECK, "invalid cursor");
    NA_TRY(list_keys(pool, directory, &after, all));
    for (int i = 0; i < all->nelts && i < max; i++) {
        na_store_entry *entry = &APR_ARRAY_IDX(all, i, na_store_entry);
        const char *path = path_of(pool, directory, &entry->key);
        entry->value = read_entry(pool, path);
        if (entry->value.data)
            APR_ARRAY_PUSH(page->entries, na_store_entry) = *entry;
        page->next = strrchr(path, '/') + 1;
        page->share = (entry->key.hash[0] + 1) / 256.0;
    }
    if (all->nelts > max)
        return NULL;
    page->next = NULL;
    page->share = 1;
    return NULL;
}

static const na_store_driver driver = {get, put, swap, read_page, VALUE_MAX};

/* ── the provider ──────────────────────────────────────────────────────────────────────────── */

static const char *directory_of(const server_rec *s)
{
    return *(const char **)ap_get_module_config(s->module_config, &filestore_module);
}

static na_error *check(apr_pool_t *pool, const server_rec *s, const char **notice)
{
    return directory_of(s) ? NULL
                           : failed(pool, NA_ERR_CONFIGURATION, "store files needs FileStore");
}

static na_error *open_store(apr_pool_t *pool, server_rec *s, na_store *store)
{
    store->breaker.name = "files";
    store->driver = &driver;
    store->self = (void *)directory_of(s);
    return NULL;
}

static na_error *advise(apr_pool_t *pool, const na_store *store)
{
    na_error *advice = failed(pool, NA_ERR_CONFIGURATION, "files is an example");
    advice->hint = "use redis";
    return advice;
}

static const na_store_provider provider = {.kind = NA_STORE_SERVER,
                                           .directive = "FileStore",
                                           .check = check,
                                           .identity = directory_of,
                                           .open = open_store,
                                           .advise = advise};

static const char *set_directory(cmd_parms *cmd, void *conf, const char *directory)
{
    *(const char **)ap_get_module_config(cmd->server->module_config, &filestore_module) = directory;
    return NULL;
}

static const command_rec directives[] = {AP_INIT_TAKE1("FileStore", set_directory, NULL, RSRC_CONF,
                                                       "directory of sessions: PATH"),
                                         {NULL}};

static void *make_conf(apr_pool_t *pool, server_rec *s)
{
    return apr_pcalloc(pool, sizeof(const char *));
}

static void register_hooks(apr_pool_t *pool)
{
    ap_register_provider(pool, NA_STORE_GROUP, "files", NA_STORE_VERSION, &provider);
}

module AP_MODULE_DECLARE_DATA filestore_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, make_conf, NULL, directives, register_hooks, 0};
