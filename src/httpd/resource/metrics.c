/* SPDX-License-Identifier: Apache-2.0 */
/* The block of metrics that child processes share. */
#include <apr_strings.h>
#include <http_main.h>

#include "httpd/resource/resource.h"

/* Survives a graceful restart, so that counters continue. Each module version has its own block. */
typedef struct retained {
    void *block;
} retained;

/* the block in use; NULL if NextAuthEngine is off everywhere */
static void *block;

static na_error *find_block(apr_pool_t *pconf, server_rec *s)
{
    const char *name =
        apr_psprintf(pconf, "nextauth-metrics-" NA_VERSION "-%" APR_SIZE_T_FMT, na_metrics_size());
    retained *kept = ap_retained_data_get(name);
    if (!kept)
        kept = ap_retained_data_create(name, sizeof *kept);
    if (!kept->block) {
        NA_TRY(na_share(s->process->pool, na_metrics_size(), "metrics", &kept->block));
        na_metrics_init(kept->block, apr_time_now());
    }
    block = kept->block;
    return NULL;
}

static void name_providers(na_metrics *metrics, const na_config *config)
{
    for (int i = 0; i < config->providers->nelts; i++)
        na_metrics_name(metrics, NA_PROVIDERS,
                        na_provider_configured_id(
                            APR_ARRAY_IDX(config->providers, i, const na_provider *)));
}

static na_error *prepare_metrics(apr_pool_t *pconf, server_rec *s)
{
    block = NULL;
    if (!na_is_any_on(s))
        return NULL;
    NA_TRY(find_block(pconf, s));
    na_metrics *metrics = na_metrics_open(pconf, block);
    for (const server_rec *each = s; each; each = each->next)
        if (na_server_conf_of(each)->config)
            name_providers(metrics, na_server_conf_of(each)->config);
    return na_metrics_watch(pconf, s);
}

static na_error *open_metrics(apr_pool_t *pool, server_rec *s)
{
    na_metrics *metrics = block ? na_metrics_open(pool, block) : NULL;
    na_metrics_claim(metrics, pool);
    na_process_of_child()->metrics = metrics;
    return NULL;
}

const na_resource na_metrics_block = {.prepare = prepare_metrics, .open = open_metrics};
