/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/json.h"
#include "base/text.h"
#include "provider/catalogue.h"

static const char *const site[][2] = {{"clientId", "client"},
                                      {"clientSecret", "a secret of 32 bytes or more ..."},
                                      {"issuer", "https://id.example.org/"},
                                      {"tenant", "acme"}};

/* A provider that is complete has filled, valid URLs, and a user of it is whole. */
static void try_entry(const na_catalogue *catalogue, const char *id, const json_t *profile)
{
    na_provider *provider;
    na_user user;
    if (na_provider_from_catalogue(fuzz_pool, catalogue, id, &provider) || !provider)
        return;
    for (size_t i = 0; i < sizeof site / sizeof *site; i++)
        na_provider_set(fuzz_pool, provider, site[i][0], site[i][1]);
    if (na_provider_finish(fuzz_pool, provider, 0) || provider->type > NA_OAUTH)
        return;
    if (strlen(provider->color) != 7 || na_provider_mentions(provider, "{clientId}") ||
        (provider->token_url && strncmp(provider->token_url, "https://", 8) != 0) ||
        (provider->photo_url && strncmp(provider->photo_url, "https://", 8) != 0))
        abort();
    if (!na_provider_user(fuzz_pool, provider, provider->any_tenant, profile, &user) &&
        (!user.id || !*user.id || (user.name && !*user.name) || (user.email && !*user.email)))
        abort();
}

/* A file of providers, and their user's profile at once: the paths in it can name its members. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = fuzz_text(data, size);
    na_catalogue *catalogue;
    na_catalogue_entry described;
    json_t *json;
    na_catalogue_load(fuzz_pool, &catalogue);
    na_error *error = na_catalogue_add(fuzz_pool, catalogue, text);
    if (error) {
        if (!*na_error_text(fuzz_pool, error))
            abort();
        return 0;
    }
    if (na_json_parse(fuzz_pool, NA_ERR_CONFIGURATION, text, strlen(text), &json))
        abort();
    const char *id;
    json_t *entry;
    json_object_foreach(json, id, entry)
    {
        if (na_catalogue_describe(fuzz_pool, catalogue, id, &described))
            abort();
        try_entry(catalogue, id, json);
    }
    return 0;
}
