/* SPDX-License-Identifier: Apache-2.0 */
/* The userinfo request. */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "oauth/oauth.h"

static na_error *fetch_json(const na_oauth *oauth, const char *url, const char *access_token,
                            json_t **json)
{
    na_http_request request = {.url = url,
                               .peer = oauth->provider->id,
                               .place = oauth->place,
                               .bearer = access_token,
                               .headers = oauth->headers};
    na_http_response response;
    NA_TRY(na_http_fetch(oauth->http, oauth->pool, &request, &response));
    na_oauth_step(oauth, "PROFILE_DATA", "%.*s returned status %ld, %d bytes",
                  (int)strcspn(url, "?"), url, response.status, (int)response.body.len);
    if (response.status != 200)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the userinfo endpoint returned status %ld", response.status);
    na_error *error = na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                    (const char *)response.body.data, response.body.len, json);
    return error ? na_error_wrap(oauth->pool, error, NULL, "invalid userinfo response") : NULL;
}

static na_error *fetch_userinfo(const na_oauth *oauth, const na_metadata *metadata,
                                const na_tokens *tokens, json_t **profile)
{
    const char *params = oauth->provider->userinfo_params;
    const char *url = metadata->userinfo_url;
    if (!url)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "the provider has no userinfo endpoint");
    if (params)
        url = apr_pstrcat(oauth->pool, url, strchr(url, '?') ? "&" : "?", params, NULL);
    NA_TRY(fetch_json(oauth, url, tokens->access_token, profile));
    return json_is_object(*profile) ? NULL
                                    : na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                                                   "the userinfo response is not a JSON object");
}

/*
 * GitHub omits a private email address from the profile and lists all of them here, if the scope
 * permits it. A missing list is not a failure, because users need no email address.
 */
static void add_listed_email(const na_oauth *oauth, const na_tokens *tokens, json_t *profile)
{
    json_t *list, *found = NULL;
    const char *url = oauth->provider->emails_url;
    if (!url || na_json_string(profile, "email") ||
        fetch_json(oauth, url, tokens->access_token, &list))
        return;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        if (!json_is_true(json_object_get(entry, "verified")))
            continue;
        if (!found || json_is_true(json_object_get(entry, "primary")))
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

na_error *na_oauth_profile(const na_oauth *oauth, const na_metadata *metadata,
                           const na_tokens *tokens, const na_checks *checks, json_t **profile)
{
    na_profile_source source = oauth->provider->profile_source;
    if (oauth->provider->type == NA_OAUTH) {
        NA_TRY(fetch_userinfo(oauth, metadata, tokens, profile));
        add_listed_email(oauth, tokens, *profile);
        return NULL;
    }
    NA_TRY(na_oauth_verify_id_token(oauth, metadata, tokens, checks, profile));
    int wanted =
        source == NA_PROFILE_USERINFO ||
        (source == NA_PROFILE_AUTO && metadata->userinfo_url && !na_json_string(*profile, "email"));
    return wanted ? merge_userinfo(oauth, metadata, tokens, *profile) : NULL;
}
