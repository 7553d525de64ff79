/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of answered sign-ins, shared by all child processes; survives a graceful restart. */
#include "auth/replay.h"
#include "httpd/resource/resource.h"

#define NAME "nextauth-replays-" NA_VERSION

/* set in the parent process, inherited by child processes */
static void **kept;

static na_error *prepare_replays(apr_pool_t *pconf, server_rec *s)
{
    kept = ap_retained_data_get(NAME);
    if (!kept)
        kept = ap_retained_data_create(NAME, sizeof *kept);
    return *kept ? NULL
                 : na_share(s->process->pool, na_replay_memory_size(), "answered sign-ins", kept);
}

static na_error *open_replays(apr_pool_t *pool, server_rec *s)
{
    na_process_of_child()->replays = *kept;
    return NULL;
}

const na_resource na_replays = {.prepare = prepare_replays, .open = open_replays};
