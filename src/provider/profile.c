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

static int is_said(const json_t *profile, const char *claim, const char *value)
{
    const json_t *member = json_object_get(profile, claim);
    const char *text = json_is_boolean(member) ? (json_is_true(member) ? "true" : "false")
                                               : json_string_value(member);
    return (text && strcmp(text, value) == 0) ||
           (json_is_integer(member) && json_integer_value(member) == (*value == 't'));
}

/*
 * OpenID Connect Core 1.0 section 5.1. In Entra ID whoever runs an organization writes what he
 * likes into its users' addresses; xms_edov says that the address's domain is the organization's.
 */
static int vouches_for_email(const na_provider *provider, const json_t *profile)
{
    if (provider->allow_unverified_email)
        return 1;
    if (provider->any_tenant)
        return is_said(profile, "xms_edov", "true");
    return !is_said(profile, "email_verified", "false");
}

na_error *na_provider_user(apr_pool_t *pool, const na_provider *provider, const json_t *profile,
                           na_user *user)
{
    user->id = mapped(pool, profile, provider->profile.id);
    user->name = mapped(pool, profile, provider->profile.name);
    user->email = vouches_for_email(provider, profile)
                      ? mapped(pool, profile, provider->profile.email)
                      : NULL;
    user->image = mapped(pool, profile, provider->profile.image);
    if (!user->id)
        return na_error_new(pool, NA_OAUTH_CALLBACK,
                            "the profile from '%s' has no id (looked for %s)", provider->id,
                            provider->profile.id);
    return NULL;
}
