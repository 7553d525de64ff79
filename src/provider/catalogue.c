/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in providers. */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "provider/provider.h"

/* conf/providers.json, which the build converts to a string literal. */
static const char catalogue_json[] =
#include "providers_json.h"
    ;

static na_error *load_catalogue(apr_pool_t *pool, json_t **catalogue)
{
    return na_json_parse(pool, NA_ERR_CONFIGURATION, catalogue_json, strlen(catalogue_json),
                         catalogue);
}

na_error *na_provider_from_catalogue(apr_pool_t *pool, const char *id, na_provider **provider)
{
    json_t *catalogue, *value;
    const char *option;
    *provider = NULL;
    NA_TRY(load_catalogue(pool, &catalogue));
    json_t *entry = json_object_get(catalogue, id);
    if (!entry)
        return NULL;
    NA_TRY(na_provider_new(pool, id, na_json_string(entry, "type"), provider));
    json_object_foreach(entry, option, value)
        NA_TRY(na_provider_set(pool, *provider, option, json_string_value(value)));
    return NULL;
}

const char *na_provider_catalogue_ids(apr_pool_t *pool)
{
    json_t *catalogue, *entry;
    const char *id, *ids = "";
    if (load_catalogue(pool, &catalogue))
        return ids;
    json_object_foreach(catalogue, id, entry) ids =
        apr_pstrcat(pool, ids, *ids ? ", " : "", id, NULL);
    return ids;
}
