/* SPDX-License-Identifier: Apache-2.0 */
/* The resources, in the order of their dependencies. */
#include "httpd/resource/resource.h"

static const na_resource *const resources[] = {&na_logs,    &na_metrics_block,
                                               &na_calls,   &na_provider_documents,
                                               &na_replays, &na_access_tokens,
                                               &na_audits,  &na_databases,
                                               &na_mails,   &na_delivery,
                                               &na_stores,  &na_rate_limits,
                                               &na_health};

#define EACH(each)                                                                                 \
    const na_resource *const *each = resources;                                                    \
    each < resources + sizeof resources / sizeof *resources;                                       \
    each++

void na_resources_begin(apr_pool_t *pconf)
{
    for (EACH(each))
        if ((*each)->begin)
            (*each)->begin(pconf);
}

na_error *na_resources_take(apr_pool_t *pool, server_rec *s, const na_directive **at)
{
    for (EACH(each))
        if ((*each)->take)
            NA_TRY((*each)->take(pool, s, at));
    return NULL;
}

na_error *na_resources_prepare(apr_pool_t *pconf, server_rec *s)
{
    for (EACH(each))
        if ((*each)->prepare)
            NA_TRY((*each)->prepare(pconf, s));
    return NULL;
}

na_error *na_resources_open(apr_pool_t *pool, server_rec *s)
{
    for (EACH(each))
        if ((*each)->open)
            NA_TRY((*each)->open(pool, s));
    return NULL;
}
