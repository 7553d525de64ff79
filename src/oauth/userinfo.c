/* SPDX-License-Identifier: Apache-2.0 */
/* The userinfo request. */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "oauth/api.h"
#include "oauth/groups.h"

static na_error *parse(const na_oauth *oauth, na_bytes text, json_t **json)
{
    na_error *error =
        na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK, (const char *)text.data, text.len, json);
    return error ? na_error_wrap(oauth->pool, error, NULL, "invalid userinfo response") : NULL;
}

/* Core 1.0 section 5.3.2. */
static int is_jwt(const na_http_response *response)
{
    return strncasecmp(response->content_type, "application/jwt", strlen("application/jwt")) == 0;
}

static na_error *fetch_userinfo(const na_oauth *oauth, const na_metadata *metadata,
                                const na_tokens *tokens, json_t **profile)
{
    const na_provider *provider = oauth->provider;
    const char *url = metadata->userinfo_url;
    na_http_response response;
    if (!url)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the provider has no userinfo endpoint");
    if (provider->userinfo_params)
        url = apr_pstrcat(oauth->pool, url, strchr(url, '?') ? "&" : "?", provider->userinfo_params,
                          NULL);
    const na_api_call call = {.url = url, .form = provider->userinfo_body};
    NA_TRY(na_oauth_call_api(oauth, &call, tokens, &response));
    if (provider->userinfo_alg || is_jwt(&response))
        NA_TRY(
            na_oauth_verify_userinfo(oauth, metadata, (const char *)response.body.data, profile));
    else
        NA_TRY(parse(oauth, response.body, profile));
    return json_is_object(*profile) ? NULL
                                    : na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                                   "the userinfo response is not a JSON object");
}

/* VK has the email address in the token response. Tokens are not part of a profile. */
static void add_token_response(const na_oauth *oauth, const na_tokens *tokens, json_t *profile)
{
    static const char *const secrets[] = {"access_token", "refresh_token", "id_token"};
    const na_profile_map *map = &oauth->provider->profile;
    if (!map->email || !strstr(map->email, "token."))
        return;
    json_t *copy = json_copy((json_t *)tokens->response);
    for (int i = 0; i < 3; i++)
        json_object_del(copy, secrets[i]);
    json_object_set_new(profile, "token", copy);
}

static int is_either_true(const json_t *entry, const char *name, const char *other)
{
    return json_is_true(json_object_get(entry, name)) ||
           json_is_true(json_object_get(entry, other));
}

/*
 * GitHub and Bitbucket omit a private email address from the profile and list all of them here, if
 * the scope permits it. A missing list is not a failure, because users need no email address.
 */
static void add_listed_email(const na_oauth *oauth, const na_tokens *tokens, json_t *profile)
{
    json_t *list, *found = NULL;
    na_http_response response;
    const na_api_call call = {.url = oauth->provider->emails_url};
    if (!call.url || na_json_string(profile, "email") ||
        na_oauth_call_api(oauth, &call, tokens, &response) || parse(oauth, response.body, &list))
        return;
    if (json_is_object(list))
        list = json_object_get(list, "values");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        if (!is_either_true(entry, "verified", "is_confirmed"))
            continue;
        if (!found || is_either_true(entry, "primary", "is_primary"))
            found = entry;
    }
    if (found)
        json_object_set(profile, "email", json_object_get(found, "email"));
}

/* Each claim refers to the email address in its own document, and the two can differ. */
static void keep_email_together(json_t *claims, json_t *userinfo)
{
    static const char *const vouching[] = {"email_verified", "xms_edov"};
    const char *email = na_json_string(claims, "email"), *other = na_json_string(userinfo, "email");
    for (int i = 0; i < 2; i++)
        if (!email)
            json_object_del(claims, vouching[i]);
        else if (!other || strcmp(email, other) != 0)
            json_object_del(userinfo, vouching[i]);
}

/* Core 1.0 section 5.3.2: userinfo of another sub must not be used. */
static na_error *merge_userinfo(const na_oauth *oauth, const na_metadata *metadata,
                                const na_tokens *tokens, json_t *claims)
{
    json_t *userinfo;
    NA_TRY(fetch_userinfo(oauth, metadata, tokens, &userinfo));
    const char *sub = na_json_string(userinfo, "sub");
    if (!sub || strcmp(sub, na_json_string(claims, "sub")) != 0)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the userinfo response's sub does not match the ID token");
    keep_email_together(claims, userinfo);
    json_object_update_missing(claims, userinfo);
    return NULL;
}

/* Sets what the verified ID token says of the user's session at the provider. */
static void read_session(const json_t *claims, na_tokens *tokens)
{
    json_int_t seconds;
    if (na_json_number(claims, "auth_time", &seconds))
        tokens->auth_time = seconds;
    if (na_json_number(claims, "iat", &seconds))
        tokens->issued_at = seconds;
    tokens->issuer = na_json_string(claims, "iss");
    tokens->subject = na_json_string(claims, "sub");
    tokens->session_id = na_json_string(claims, "sid");
    tokens->acr = na_json_string(claims, "acr");
}

na_error *na_oauth_profile(const na_oauth *oauth, const na_metadata *metadata, na_tokens *tokens,
                           const na_checks *checks, json_t **profile)
{
    na_profile_source source = oauth->provider->profile_source;
    tokens->auth_time = tokens->issued_at = 0;
    tokens->issuer = tokens->subject = tokens->session_id = tokens->acr = NULL;
    if (oauth->provider->type == NA_OAUTH) {
        NA_TRY(fetch_userinfo(oauth, metadata, tokens, profile));
        add_listed_email(oauth, tokens, *profile);
        add_token_response(oauth, tokens, *profile);
        return na_oauth_add_groups(oauth, tokens, *profile);
    }
    NA_TRY(na_oauth_verify_id_token(oauth, metadata, tokens, checks, profile));
    read_session(*profile, tokens);
    int wanted =
        source == NA_PROFILE_USERINFO ||
        (source == NA_PROFILE_AUTO && metadata->userinfo_url && !na_json_string(*profile, "email"));
    if (wanted)
        NA_TRY(merge_userinfo(oauth, metadata, tokens, *profile));
    return na_oauth_add_groups(oauth, tokens, *profile);
}
