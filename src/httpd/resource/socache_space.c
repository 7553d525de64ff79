/* SPDX-License-Identifier: Apache-2.0 */
/* Room in the segment of mod_socache_shmcb. */
#include "httpd/resource/socache_space.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "httpd/module.h"
#include "httpd/resource/resource.h"

#define DEFAULT_SIZE (512 * 1024)
#define SUBCACHES_MAX 256

/* layout of shmcb's segment in httpd 2.4: header of the segment, of a subcache, one index entry */
#define SEGMENT_HEADER 88
#define SUBCACHE_HEADER 16
#define INDEX_SIZE 24

/* percent of a subcache: full, worth compacting with others, too full even if compact */
#define FULL 95
#define TIDY 90
#define CROWDED 85

/* entries that are rewritten at once, if those of a single subcache are fewer */
#define PART 8000

/* seconds between warnings */
#define WARN_INTERVAL 60

typedef struct fill {
    apr_uint32_t bytes, entries; /* of the log, including replaced and removed entries */
} fill;

struct na_socache_space {
    apr_size_t size;
    unsigned subcaches; /* a power of two */
    apr_uint32_t bytes_max, entries_max;
    fill fills[SUBCACHES_MAX];
    apr_uint32_t dropped, dropped_untold;
    apr_time_t told;
};

static apr_size_t segment_size(const char *argument)
{
    const char *parenthesis = strrchr(argument, '(');
    return parenthesis ? (apr_size_t)strtoul(parenthesis + 1, NULL, 10) : DEFAULT_SIZE;
}

/* The computation of mod_socache_shmcb, from the same hints. */
static void compute_layout(na_socache_space *space, apr_size_t entry_size)
{
    apr_size_t size = space->size - SEGMENT_HEADER, indexes = size / entry_size;
    space->subcaches = SUBCACHES_MAX;
    while (space->subcaches > 1 && indexes / space->subcaches < 2 * space->subcaches)
        space->subcaches /= 2;
    indexes /= space->subcaches;
    space->entries_max = (apr_uint32_t)indexes;
    space->bytes_max = (apr_uint32_t)((size / space->subcaches & ~(sizeof(unsigned long) - 1)) -
                                      SUBCACHE_HEADER - indexes * INDEX_SIZE);
}

na_error *na_socache_space_make(apr_pool_t *pool, const char *argument, apr_size_t entry_size,
                                na_socache_space **made)
{
    void *memory;
    NA_TRY(na_share(pool, sizeof **made, "what the object cache holds", &memory));
    *made = memory;
    (*made)->size = segment_size(argument);
    compute_layout(*made, entry_size);
    return NULL;
}

apr_size_t na_socache_space_entry_max(const na_socache_space *space)
{
    return space->bytes_max / 4;
}

unsigned na_socache_subcache_of(const na_socache_space *space, const unsigned char *id)
{
    return *id & (na_socache_subcaches(space) - 1);
}

unsigned na_socache_subcaches(const na_socache_space *space)
{
    return space ? space->subcaches : 1;
}

static int is_beyond(const na_socache_space *space, const fill *f, unsigned percent)
{
    return (apr_uint64_t)f->bytes * 100 > (apr_uint64_t)space->bytes_max * percent ||
           (apr_uint64_t)f->entries * 100 > (apr_uint64_t)space->entries_max * percent;
}

static int has_room(const na_socache_space *space, const fill *f, apr_size_t size)
{
    fill with = {f->bytes + (apr_uint32_t)size, f->entries + 1};
    return !is_beyond(space, &with, FULL);
}

/* ── tidying up ────────────────────────────────────────────────────────────────────────────── */

typedef struct entry {
    unsigned char id[NA_SHA256_LEN];
    unsigned char *data;
    unsigned len;
    apr_time_t expires;
    na_socache_rank rank;
    int goes;
} entry;

typedef struct tidying {
    na_socache_space *space;
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
    server_rec *server;
    const unsigned char *id; /* of the new entry */
    apr_size_t size;         /* its size, ID included */
    na_socache_rank rank;    /* and its rank */
    apr_pool_t *pool;
    apr_array_header_t *entries; /* entry, the oldest of each subcache first */
    unsigned subcache;           /* the one that is visited */
    int is_tidied;               /* 1 if its entries are rewritten */
} tidying;

/*
 * Chooses the subcache of the new entry, and some of the full ones before it: as they are visited
 * anyway, tidying them is cheap, but all of them would occupy the lock for too long.
 */
static void choose_subcache(tidying *t, unsigned subcache)
{
    if (t->subcache == subcache)
        return;
    t->subcache = subcache;
    t->is_tidied =
        subcache == na_socache_subcache_of(t->space, t->id) ||
        (t->entries->nelts < PART && is_beyond(t->space, &t->space->fills[subcache], TIDY));
}

/* Ends the visit with APR_INCOMPLETE after the subcache of the new entry. */

static apr_status_t collect_entry(ap_socache_instance_t *instance, server_rec *s, void *data,
                                  const unsigned char *id, unsigned id_len,
                                  const unsigned char *value, unsigned len, apr_pool_t *pool)
{
    tidying *t = data;
    if (id_len != NA_SHA256_LEN || len <= NA_SOCACHE_HEAD_LEN)
        return APR_SUCCESS;
    choose_subcache(t, na_socache_subcache_of(t->space, id));
    if (t->subcache > na_socache_subcache_of(t->space, t->id))
        return APR_INCOMPLETE;
    if (!t->is_tidied)
        return APR_SUCCESS;
    entry *e = apr_array_push(t->entries);
    memcpy(e->id, id, id_len);
    e->data = apr_pmemdup(t->pool, value, len);
    e->len = len;
    e->expires = na_socache_read_expiry(value);
    e->rank = na_socache_read_rank(value);
    e->goes = 0;
    return APR_SUCCESS;
}

/* Those that go first come first, and then those that expire first. */
static int compare_entries(const void *a, const void *b)
{
    const entry *left = *(entry *const *)a, *right = *(entry *const *)b;
    if (left->rank != right->rank)
        return left->rank > right->rank ? -1 : 1;
    return left->expires < right->expires ? -1 : left->expires > right->expires;
}

static int may_go(const tidying *t, const entry *e)
{
    return e->rank != NA_SOCACHE_STAYS && t->rank != NA_SOCACHE_GOES_FIRST;
}

static void count_entry(fill *f, const entry *e, int sign)
{
    f->bytes += (apr_uint32_t)sign * (apr_uint32_t)(NA_SHA256_LEN + e->len);
    f->entries += (apr_uint32_t)sign;
}

static int is_replaced(const tidying *t, const entry *e)
{
    return memcmp(e->id, t->id, NA_SHA256_LEN) == 0;
}

/*
 * Chooses the entries to remove from a subcache, so that the rest and the new entry leave room for
 * more: the one that is replaced, then those of the lowest rank, then those that expire first,
 * unless they must not be dropped, such as the revocation of a session. Returns 0 if that does not
 * make room.
 */
static int make_room(const tidying *t, entry *entries, int count, fill *live)
{
    entry **order = apr_palloc(t->pool, (apr_size_t)count * sizeof *order);
    int is_coming =
        na_socache_subcache_of(t->space, t->id) == na_socache_subcache_of(t->space, entries->id);
    fill all = is_coming ? (fill){(apr_uint32_t)t->size, 1} : (fill){0};
    for (int i = 0; i < count; i++) {
        order[i] = &entries[i];
        entries[i].goes = is_replaced(t, &entries[i]);
        if (!entries[i].goes)
            count_entry(&all, &entries[i], 1);
    }
    qsort(order, (size_t)count, sizeof *order, compare_entries);
    for (int i = 0; i < count && is_beyond(t->space, &all, CROWDED); i++) {
        if (order[i]->goes || !may_go(t, order[i]))
            continue;
        order[i]->goes = 1;
        count_entry(&all, order[i], -1);
    }
    *live = is_coming ? (fill){all.bytes - (apr_uint32_t)t->size, all.entries - 1} : all;
    return !is_beyond(t->space, &all, FULL);
}

/* If the new entry does not fit anyway, nothing is dropped for it. */
static void keep_all(entry *entries, int count, fill *live)
{
    *live = (fill){0};
    for (int i = 0; i < count; i++) {
        entries[i].goes = 0;
        count_entry(live, &entries[i], 1);
    }
}

static void remove_entry(tidying *t, const entry *e)
{
    t->provider->remove(t->instance, t->server, e->id, NA_SHA256_LEN, t->pool);
    if (is_replaced(t, e))
        return;
    t->space->dropped++;
    t->space->dropped_untold++;
}

/* Moves each entry to the end of the log, so that holes move to its start and are freed. */
static void rewrite_subcache(tidying *t, entry *entries, int count)
{
    fill *live = &t->space->fills[na_socache_subcache_of(t->space, entries->id)];
    if (!make_room(t, entries, count, live))
        keep_all(entries, count, live);
    for (int i = 0; i < count; i++)
        if (entries[i].goes)
            remove_entry(t, &entries[i]);
    for (int i = 0; i < count; i++)
        if (!entries[i].goes)
            t->provider->store(t->instance, t->server, entries[i].id, NA_SHA256_LEN,
                               entries[i].expires, entries[i].data, entries[i].len, t->pool);
}

static void warn_of_drops(na_socache_space *space, server_rec *s)
{
    apr_time_t now = apr_time_now();
    if (!space->dropped_untold || now - space->told < apr_time_from_sec(WARN_INTERVAL))
        return;
    na_log_server(s, NA_LOG_WARNING, "SESSION_STORE_FULL",
                  "the session cache is full: dropped %u entries that would have expired first "
                  "(%u in total): increase NextAuthSOCache, which has %" APR_SIZE_T_FMT
                  " bytes, or use NextAuthSessionStore redis",
                  space->dropped_untold, space->dropped, space->size);
    space->told = now;
    space->dropped_untold = 0;
}

static void tidy_subcaches(tidying *t)
{
    apr_pool_create(&t->pool, t->pool);
    t->entries = apr_array_make(t->pool, 1024, sizeof(entry));
    t->provider->iterate(t->instance, t->server, t, collect_entry, t->pool);
    t->space->fills[na_socache_subcache_of(t->space, t->id)] = (fill){0}; /* if none is left */
    entry *entries = (entry *)t->entries->elts;
    for (int from = 0, to; from < t->entries->nelts; from = to) {
        unsigned subcache = na_socache_subcache_of(t->space, entries[from].id);
        for (to = from; to < t->entries->nelts; to++)
            if (na_socache_subcache_of(t->space, entries[to].id) != subcache)
                break;
        rewrite_subcache(t, &entries[from], to - from);
    }
    apr_pool_destroy(t->pool);
    warn_of_drops(t->space, t->server);
}

int na_socache_space_take(na_socache_space *space, const ap_socache_provider_t *provider,
                          ap_socache_instance_t *instance, server_rec *s, const unsigned char *id,
                          apr_size_t size, na_socache_rank rank, apr_pool_t *pool)
{
    fill *f = &space->fills[na_socache_subcache_of(space, id)];
    tidying t = {space, provider, instance, s, id, size, rank, pool, .subcache = SUBCACHES_MAX};
    if (!has_room(space, f, size))
        tidy_subcaches(&t);
    if (!has_room(space, f, size))
        return 0;
    f->bytes += (apr_uint32_t)size;
    f->entries++;
    return 1;
}

/* ── heads ─────────────────────────────────────────────────────────────────────────────────── */

void na_socache_write_head(unsigned char *to, apr_time_t expires, na_socache_rank rank)
{
    for (int i = 0; i < NA_SOCACHE_HEAD_LEN - 1; i++)
        to[i] = (unsigned char)((apr_uint64_t)expires >> (8 * i));
    to[NA_SOCACHE_HEAD_LEN - 1] = (unsigned char)rank;
}

apr_time_t na_socache_read_expiry(const unsigned char *head)
{
    apr_uint64_t expires = 0;
    for (int i = 0; i < NA_SOCACHE_HEAD_LEN - 1; i++)
        expires |= (apr_uint64_t)head[i] << (8 * i);
    return (apr_time_t)expires;
}

na_socache_rank na_socache_read_rank(const unsigned char *head)
{
    return (na_socache_rank)head[NA_SOCACHE_HEAD_LEN - 1];
}
