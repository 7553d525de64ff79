/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of access tokens: proofs that were used, in all processes, and tokens that are
 * not good, in each.
 */
#include "auth/replay.h"
#include "httpd/resource/resource.h"
#include "session/verified.h"

#define NAME "nextauth-proofs-" NA_VERSION

/* set in the parent process, inherited by child processes; survives a graceful restart */
static void **kept;

static int is_any_accepted(const server_rec *s)
{
    for (; s; s = s->next) {
        const na_config *config = na_server_conf_of(s)->config;
        if (config && config->issuers->nelts)
            return 1;
    }
    return 0;
}

static na_error *prepare_tokens(apr_pool_t *pconf, server_rec *s)
{
    if (!is_any_accepted(s))
        return NULL;
    kept = ap_retained_data_get(NAME);
    if (!kept)
        kept = ap_retained_data_create(NAME, sizeof *kept);
    return *kept ? NULL
                 : na_share(s->process->pool, NA_PROOF_MEMORIES * na_replay_memory_size(),
                            "proofs of clients", kept);
}

static na_error *open_tokens(apr_pool_t *pool, server_rec *s)
{
    if (!is_any_accepted(s))
        return NULL;
    na_process_of_child()->proofs = *kept;
    return na_verified_make(pool, &na_process_of_child()->inactive_tokens);
}

const na_resource na_access_tokens = {.prepare = prepare_tokens, .open = open_tokens};
