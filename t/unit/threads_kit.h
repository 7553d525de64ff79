/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that do one thing at once, for tests of what they share. */
#ifndef NA_T_UNIT_THREADS_KIT_H
#define NA_T_UNIT_THREADS_KIT_H

#include <apr_thread_proc.h>

#include "base/error.h"

#define THREADS 8

typedef na_error *task(apr_pool_t *pool, void *data, int *result);

typedef struct worker {
    apr_pool_t *pool;
    task *task;
    void *data;
    int result;
    na_error *error;
} worker;

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *data)
{
    worker *self = data;
    self->error = self->task(self->pool, self->data, &self->result);
    return NULL;
}

/* All at once; `pool` keeps what they give. */
static void together(apr_pool_t *pool, worker workers[THREADS], task *what, void *data)
{
    apr_status_t status;
    apr_thread_t *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.task = what, .data = data};
        apr_pool_create(&workers[i].pool, NULL);
        apr_thread_create(&threads[i], NULL, work, &workers[i], pool);
    }
    for (int i = 0; i < THREADS; i++)
        apr_thread_join(&status, threads[i]);
}

static void dismiss(worker workers[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        apr_pool_destroy(workers[i].pool);
}

#endif
