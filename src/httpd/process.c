/* SPDX-License-Identifier: Apache-2.0 */
/* Data of a child process, and memory that all processes share. */
#include <string.h>

#include <apr_shm.h>

#include "httpd/module.h"
#include "httpd/process.h"

na_process *na_process_of_child(void)
{
    static na_process process;
    return &process;
}

na_error *na_share(apr_pool_t *pool, apr_size_t size, const char *what, void **memory)
{
    apr_shm_t *shm;
    if (apr_shm_create(&shm, size, NULL, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create shared memory for %s",
                            what);
    *memory = memset(apr_shm_baseaddr_get(shm), 0, size);
    return NULL;
}

int na_is_any_on(const server_rec *s)
{
    while (s && !na_server_conf_of(s)->config)
        s = s->next;
    return s != NULL;
}
