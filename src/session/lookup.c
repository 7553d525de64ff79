/* SPDX-License-Identifier: Apache-2.0 */
/* Lookups of values in a registry's stores. */
#include "session/lookup.h"

na_registry na_registry_from(const na_registry *registry, int from)
{
    na_registry rest = *registry;
    rest.stores += from;
    rest.store_count -= from;
    if (from)
        rest.observer = NULL; /* reported only once */
    return rest;
}

na_error *na_look_up(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                     int count, na_found *values)
{
    na_bytes *got = apr_pcalloc(pool, (apr_size_t)count * sizeof *got);
    NA_TRY(na_store_get(registry->stores[0], pool, keys, count, got));
    for (int i = 0; i < count; i++)
        values[i] = (na_found){got[i], got[i].data != NULL};
    for (int store = 1; store < registry->store_count; store++)
        for (int i = 0; i < count; i++)
            if (!values[i].value.data)
                NA_TRY(na_store_get(registry->stores[store], pool, &keys[i], 1, &values[i].value));
    return NULL;
}

na_bytes na_found_in_first(const na_found *was)
{
    return was->in_first ? was->value : (na_bytes){0};
}
