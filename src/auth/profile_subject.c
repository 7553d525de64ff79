/* SPDX-License-Identifier: Apache-2.0 */
/* The subject that a provider's profile describes. */
#include "auth/profile_subject.h"

#include "auth/checks.h"
#include "auth/report.h"
#include "base/json.h"
#include "base/text.h"
#include "mail/address.h"
#include "oauth/photo.h"

/* Most bytes of the names that are logged. */
#define SAID_MAX 200

const char *na_account_type(const na_config *config, const na_provider *provider)
{
    return config->dialect == NA_V4 && provider->type == NA_OIDC ? "oauth"
                                                                 : na_provider_type_name(provider);
}

/* Logs the names that can be mapped; the values are private. */
static void log_profile(const na_request *request, json_t *profile)
{
    const char *name;
    json_t *value;
    apr_array_header_t *names = apr_array_make(request->pool, 16, sizeof(const char *));
    apr_size_t len = 0;
    json_object_foreach(profile, name, value)
    {
        if (len > SAID_MAX)
            break;
        APR_ARRAY_PUSH(names, const char *) = name;
        len += strlen(name);
    }
    na_log(request, NA_LOG_DEBUG, "PROFILE_DATA", "the members of the profile are %s",
           na_one_line(request->pool, na_join(request->pool, names, ", "), SAID_MAX));
}

/*
 * Applications identify users by email address: proxies strip blanks, databases ignore case. An
 * address without one canonical form could belong to another user there.
 */
static void make_email_canonical(const na_request *request, const json_t *profile, na_user *user)
{
    const char *said = user->email;
    if (!said && na_json_string(profile, "email"))
        na_log(request, NA_LOG_INFO, "PROFILE_DATA",
               "the profile's email address is ignored: the provider does not vouch for it "
               "(email_verified, emailVerified=)");
    user->email = said ? na_email_canonical(request->pool, said) : NULL;
    if (said && !user->email)
        na_log(request, NA_LOG_INFO, "PROFILE_DATA",
               "the profile's email address is ignored: it is not of the form local@domain");
}

/* No sign-in fails for a photo. */
static void add_photo(const na_request *request, const na_tokens *tokens, na_user *user)
{
    const char *photo;
    na_oauth oauth;
    if (!request->provider->photo_url)
        return;
    na_oauth_of_request(request, &oauth);
    na_error *error = na_oauth_photo(&oauth, tokens, &photo);
    if (photo)
        user->image = photo;
    if (error)
        na_log_error(request, NA_LOG_WARNING, "PROFILE_DATA",
                     na_error_wrap(request->pool, error, NULL, "the user's photo is left out"));
}

na_error *na_profile_subject(na_request *request, int any_tenant, json_t *profile,
                             const na_tokens *tokens, na_subject *subject)
{
    const na_provider *provider = request->provider;
    log_profile(request, profile);
    NA_TRY(na_provider_user(request->pool, provider, any_tenant, profile, &subject->user));
    make_email_canonical(request, profile, &subject->user);
    add_photo(request, tokens, &subject->user);
    subject->profile = profile;
    subject->tokens = tokens;
    subject->account =
        na_json_own(request->pool,
                    json_pack("{s:s, s:s, s:s, s:s*}", "provider", provider->id, "type",
                              na_account_type(request->config, provider), "providerAccountId",
                              subject->user.id, "scope", tokens->scope));
    return NULL;
}
