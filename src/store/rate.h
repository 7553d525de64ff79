/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits: how often something happened lately, in stores. */
#ifndef NA_STORE_RATE_H
#define NA_STORE_RATE_H

#include <apr_global_mutex.h>

#include "store/store.h"

/*
 * Limits how often something is done: at most `most` times within any `seconds`. Time is divided
 * into parts of an eighth of `seconds`; the count of a part is forgotten once all of the part is
 * older than `seconds`. The limit is therefore never exceeded, and an attempt is forgotten after
 * `seconds` and an eighth of them at the latest.
 */
#define NA_RATE_PARTS 8
#define NA_RATE_MAX 10000
#define NA_RATE_SECONDS_MAX (7L * 24 * 3600)

typedef struct na_rate {
    int most;
    long seconds;
    /*
     * longest pause between attempts, in seconds: after NA_RATE_FREE failures in a row the next
     * attempt has to wait 1 second, then 2, 4, 8, …; 0 if it does not wait
     */
    long delay;
} na_rate;

#define NA_RATE_FREE 3

/* The state of a key, all zero if nothing was counted. */
typedef struct na_rate_state {
    apr_uint64_t newest;                    /* number of the newest part since 1970 */
    apr_uint16_t counts[NA_RATE_PARTS + 1]; /* newest part first */
    apr_uint16_t streak;                    /* attempts in a row */
    apr_uint32_t last;                      /* second of the last attempt */
    apr_uint32_t refused;                   /* second of the last first refusal */
} na_rate_state;

/* Bytes of a state in a store. */
#define NA_RATE_STATE_LEN 36

typedef struct na_rate_answer {
    int allowed;
    long wait;         /* seconds until another attempt can be allowed, if not allowed */
    int is_first;      /* the first refusal within `seconds`, because `most` is reached */
    apr_uint64_t part; /* where the attempt was counted, if allowed */
    int in_store;      /* 1 if counted in the store, to be given back there */
} na_rate_answer;

/* Counts an attempt if it is allowed. Returns 1 if the state was changed. */
int na_rate_state_take(na_rate_state *state, const na_rate *rate, apr_time_t now,
                       na_rate_answer *answer);

/* Undoes an attempt, unless it was forgotten meanwhile. Returns 1 if the state was changed. */
int na_rate_state_give_back(na_rate_state *state, apr_uint64_t part);

/* Keys are keyed hashes, so that no names are stored. */
#define NA_RATE_KEY_LEN NA_SHA256_LEN

/*
 * A table in memory that processes share: NA_RATE_TABLE_SIZE bytes, all zero at first. If too many
 * keys are counted at once, those with the lowest counts are dropped.
 */
typedef struct na_rate_table {
    void *memory;
    apr_global_mutex_t *mutex;
} na_rate_table;

#define NA_RATE_TABLE_SIZE (2 * 1024 * 1024)

/* The counters of a process. */
typedef struct na_rates {
    const na_store *store; /* NULL if no store is shared with other servers */
    const na_rate_table *table;
    /*
     * called if the store fails and the table is used, and with NULL if it works again; NULL if
     * none
     */
    void (*changed)(void *data, const na_error *error);
    void *data;
} na_rates;

/*
 * Counts an attempt if it is allowed: in the store, or in the table if there is no store or it
 * fails. If concurrent changes of the key prevent a decision, the attempt is not allowed.
 */
void na_rate_take(const na_rates *rates, apr_pool_t *pool, const unsigned char *key,
                  const na_rate *rate, apr_time_t now, na_rate_answer *answer);

/* Undoes an attempt that was allowed. */
void na_rate_give_back(const na_rates *rates, apr_pool_t *pool, const unsigned char *key,
                       const na_rate *rate, const na_rate_answer *answer);

/* Forgets a key, in the store and in the table. */
na_error *na_rate_forget(const na_rates *rates, apr_pool_t *pool, const unsigned char *key);

#endif
