/* SPDX-License-Identifier: Apache-2.0 */
/* URLs that are too long for cookies, emails, and queries, and wait in the store instead. */
#include "auth/long_url.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/kept.h"
#include "auth/limit.h"
#include "base/json.h"
#include "base/url.h"

#define MAX_AGE 3600
#define ID_BYTES 16

na_error *na_long_url_keep(na_request *request, const char *url, const char **shorter)
{
    const char *id = na_random_base64url(request->pool, ID_BYTES);
    const na_kept kept = {.kind = NA_KIND_URL,
                          .name = id,
                          .head = na_json_own(request->pool, json_object())};
    NA_TRY(na_limit_take(request, NA_LIMIT_LONG_URL, NULL));
    NA_TRY(na_kept_put(request, &kept, na_bytes_of(url), MAX_AGE));
    const char *page = apr_pstrcat(request->pool, request->config->base_url, NA_RETURN_PAGE, NULL);
    *shorter = na_url_add(request->pool, page, "to", id);
    return NULL;
}

na_error *na_long_url_find(const na_request *request, const char *id, const char **url)
{
    na_kept kept = {.kind = NA_KIND_URL, .name = id};
    na_bytes body;
    int is_whole;
    *url = NULL;
    NA_TRY(na_kept_find(request, &kept));
    if (!kept.head)
        return NULL;
    NA_TRY(na_kept_read(request, &kept, &body, &is_whole));
    if (is_whole)
        *url = apr_pstrmemdup(request->pool, (const char *)body.data, body.len);
    return NULL;
}

const char *na_long_url_of(const na_request *request, const char *url)
{
    const char *kept = NULL, *page = apr_pstrcat(request->pool, request->config->base_url,
                                                 NA_RETURN_PAGE "?to=", NULL);
    if (strncmp(url, page, strlen(page)) != 0 ||
        na_long_url_find(request, url + strlen(page), &kept))
        return url;
    return kept ? kept : url;
}
