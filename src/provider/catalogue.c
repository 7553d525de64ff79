/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in providers, and those of files. */
#include "provider/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"

/* conf/providers.json, which the build converts to a string literal. */
static const char catalogue_json[] =
#include "providers_json.h"
    ;

struct na_catalogue {
    json_t *built_in;
    json_t *own; /* of files */
};

/* Members of an entry that describe it and are not options. */
#define DOCUMENTATION "docs"

/* All virtual hosts share the built-in entries, which are 200 KB once parsed. */
static na_error *load_built_in(apr_pool_t *pool, json_t **entries)
{
    static const char key[] = "nextauth-catalogue";
    void *kept;
    apr_pool_userdata_get(&kept, key, pool);
    *entries = kept;
    if (kept)
        return NULL;
    NA_TRY(
        na_json_parse(pool, NA_ERR_CONFIGURATION, catalogue_json, strlen(catalogue_json), entries));
    apr_pool_userdata_setn(*entries, key, NULL, pool);
    return NULL;
}

na_error *na_catalogue_load(apr_pool_t *pool, na_catalogue **catalogue)
{
    *catalogue = apr_palloc(pool, sizeof **catalogue);
    (*catalogue)->own = na_json_own(pool, json_object());
    return load_built_in(pool, &(*catalogue)->built_in);
}

static json_t *find(const na_catalogue *catalogue, const char *id)
{
    json_t *entry = json_object_get(catalogue->own, id);
    return entry ? entry : json_object_get(catalogue->built_in, id);
}

static na_error *build(apr_pool_t *pool, const char *id, json_t *entry, na_provider **provider)
{
    const char *option, *type = na_json_string(entry, "type");
    json_t *value;
    if (!type)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "it has no type"),
                                  "set \"type\" to \"oidc\" or \"oauth\"");
    NA_TRY(na_provider_new(pool, id, type, provider));
    json_object_foreach(entry, option, value)
    {
        const char *text = json_string_value(value);
        if (strcmp(option, DOCUMENTATION) == 0)
            continue;
        if (!text)
            return na_error_with_hint(
                na_error_new(pool, NA_ERR_CONFIGURATION, "%s is not a string", option),
                "write the value in quotation marks, as in \"true\" or \"60\"");
        NA_TRY(na_provider_set(pool, *provider, option, text));
    }
    return NULL;
}

/* Secrets have sources of their own in NextAuthProvider. */
static na_error *check_no_secret(apr_pool_t *pool, const json_t *entry)
{
    static const char *const secrets[] = {"clientSecret", "clientSecretKey", "clientKey",
                                          "clientCertificateKey", "privateKey"};
    for (apr_size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (json_object_get(entry, secrets[i]))
            return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                   "%s belongs in NextAuthProvider", secrets[i]),
                                      "remove it from the file, and set it there");
    return NULL;
}

static na_error *check_entry(apr_pool_t *pool, const char *id, json_t *entry)
{
    na_provider *provider;
    if (!json_is_object(entry))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "it is not a JSON object"),
                                  "write its options as {\"type\": \"oidc\", …}");
    NA_TRY(check_no_secret(pool, entry));
    return build(pool, id, entry, &provider);
}

na_error *na_catalogue_add(apr_pool_t *pool, na_catalogue *catalogue, const char *text)
{
    json_t *entries, *entry;
    const char *id;
    NA_TRY(na_json_parse(pool, NA_ERR_CONFIGURATION, text, strlen(text), &entries));
    if (!json_is_object(entries))
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "expected a JSON object with a member for each provider");
    json_object_foreach(entries, id, entry)
    {
        na_error *error = check_entry(pool, id, entry);
        if (error)
            return na_error_wrap(pool, error, NULL, "invalid provider '%s'", id);
    }
    json_object_update(catalogue->own, entries);
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const apr_array_header_t *na_catalogue_ids(apr_pool_t *pool, const na_catalogue *catalogue)
{
    apr_array_header_t *ids = apr_array_make(pool, 128, sizeof(const char *));
    const char *id;
    json_t *entry;
    json_object_foreach(catalogue->built_in, id, entry) APR_ARRAY_PUSH(ids, const char *) = id;
    json_object_foreach(catalogue->own, id, entry) if (!json_object_get(catalogue->built_in, id))
        APR_ARRAY_PUSH(ids, const char *) = id;
    qsort(ids->elts, (size_t)ids->nelts, sizeof(const char *), by_name);
    return ids;
}

const apr_array_header_t *na_catalogue_client_ids(apr_pool_t *pool, const na_catalogue *catalogue)
{
    const apr_array_header_t *ids = na_catalogue_ids(pool, catalogue);
    apr_array_header_t *clients = apr_array_make(pool, ids->nelts, sizeof(const char *));
    for (int i = 0; i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);
        if (strcmp(na_json_string(find(catalogue, id), "type"), "email") != 0)
            APR_ARRAY_PUSH(clients, const char *) = id;
    }
    return clients;
}

/* Azure has a default tenant, and NetSuite's userinfo is a script of the customer's own. */
static const char *required_options(apr_pool_t *pool, const na_provider *p)
{
    const struct {
        const char *option;
        int is_required;
    } all[] = {{"issuer", na_provider_mentions(p, "{issuer}") ||
                              (p->type == NA_OIDC && !p->issuer && !p->well_known)},
               {"tenant",
                na_provider_mentions(p, "{tenant}") && !na_provider_mentions(p, "/{tenant}/")},
               {"primaryUserFlow", na_provider_mentions(p, "{primaryUserFlow}")},
               {"userinfo", p->type == NA_OAUTH && !p->userinfo_url}};
    apr_array_header_t *required = apr_array_make(pool, 4, sizeof(const char *));
    for (apr_size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].is_required)
            APR_ARRAY_PUSH(required, const char *) = all[i].option;
    return na_join(pool, required, ", ");
}

na_error *na_catalogue_describe(apr_pool_t *pool, const na_catalogue *catalogue, const char *id,
                                na_catalogue_entry *described)
{
    na_provider *provider;
    json_t *entry = find(catalogue, id);
    json_t *documentation = json_object_get(entry, DOCUMENTATION);
    NA_TRY(build(pool, id, entry, &provider));
    *described = (na_catalogue_entry){.id = id,
                                      .name = provider->name,
                                      .type = na_provider_type_name(provider),
                                      .requires = required_options(pool, provider),
                                      .console = na_json_string(documentation, "console"),
                                      .trap = na_json_string(documentation, "trap")};
    return NULL;
}

na_error *na_provider_from_catalogue(apr_pool_t *pool, const na_catalogue *catalogue,
                                     const char *id, na_provider **provider)
{
    json_t *entry = find(catalogue, id);
    *provider = NULL;
    return entry ? build(pool, id, entry, provider) : NULL;
}
