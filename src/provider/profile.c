/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "provider/provider.h"

/* The first alternative that is there and is a scalar. */
static const char *mapped(apr_pool_t *pool, const json_t *profile, const char *alternatives)
{
    if (!alternatives)
        return NULL;
    char *last, *list = apr_pstrdup(pool, alternatives);
    for (char *path = apr_strtok(list, "|", &last); path; path = apr_strtok(NULL, "|", &last)) {
        const char *value = na_json_scalar(pool, na_json_path(profile, path));
        if (value && *value)
            return value;
    }
    return NULL;
}

na_error *na_provider_user(apr_pool_t *pool, const na_provider *provider, const json_t *profile,
                           na_user *user)
{
    user->id = mapped(pool, profile, provider->profile.id);
    user->name = mapped(pool, profile, provider->profile.name);
    user->email = mapped(pool, profile, provider->profile.email);
    user->image = mapped(pool, profile, provider->profile.image);
    if (!user->id)
        return na_error_new(pool, NA_OAUTH_CALLBACK,
                            "the profile from '%s' has no id (looked for %s)", provider->id,
                            provider->profile.id);
    return NULL;
}
