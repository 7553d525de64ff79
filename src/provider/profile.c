/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's profile, read as a user. */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "provider/provider.h"

static const char *scalar(apr_pool_t *pool, const json_t *profile, const char *path)
{
    const char *value = na_json_scalar(pool, na_json_path(profile, path));
    return value && *value ? value : NULL;
}

static const char *trimmed(char *text)
{
    text += strspn(text, " ");
    apr_size_t len = strlen(text);
    while (len && text[len - 1] == ' ')
        text[--len] = '\0';
    return text;
}

/*
 * Replaces the paths in braces. Of a name such as "{first} {last}", one part is enough; a URL needs
 * all of them. Returns NULL if parts are missing.
 */
static const char *composed(apr_pool_t *pool, const json_t *profile, const char *template)
{
    apr_array_header_t *parts = apr_array_make(pool, 5, sizeof(const char *));
    int found = 0, missing = 0, is_name = 1;
    while (*template) {
        apr_size_t len = strcspn(template, "{");
        is_name = is_name && strspn(template, " ") >= len;
        APR_ARRAY_PUSH(parts, const char *) = apr_pstrmemdup(pool, template, len);
        template += len;
        if (!*template)
            break;
        len = strcspn(++template, "}");
        const char *value = scalar(pool, profile, apr_pstrmemdup(pool, template, len));
        APR_ARRAY_PUSH(parts, const char *) = value ? value : "";
        found += value != NULL;
        missing += value == NULL;
        template += len + (template[len] == '}');
    }
    return found && (is_name || !missing) ? trimmed(na_join(pool, parts, "")) : NULL;
}

/* Returns the first alternative that exists and is a scalar. */
static const char *mapped(apr_pool_t *pool, const json_t *profile, const char *alternatives)
{
    if (!alternatives)
        return NULL;
    char *last, *list = apr_pstrdup(pool, alternatives);
    for (char *one = apr_strtok(list, "|", &last); one; one = apr_strtok(NULL, "|", &last)) {
        const char *value =
            strchr(one, '{') ? composed(pool, profile, one) : scalar(pool, profile, one);
        if (value)
            return value;
    }
    return NULL;
}

/* Some providers send booleans as text. */
static int is_true(const json_t *claim)
{
    const char *text = json_string_value(claim);
    return json_is_true(claim) || (text && strcmp(text, "true") == 0);
}

/* Some tokens of Entra ID, and Zoom's profile, have a number. */
static int is_true_or_one(const json_t *claim)
{
    const char *text = json_string_value(claim);
    return is_true(claim) || (text && strcmp(text, "1") == 0) ||
           (json_is_integer(claim) && json_integer_value(claim) == 1);
}

/* Claims refer to the member `email` only, whatever an option maps. */
static int is_claimed(const json_t *profile, const char *email)
{
    const char *member = na_json_string(profile, "email");
    return member && strcmp(member, email) == 0;
}

/* A claim of another name belongs to the address that the administrator mapped. */
static int is_vouched_by_claim(const na_provider *provider, const json_t *profile,
                               const char *email)
{
    if (provider->email_claim)
        return is_true_or_one(na_json_path(profile, provider->email_claim));
    return is_true(json_object_get(profile, "email_verified")) && is_claimed(profile, email);
}

/*
 * In Entra ID, an organization's administrators can assign any email address to its users; xms_edov
 * states that the organization owns the address's domain.
 */
static int vouches_for(const na_provider *provider, int any_tenant, const json_t *profile,
                       const char *email)
{
    if (any_tenant)
        return is_true_or_one(json_object_get(profile, "xms_edov")) && is_claimed(profile, email);
    return provider->email_verified == NA_VOUCHES_ALWAYS ||
           (provider->email_verified == NA_VOUCHES_BY_CLAIM &&
            is_vouched_by_claim(provider, profile, email));
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
