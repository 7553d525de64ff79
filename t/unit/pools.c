/* SPDX-License-Identifier: Apache-2.0 */
/* Pools apart, which threads use at once below a parent whose allocator has no lock. */
#include "base/pools.h"

#include <string.h>

#include <apr_thread_proc.h>

#include "tap.h"

#define THREADS 8
#define TURNS 20000
#define SIZE 3000

/* Writes its mark into all it is given; counts where another thread's is found. */
typedef struct worker {
    apr_pool_t *pool;
    unsigned char mark;
    int strange;
} worker;

static void *APR_THREAD_FUNC use(apr_thread_t *thread, void *data)
{
    worker *w = data;
    apr_pool_t *turn;
    apr_pool_create(&turn, w->pool);
    for (int i = 0; i < TURNS; i++) {
        unsigned char *first = apr_palloc(turn, SIZE), *second = apr_palloc(turn, SIZE);
        memset(first, w->mark, SIZE);
        memset(second, w->mark, SIZE);
        w->strange += first[SIZE / 2] != w->mark || first[SIZE - 1] != w->mark;
        if (i % 3 == 0)
            apr_pool_clear(turn);
    }
    return NULL;
}

int main(void)
{
    tap_start();
    apr_allocator_t *allocator;
    apr_pool_t *child; /* as httpd makes that of a child process */
    worker workers[THREADS];
    apr_thread_t *threads[THREADS];
    apr_status_t status;
    int strange = 0;
    apr_allocator_create(&allocator);
    apr_pool_create_ex(&child, NULL, NULL, allocator);
    apr_allocator_owner_set(allocator, child);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.mark = (unsigned char)(i + 1)};
        succeeds(na_pool_create_apart(child, &workers[i].pool), "a pool apart");
    }
    for (int i = 0; i < THREADS; i++)
        apr_thread_create(&threads[i], NULL, use, &workers[i], child);
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&status, threads[i]);
        strange += workers[i].strange;
    }
    is_number(strange, 0, "threads that use pools at once never get the same memory");
    apr_pool_destroy(child);
    return tap_done();
}
