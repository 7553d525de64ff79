/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/replay.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "auth/checks.h"
#include "tap.h"

#define START apr_time_from_sec(1800000000)
#define THREADS 8
#define ROUNDS 2000

static na_replay_memory *memory;
static volatile apr_uint32_t taken;

static na_replay_memory *fresh(apr_pool_t *pool)
{
    return apr_pcalloc(pool, na_replay_memory_size());
}

static void once(apr_pool_t *pool)
{
    na_replay_memory *own = fresh(pool);
    apr_interval_time_t age = apr_time_from_sec(NA_CHECKS_MAX_AGE);
    ok(na_replay_memory_take(own, "one", START), "an answer is taken");
    ok(!na_replay_memory_take(own, "one", START), "and not again");
    ok(na_replay_memory_take(own, "two", START), "another is");
    ok(!na_replay_memory_take(own, "one", START + age), "as long as its cookies are valid");
    ok(na_replay_memory_take(own, "one", START + age + apr_time_from_sec(1)), "but no longer");
}

static void many(apr_pool_t *pool)
{
    na_replay_memory *own = fresh(pool);
    int again = 0, first = 0;
    for (int i = 0; i < NA_REPLAY_ENTRIES / 8; i++)
        first += na_replay_memory_take(own, apr_psprintf(pool, "%d", i), START);
    for (int i = 0; i < NA_REPLAY_ENTRIES / 8; i++)
        again += na_replay_memory_take(own, apr_psprintf(pool, "%d", i), START);
    is_number(first, NA_REPLAY_ENTRIES / 8, "all are taken");
    is_number(again, 0, "and none again");
    for (int i = 0; i < 4 * NA_REPLAY_ENTRIES; i++)
        first += na_replay_memory_take(own, apr_psprintf(pool, "more %d", i), START);
    is_number(first, NA_REPLAY_ENTRIES / 8 + 4 * NA_REPLAY_ENTRIES,
              "more than it holds are taken, too");
}

static void *APR_THREAD_FUNC take(apr_thread_t *thread, void *data)
{
    char id[32];
    for (int i = 0; i < ROUNDS; i++) {
        apr_snprintf(id, sizeof id, "%d", i);
        if (na_replay_memory_take(memory, id, START))
            apr_atomic_inc32(&taken);
    }
    return NULL;
}

static void at_once(apr_pool_t *pool)
{
    apr_thread_t *threads[THREADS];
    apr_status_t status;
    memory = fresh(pool);
    for (int i = 0; i < THREADS; i++)
        apr_thread_create(&threads[i], NULL, take, NULL, pool);
    for (int i = 0; i < THREADS; i++)
        apr_thread_join(&status, threads[i]);
    ok(taken <= ROUNDS, "of eight at once, one is taken at most");
    ok(taken > ROUNDS / 2, "  and mostly one");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    once(pool);
    many(pool);
    at_once(pool);
    return tap_done();
}
