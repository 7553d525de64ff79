/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_shm.h>

#include "httpd/startup.h"

na_error *na_share(apr_pool_t *pool, apr_size_t size, const char *what, void **memory)
{
    apr_shm_t *shm;
    if (apr_shm_create(&shm, size, NULL, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "no shared memory for %s", what);
    *memory = memset(apr_shm_baseaddr_get(shm), 0, size);
    return NULL;
}
