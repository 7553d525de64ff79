/* SPDX-License-Identifier: Apache-2.0 */
/* The user's photo, from an API of the provider: Microsoft Graph. */
#include "oauth/photo.h"

#include <string.h>
#include <strings.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "oauth/api.h"

/* A file's first bytes have to confirm what the server says of it. */
static const struct format {
    const char *type, *start;
    const char *prefix; /* the blank is Auth.js's */
} formats[] = {
    {"image/jpeg", "\xff\xd8\xff", "data:image/jpeg;base64, "},
    {"image/jpg", "\xff\xd8\xff", "data:image/jpeg;base64, "},
    {"image/png", "\x89PNG\r\n\x1a\n", "data:image/png;base64, "},
};

static int has_type(const na_http_response *response, const char *type)
{
    apr_size_t len = strcspn(response->content_type, "; ");
    return len == strlen(type) && strncasecmp(response->content_type, type, len) == 0;
}

static int begins_with(na_bytes body, const char *start)
{
    return body.len > strlen(start) && memcmp(body.data, start, strlen(start)) == 0;
}

/* Returns NULL if it is not an image of the type that the response names. */
static const struct format *format_of(const na_http_response *response)
{
    for (apr_size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (has_type(response, formats[i].type) && begins_with(response->body, formats[i].start))
            return &formats[i];
    return NULL;
}

static const char *data_url(apr_pool_t *pool, const char *prefix, na_bytes body)
{
    apr_size_t len = strlen(prefix);
    char *url = apr_palloc(pool, len + (apr_size_t)apr_base64_encode_len((int)body.len));
    memcpy(url, prefix, len);
    apr_base64_encode_binary(url + len, body.data, (int)body.len);
    return url;
}

na_error *na_oauth_photo(const na_oauth *oauth, const na_tokens *tokens, const char **photo)
{
    na_http_response response = {0};
    const na_api_call call = {.url = oauth->provider->photo_url, .accept = "image/jpeg, image/png"};
    *photo = NULL;
    na_error *error = na_oauth_call_api(oauth, &call, tokens, &response);
    if (response.status == 404)
        return NULL;
    if (error)
        return error;
    const struct format *format = format_of(&response);
    if (!format)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK, "it is not a JPEG or PNG file");
    if (response.body.len > NA_PHOTO_MAX)
        return na_error_new(oauth->pool, NA_ERR_OAUTH_CALLBACK,
                            "it has %d bytes; at most %d are supported", (int)response.body.len,
                            NA_PHOTO_MAX);
    *photo = data_url(oauth->pool, format->prefix, response.body);
    return NULL;
}
