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

/* *status is that of the response, 0 if there is none. */
static na_error *fetch_userinfo(const na_oauth *oauth, const na_metadata *metadata,
                                const na_tokens *tokens, json_t **profile, long *status)
{
    const na_provider *provider = oauth->provider;
    const char *url = metadata->userinfo_url;
    na_http_response response = {.status = 0};
    *status = 0;
    if (!url)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the provider has no userinfo endpoint");
    if (provider->userinfo_params)
        url = apr_pstrcat(oauth->pool, url, strchr(url, '?') ? "&" : "?", provider->userinfo_params,
                          NULL);
    const na_api_call call = {.url = url, .form = provider->userinfo_body};
    na_error *error = na_oauth_call_api(oauth, &call, tokens, &response);
    *status = response.status;
    NA_TRY(error);
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

/* Claims that vouch for the email address beside them. */
static const char *const vouching[] = {"email_verified", "xms_edov"};

/* Each claim refers to the email address in its own document, and the two can differ. */
static void keep_email_together(json_t *claims, json_t *userinfo)
{
    const char *email = na_json_string(claims, "email"), *other = na_json_string(userinfo, "email");
    for (int i = 0; i < 2; i++)
        if (!email)
            json_object_del(claims, vouching[i]);
        else if (!other || strcmp(email, other) != 0)
            json_object_del(userinfo, vouching[i]);
}

/* Core 1.0 section 5.3.2: userinfo of another sub must not be used. */
static na_error *check_sub(const na_oauth *oauth, const json_t *userinfo, const char *expected)
{
    const char *sub = na_json_string(userinfo, "sub");
    return sub && expected && strcmp(sub, expected) == 0
               ? NULL
               : na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                              "the userinfo response's sub does not match the ID token");
}

/* A claim that userinfo said once counts from userinfo alone: if it is gone there, it is gone. */
static void leave_to_userinfo(json_t *id_claims, const json_t *userinfo)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)userinfo, name, value)
        json_object_set_new(id_claims, name, json_null());
}

static na_error *merge_userinfo(const na_oauth *oauth, const na_metadata *metadata,
                                const na_tokens *tokens, json_t *claims)
{
    json_t *userinfo;
    long status;
    NA_TRY(fetch_userinfo(oauth, metadata, tokens, &userinfo, &status));
    NA_TRY(check_sub(oauth, userinfo, na_json_string(claims, "sub")));
    if (tokens->id_claims)
        leave_to_userinfo((json_t *)tokens->id_claims, userinfo);
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
    tokens->id_claims = NULL;
    if (oauth->provider->type == NA_OAUTH) {
        long status;
        NA_TRY(fetch_userinfo(oauth, metadata, tokens, profile, &status));
        add_listed_email(oauth, tokens, *profile);
        add_token_response(oauth, tokens, *profile);
        return na_oauth_add_groups(oauth, tokens, *profile);
    }
    NA_TRY(na_oauth_verify_id_token(oauth, metadata, tokens, checks, profile));
    read_session(*profile, tokens);
    if (oauth->keeps_claims)
        tokens->id_claims = na_json_own(oauth->pool, json_copy(*profile));
    int wanted =
        source == NA_PROFILE_USERINFO ||
        (source == NA_PROFILE_AUTO && metadata->userinfo_url && !na_json_string(*profile, "email"));
    if (wanted)
        NA_TRY(merge_userinfo(oauth, metadata, tokens, *profile));
    return na_oauth_add_groups(oauth, tokens, *profile);
}

const json_t *na_oauth_newer_claims(apr_pool_t *pool, const json_t *before, const json_t *claims)
{
    json_t *newer = na_json_own(pool, json_copy((json_t *)claims)), *value;
    const char *name;
    json_object_foreach((json_t *)before, name, value) if (json_is_null(value))
        json_object_set(newer, name, value);
    return newer;
}

static void remove_vouching(json_t *claims)
{
    for (size_t i = 0; i < sizeof vouching / sizeof *vouching; i++)
        json_object_del(claims, vouching[i]);
}

/* The claims are older than userinfo, which therefore takes precedence. */
static json_t *profile_of(const na_oauth *oauth, const json_t *id_claims, json_t *userinfo)
{
    json_t *profile = na_json_own(oauth->pool, json_object());
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)id_claims, name, value) if (!json_is_null(value))
        json_object_set(profile, name, value);
    if (na_json_string(userinfo, "email"))
        remove_vouching(profile);
    else
        remove_vouching(userinfo);
    json_object_update(profile, userinfo);
    return profile;
}

na_error *na_oauth_profile_again(const na_oauth *oauth, const na_metadata *metadata,
                                 const char *subject, na_tokens *tokens, json_t **profile)
{
    json_t *userinfo;
    long status;
    na_error *error = fetch_userinfo(oauth, metadata, tokens, &userinfo, &status);
    if (error)
        return status == 401 ? na_error_wrap(oauth->pool, error, NA_ERR_INVALID_CHECK,
                                             "the access token is no longer accepted")
                             : error;
    if (oauth->provider->type == NA_OAUTH) {
        add_listed_email(oauth, tokens, userinfo);
        *profile = userinfo;
        return na_oauth_add_groups(oauth, tokens, *profile);
    }
    NA_TRY(check_sub(oauth, userinfo, subject));
    json_t *id_claims = na_json_own(oauth->pool, json_copy((json_t *)tokens->id_claims));
    *profile = profile_of(oauth, id_claims, userinfo);
    leave_to_userinfo(id_claims, userinfo);
    tokens->id_claims = id_claims;
    return na_oauth_add_groups(oauth, tokens, *profile);
}
