/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of a user, from an API of the provider: Microsoft Graph, Google's Cloud Identity. */
#include "oauth/groups.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/text.h"
#include "base/url.h"
#include "oauth/api.h"

/* Most pages that are fetched, and groups that a user can have. */
#define PAGES_MAX 20
#define GROUPS_MAX 5000

static na_error *refuse(const na_oauth *oauth, const char *why)
{
    return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK, "groups.url=: %s", why);
}

/* A value can stand between quotation marks of a query language, so it must not have any. */
static const char *plain_value(apr_pool_t *pool, const void *profile, const char *path)
{
    const char *value = na_json_scalar(pool, na_json_path(profile, path));
    return value && !strpbrk(value, "'\"\\`") && !na_has_control(value) ? value : NULL;
}

static na_error *first_page(const na_oauth *oauth, const json_t *profile, const char **url)
{
    const char *missing;
    *url = na_url_fill(oauth->pool, oauth->provider->groups.url, "{profile.", plain_value, profile,
                       &missing);
    return *url ? NULL
                : na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                               "the profile's %s, which groups.url= requires, is missing or has a "
                               "quotation mark",
                               missing);
}

static na_error *fetch_page(const na_oauth *oauth, const na_tokens *tokens, const char *url,
                            json_t **page)
{
    na_http_response response;
    const na_api_call call = {.url = url};
    na_error *error = na_oauth_call_api(oauth, &call, tokens, &response);
    if (!error)
        error = na_json_parse(oauth->pool, NA_ERR_OAUTH_CALLBACK, (const char *)response.body.data,
                              response.body.len, page);
    return error ? na_error_wrap(oauth->pool, error, NULL, "could not fetch the user's groups")
                 : NULL;
}

/* Google omits an empty list. */
static na_error *add_page(const na_oauth *oauth, const json_t *page, json_t *groups)
{
    const na_group_list *form = &oauth->provider->groups;
    const json_t *items = form->items ? na_json_path(page, form->items) : page;
    if (items && !json_is_array(items))
        return refuse(oauth, "the response has no list where groups.items= says");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const json_t *name = form->name ? na_json_path(item, form->name) : item;
        if (!json_is_string(name))
            return refuse(oauth, "a group has no name where groups.name= says");
        if (json_array_size(groups) == GROUPS_MAX)
            return refuse(oauth, "the user has more than " APR_STRINGIFY(GROUPS_MAX) " groups");
        json_array_append(groups, (json_t *)name);
    }
    return NULL;
}

/* The access token goes to the same server only. */
static int has_origin_of(apr_pool_t *pool, const char *url, const char *first)
{
    na_url a, b;
    return na_url_parse(pool, url, &a) && na_url_parse(pool, first, &b) &&
           strcmp(a.origin, b.origin) == 0;
}

/* Writes the URL of the page after this one, NULL if it is the last. */
static na_error *find_next(const na_oauth *oauth, const json_t *page, const char *first,
                           const char **url)
{
    const na_group_list *form = &oauth->provider->groups;
    const json_t *next = form->next ? na_json_path(page, form->next) : NULL;
    const char *text = json_string_value(next);
    *url = NULL;
    if (!text || !*text)
        return NULL;
    if (strchr(text, '{')) /* of a placeholder */
        return refuse(oauth, "the URL of the next page is invalid");
    *url = form->page ? na_url_add(oauth->pool, first, form->page, text) : text;
    return has_origin_of(oauth->pool, *url, first)
               ? NULL
               : refuse(oauth, "the next page is at another server");
}

na_error *na_oauth_add_groups(const na_oauth *oauth, const na_tokens *tokens, json_t *profile)
{
    const char *first, *url;
    json_t *page;
    if (!oauth->provider->asks_for_groups || json_object_get(profile, "groups"))
        return NULL;
    json_t *groups = na_json_own(oauth->pool, json_array());
    NA_TRY(first_page(oauth, profile, &first));
    url = first;
    for (int i = 0; i < PAGES_MAX && url; i++) {
        NA_TRY(fetch_page(oauth, tokens, url, &page));
        NA_TRY(add_page(oauth, page, groups));
        NA_TRY(find_next(oauth, page, first, &url));
    }
    if (url)
        return refuse(oauth, "the list has more than " APR_STRINGIFY(PAGES_MAX) " pages");
    json_object_set(profile, "groups", groups);
    return NULL;
}
