/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers completed sign-ins at providers, so that each response is accepted once. */
#include "auth/replay.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/checks.h"
#include "base/crypto.h"

/* The hash of an entry selects its set. The lowest bits of an entry are the second of its creation,
 * all others are of the hash. 0 is a free place. */
#define SET_SIZE 8
#define SETS (NA_REPLAY_ENTRIES / SET_SIZE)
#define SECONDS_MASK 0xfffffU

struct na_replay_memory {
    apr_uint64_t entries[NA_REPLAY_ENTRIES];
};

apr_size_t na_replay_memory_size(void)
{
    return sizeof(na_replay_memory);
}

static apr_uint64_t *set_of(na_replay_memory *memory, apr_uint64_t hash)
{
    return &memory->entries[(hash & SECONDS_MASK) % SETS * SET_SIZE];
}

static int is_same(apr_uint64_t entry, apr_uint64_t hash)
{
    return entry && (entry & ~(apr_uint64_t)SECONDS_MASK) == (hash & ~(apr_uint64_t)SECONDS_MASK);
}

static apr_uint32_t age_of(apr_uint64_t entry, apr_uint32_t now)
{
    return (now - (apr_uint32_t)entry) & SECONDS_MASK;
}

static int count_of(const apr_uint64_t *set, apr_uint64_t hash, apr_uint32_t now)
{
    int count = 0;
    for (int i = 0; i < SET_SIZE; i++) {
        apr_uint64_t entry = __atomic_load_n(&set[i], __ATOMIC_ACQUIRE);
        count += is_same(entry, hash) && age_of(entry, now) <= NA_CHECKS_MAX_AGE;
    }
    return count;
}

/* Returns a free place, else the oldest. */
static apr_uint64_t *place_in(apr_uint64_t *set, apr_uint32_t now, apr_uint64_t *before)
{
    apr_uint64_t *oldest = set;
    *before = __atomic_load_n(set, __ATOMIC_ACQUIRE);
    for (int i = 1; i < SET_SIZE && *before; i++) {
        apr_uint64_t entry = __atomic_load_n(&set[i], __ATOMIC_ACQUIRE);
        if (!entry || age_of(entry, now) > age_of(*before, now)) {
            oldest = &set[i];
            *before = entry;
        }
    }
    return oldest;
}

int na_replay_memory_take(na_replay_memory *memory, const char *id, apr_time_t now)
{
    apr_uint32_t second = (apr_uint32_t)apr_time_sec(now);
    apr_uint64_t hash = na_sha256_word(id), before, *set = set_of(memory, hash), *place;
    apr_uint64_t entry = (hash & ~(apr_uint64_t)SECONDS_MASK) | (second & SECONDS_MASK);
    do {
        if (count_of(set, hash, second))
            return 0;
        place = place_in(set, second, &before);
    } while (
        !__atomic_compare_exchange_n(place, &before, entry, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return count_of(set, hash, second) == 1; /* if two arrive at once, neither is accepted */
}

static void forget_entry(na_replay_memory *memory, const char *id)
{
    apr_uint64_t hash = na_sha256_word(id), *set = set_of(memory, hash);
    for (int i = 0; i < SET_SIZE; i++) {
        apr_uint64_t entry = __atomic_load_n(&set[i], __ATOMIC_ACQUIRE);
        if (is_same(entry, hash))
            __atomic_compare_exchange_n(&set[i], &entry, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
}

/* ── in the store ──────────────────────────────────────────────────────────────────────────── */

#define TAKEN ((na_bytes){(unsigned char *)"1", 1})
#define GIVEN_BACK ((na_bytes){(unsigned char *)"0", 1})

/* The state or verifier is unique: 256 random bits, ours or of the application's Auth.js. */
static const char *id_of(const na_request *request, const na_checks *checks)
{
    return apr_pstrcat(request->pool, request->config->base_url, " ", request->provider->id, " ",
                       checks->state ? checks->state : checks->code_verifier, NULL);
}

static const na_registry *store_of(const na_request *request, const char *id, na_store_key *key)
{
    const na_registry *registry = request->sessions->registry;
    if (registry)
        na_store_key_make(key, "sign-in",
                          apr_pstrcat(request->pool, registry->namespaces[0], " ", id, NULL));
    return registry;
}

/* If the store is down, only the memory decides, so that users can still sign in. */
static int was_stored(na_request *request, const char *id)
{
    na_store_key key;
    const na_registry *registry = store_of(request, id, &key);
    apr_time_t expires = request->now + apr_time_from_sec(NA_CHECKS_MAX_AGE);
    int swapped = 0;
    if (!registry ||
        na_store_swap(registry->stores[0], request->pool, &key, (na_bytes){0}, TAKEN, expires,
                      &swapped) ||
        swapped)
        return 0;
    return !na_store_swap(registry->stores[0], request->pool, &key, GIVEN_BACK, TAKEN, expires,
                          &swapped) &&
           !swapped;
}

na_error *na_replay_take(na_request *request, const na_checks *checks)
{
    const char *id = id_of(request, checks);
    if (!na_replay_memory_take(request->process->replays, id, request->now) ||
        was_stored(request, id))
        return na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                            "this sign-in has already been answered: its cookies were used again");
    return NULL;
}

void na_replay_give_back(na_request *request, const na_checks *checks)
{
    na_store_key key;
    const char *id = id_of(request, checks);
    const na_registry *registry = store_of(request, id, &key);
    int swapped;
    forget_entry(request->process->replays, id);
    if (registry)
        na_store_swap(registry->stores[0], request->pool, &key, TAKEN, GIVEN_BACK,
                      request->now + apr_time_from_sec(NA_CHECKS_MAX_AGE), &swapped);
}
