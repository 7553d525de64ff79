/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's profile, read as a user. */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "provider/provider.h"

/* Returns the first alternative that exists and is a scalar. */
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

/* Some providers send booleans as text. */
static int is_true(const json_t *profile, const char *claim)
{
    const json_t *member = json_object_get(profile, claim);
    const char *text = json_string_value(member);
    return json_is_true(member) || (text && strcmp(text, "true") == 0);
}

/* Some tokens of Entra ID have a number here. */
static int owns_domain(const json_t *profile)
{
    const json_t *member = json_object_get(profile, "xms_edov");
    const char *text = json_string_value(member);
    return is_true(profile, "xms_edov") || (text && strcmp(text, "1") == 0) ||
           (json_is_integer(member) && json_integer_value(member) == 1);
}

/* Claims refer to the member `email` only, whatever an option maps. */
static int is_claimed(const json_t *profile, const char *email)
{
    const char *member = na_json_string(profile, "email");
    return member && strcmp(member, email) == 0;
}

/*
 * In Entra ID, an organization's administrators can assign any email address to its users; xms_edov
 * states that the organization owns the address's domain.
 */
static int vouches_for(const na_provider *provider, int any_tenant, const json_t *profile,
                       const char *email)
{
    if (any_tenant)
        return owns_domain(profile) && is_claimed(profile, email);
    return provider->email_verified == NA_VOUCHES_ALWAYS ||
           (provider->email_verified == NA_VOUCHES_BY_CLAIM && is_true(profile, "email_verified") &&
            is_claimed(profile, email));
}

na_error *na_provider_user(apr_pool_t *pool, const na_provider *provider, int any_tenant,
                           const json_t *profile, na_user *user)
{
    user->id = mapped(pool, profile, provider->profile.id);
    user->name = mapped(pool, profile, provider->profile.name);
    user->email = mapped(pool, profile, provider->profile.email);
    if (user->email && !provider->allow_unverified_email &&
        !vouches_for(provider, any_tenant, profile, user->email))
        user->email = NULL;
    user->image = mapped(pool, profile, provider->profile.image);
    if (!user->id)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK,
                            "the profile from '%s' has no user ID (member %s)", provider->id,
                            provider->profile.id);
    return NULL;
}
