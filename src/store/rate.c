/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits: how often something happened lately, in stores. */
#include "store/rate.h"

#include <string.h>

#define KIND "rate"

/* A swap fails only if a concurrent one succeeded; few can succeed before the limit is reached. */
#define TRIES 64

/* ── states ────────────────────────────────────────────────────────────────────────────────── */

static apr_uint64_t width_of(const na_rate *rate)
{
    return (apr_uint64_t)rate->seconds * 1000 / NA_RATE_PARTS;
}

/* Largest difference between the clocks of servers, in milliseconds. */
#define SKEW_MAX (24 * 3600 * 1000)

/*
 * An earlier time counts as the newest one, because the clocks of servers differ. If it is earlier
 * by more than a day, a clock was corrected: attempts then count from the corrected time on.
 */
static void advance(na_rate_state *state, apr_uint64_t part, apr_uint64_t width)
{
    apr_uint64_t by = part > state->newest ? part - state->newest : 0;
    if (state->newest > part + NA_RATE_PARTS + SKEW_MAX / width) {
        state->newest = part;
        state->refused = 0;
    }
    if (!by)
        return;
    int kept = by > NA_RATE_PARTS ? 0 : NA_RATE_PARTS + 1 - (int)by;
    if (kept)
        memmove(state->counts + by, state->counts, (size_t)kept * sizeof *state->counts);
    memset(state->counts, 0, (size_t)(NA_RATE_PARTS + 1 - kept) * sizeof *state->counts);
    state->newest = part;
}

static long sum_of(const na_rate_state *state)
{
    long sum = 0;
    for (int i = 0; i <= NA_RATE_PARTS; i++)
        sum += state->counts[i];
    return sum;
}

/* Returns the seconds until the oldest part with attempts is forgotten. */
static long wait_for_place(const na_rate_state *state, const na_rate *rate, apr_time_t now)
{
    int oldest = NA_RATE_PARTS;
    while (oldest && !state->counts[oldest])
        oldest--;
    apr_uint64_t at = (state->newest - (apr_uint64_t)oldest + NA_RATE_PARTS + 1) * width_of(rate);
    apr_int64_t ms = (apr_int64_t)at - (apr_int64_t)apr_time_as_msec(now);
    long longest = rate->seconds + rate->seconds / NA_RATE_PARTS + 1;
    long wait = ms > 0 ? (long)(ms / 1000) + 1 : 1;
    return wait < longest ? wait : longest;
}

static long pause_after(const na_rate_state *state, const na_rate *rate)
{
    int over = state->streak - NA_RATE_FREE;
    if (!rate->delay || over < 0)
        return 0;
    long pause = over < 20 ? 1L << over : rate->delay;
    return pause < rate->delay ? pause : rate->delay;
}

static int refuse(na_rate_state *state, const na_rate *rate, apr_time_t now, na_rate_answer *answer)
{
    apr_uint32_t second = (apr_uint32_t)apr_time_sec(now);
    answer->wait = wait_for_place(state, rate, now);
    answer->is_first = !state->refused || second >= state->refused + (apr_uint32_t)rate->seconds;
    if (answer->is_first)
        state->refused = second;
    return answer->is_first;
}

int na_rate_state_take(na_rate_state *state, const na_rate *rate, apr_time_t now,
                       na_rate_answer *answer)
{
    apr_int64_t second = apr_time_sec(now);
    *answer = (na_rate_answer){0};
    advance(state, (apr_uint64_t)apr_time_as_msec(now) / width_of(rate), width_of(rate));
    long sum = sum_of(state);
    if (sum >= rate->most)
        return refuse(state, rate, now, answer);
    if (!sum)
        state->streak = 0;
    long pause = pause_after(state, rate);
    apr_int64_t wait = (apr_int64_t)state->last + pause - second;
    if (pause && wait > 0) {
        answer->wait = wait < pause ? (long)wait : pause;
        return 0;
    }
    state->counts[0]++;
    state->streak += state->streak < 1000;
    state->last = (apr_uint32_t)second;
    answer->allowed = 1;
    answer->part = state->newest;
    return 1;
}

int na_rate_state_give_back(na_rate_state *state, apr_uint64_t part)
{
    apr_uint64_t age = state->newest - part;
    if (part > state->newest || age > NA_RATE_PARTS || !state->counts[age])
        return 0;
    state->counts[age]--;
    state->streak -= state->streak > 0;
    return 1;
}

static unsigned char *put_number(unsigned char *to, apr_uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(number >> (8 * i));
    return to + bytes;
}

static const unsigned char *get_number(const unsigned char *from, apr_uint64_t *number, int bytes)
{
    *number = 0;
    for (int i = 0; i < bytes; i++)
        *number |= (apr_uint64_t)from[i] << (8 * i);
    return from + bytes;
}

static void write_state(const na_rate_state *state, unsigned char *to)
{
    to = put_number(to, state->newest, 8);
    for (int i = 0; i <= NA_RATE_PARTS; i++)
        to = put_number(to, state->counts[i], 2);
    to = put_number(to, state->streak, 2);
    to = put_number(to, state->last, 4);
    put_number(to, state->refused, 4);
}

/* A value of another length is invalid and counts as no state. */
static void read_state(na_bytes value, na_rate_state *state)
{
    apr_uint64_t number;
    *state = (na_rate_state){0};
    if (value.len != NA_RATE_STATE_LEN)
        return;
    const unsigned char *from = get_number(value.data, &state->newest, 8);
    for (int i = 0; i <= NA_RATE_PARTS; i++) {
        from = get_number(from, &number, 2);
        state->counts[i] = (apr_uint16_t)number;
    }
    from = get_number(from, &number, 2);
    state->streak = (apr_uint16_t)number;
    from = get_number(from, &number, 4);
    state->last = (apr_uint32_t)number;
    get_number(from, &number, 4);
    state->refused = (apr_uint32_t)number;
}

/* Returns when a state can be deleted because none of its attempts count anymore. */
static apr_time_t end_of(const na_rate *rate, apr_time_t now)
{
    return now + apr_time_from_sec(rate->seconds + rate->seconds / NA_RATE_PARTS + 2);
}

/* ── the table ─────────────────────────────────────────────────────────────────────────────── */

#define TABLE_KEY_LEN 16
#define WAYS 8

typedef struct place {
    unsigned char key[TABLE_KEY_LEN];
    apr_uint32_t end; /* second; 0 if free */
    na_rate_state state;
} place;

#define SETS (NA_RATE_TABLE_SIZE / (WAYS * sizeof(place)))

static place *set_of(const na_rate_table *table, const unsigned char *key)
{
    apr_uint64_t number;
    get_number(key + TABLE_KEY_LEN, &number, 8);
    return (place *)table->memory + (number % SETS) * WAYS;
}

/* Expired entries are replaced first, then those with the lowest counts. */
static long worth(const place *p, apr_uint32_t second)
{
    return p->end <= second ? -1 : sum_of(&p->state);
}

/* Returns the key's place; if it has none, clears the least valuable one for it. */
static place *find_place(const na_rate_table *table, const unsigned char *key, apr_time_t now)
{
    place *set = set_of(table, key), *least = set;
    apr_uint32_t second = (apr_uint32_t)apr_time_sec(now);
    for (int i = 0; i < WAYS; i++) {
        if (set[i].end > second && memcmp(set[i].key, key, TABLE_KEY_LEN) == 0)
            return &set[i];
        if (worth(&set[i], second) < worth(least, second))
            least = &set[i];
    }
    *least = (place){.end = 0};
    memcpy(least->key, key, TABLE_KEY_LEN);
    return least;
}

static void take_in_table(const na_rate_table *table, const unsigned char *key, const na_rate *rate,
                          apr_time_t now, na_rate_answer *answer)
{
    *answer = (na_rate_answer){.wait = 1};
    if (apr_global_mutex_lock(table->mutex) != APR_SUCCESS)
        return;
    place *p = find_place(table, key, now);
    na_rate_state_take(&p->state, rate, now, answer);
    p->end = (apr_uint32_t)apr_time_sec(end_of(rate, now));
    apr_global_mutex_unlock(table->mutex);
}

/* Undoes the attempt in `part`; forgets the key if `part` is NULL. */
static void undo_in_table(const na_rate_table *table, const unsigned char *key,
                          const apr_uint64_t *part)
{
    if (apr_global_mutex_lock(table->mutex) != APR_SUCCESS)
        return;
    place *set = set_of(table, key);
    for (int i = 0; i < WAYS; i++) {
        if (memcmp(set[i].key, key, TABLE_KEY_LEN) != 0)
            continue;
        if (part)
            na_rate_state_give_back(&set[i].state, *part);
        else
            set[i] = (place){.end = 0};
    }
    apr_global_mutex_unlock(table->mutex);
}

/* ── the store ─────────────────────────────────────────────────────────────────────────────── */

static na_store_key store_key(const unsigned char *key)
{
    na_store_key made = {.kind = KIND};
    memcpy(made.hash, key, sizeof made.hash);
    return made;
}

/* Returns 1 if a concurrent transaction prevented this one. */
static int is_conflict(const na_error *error)
{
    while (error && !na_error_is(error, NA_ERR_CONFLICT))
        error = error->cause;
    return error != NULL;
}

static na_error *swap(const na_store *store, apr_pool_t *pool, const na_store_key *key,
                      na_bytes expected, const na_rate_state *state, apr_time_t end, int *swapped)
{
    unsigned char text[NA_RATE_STATE_LEN];
    write_state(state, text);
    na_error *error =
        na_store_swap(store, pool, key, expected, (na_bytes){text, sizeof text}, end, swapped);
    *swapped = *swapped && !error;
    return is_conflict(error) ? NULL : error;
}

static na_error *take_in_store(const na_store *store, apr_pool_t *pool, const unsigned char *key,
                               const na_rate *rate, apr_time_t now, na_rate_answer *answer)
{
    const na_store_key in_store = store_key(key);
    for (int i = 0, swapped = 0; i < TRIES; i++) {
        na_bytes there;
        na_rate_state state;
        NA_TRY(na_store_get(store, pool, &in_store, 1, &there));
        read_state(there, &state);
        if (!na_rate_state_take(&state, rate, now, answer))
            return NULL;
        NA_TRY(swap(store, pool, &in_store, there, &state, end_of(rate, now), &swapped));
        answer->in_store = 1;
        if (swapped)
            return NULL;
    }
    *answer = (na_rate_answer){.wait = 1};
    return NULL;
}

static na_error *give_back_in_store(const na_store *store, apr_pool_t *pool,
                                    const unsigned char *key, const na_rate *rate,
                                    apr_uint64_t part)
{
    const na_store_key in_store = store_key(key);
    for (int i = 0, swapped = 0; i < TRIES && !swapped; i++) {
        na_bytes there;
        na_rate_state state;
        NA_TRY(na_store_get(store, pool, &in_store, 1, &there));
        read_state(there, &state);
        if (!na_rate_state_give_back(&state, part))
            return NULL;
        NA_TRY(swap(store, pool, &in_store, there, &state, end_of(rate, apr_time_now()), &swapped));
    }
    return NULL;
}

/* ── table or store ────────────────────────────────────────────────────────────────────────── */

static void report(const na_rates *rates, const na_error *error)
{
    if (rates->changed)
        rates->changed(rates->data, error);
}

void na_rate_take(const na_rates *rates, apr_pool_t *pool, const unsigned char *key,
                  const na_rate *rate, apr_time_t now, na_rate_answer *answer)
{
    if (rates->store) {
        const na_error *error = take_in_store(rates->store, pool, key, rate, now, answer);
        report(rates, error);
        if (!error)
            return;
    }
    take_in_table(rates->table, key, rate, now, answer);
}

void na_rate_give_back(const na_rates *rates, apr_pool_t *pool, const unsigned char *key,
                       const na_rate *rate, const na_rate_answer *answer)
{
    if (answer->in_store)
        report(rates, give_back_in_store(rates->store, pool, key, rate, answer->part));
    else
        undo_in_table(rates->table, key, &answer->part);
}

na_error *na_rate_forget(const na_rates *rates, apr_pool_t *pool, const unsigned char *key)
{
    const na_store_key in_store = store_key(key);
    unsigned char nothing[NA_RATE_STATE_LEN] = {0};
    undo_in_table(rates->table, key, NULL);
    return rates->store
               ? na_store_put(rates->store, pool, &in_store, (na_bytes){nothing, sizeof nothing},
                              apr_time_now() + apr_time_from_sec(2))
               : NULL;
}
