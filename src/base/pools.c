/* SPDX-License-Identifier: Apache-2.0 */
/* Pools that threads can use. */
#include "base/pools.h"

#include <apr_allocator.h>
#include <apr_thread_mutex.h>

static apr_status_t create_apart(apr_pool_t *parent, apr_pool_t **pool)
{
    apr_allocator_t *allocator;
    apr_thread_mutex_t *lock;
    apr_status_t status = apr_allocator_create(&allocator);
    if (status != APR_SUCCESS)
        return status;
    status = apr_pool_create_ex(pool, parent, NULL, allocator);
    if (status != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return status;
    }
    apr_allocator_owner_set(allocator, *pool);
    status = apr_thread_mutex_create(&lock, APR_THREAD_MUTEX_DEFAULT, *pool);
    if (status == APR_SUCCESS)
        apr_allocator_mutex_set(allocator, lock);
    return status;
}

na_error *na_pool_create_apart(apr_pool_t *parent, apr_pool_t **pool)
{
    return create_apart(parent, pool) == APR_SUCCESS
               ? NULL
               : na_error_new(parent, NA_ERR_CONFIGURATION, "could not create a memory pool");
}
