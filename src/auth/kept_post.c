/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that were sent after their session had ended, and wait in the store for a sign-in. */
#include "auth/kept_post.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/kept.h"
#include "auth/limit.h"
#include "base/json.h"

#define ID_BYTES 16

static na_kept kept_of(const na_request *request, const na_former *former, const char *id)
{
    return (na_kept){.kind = NA_KIND_POST,
                     .name = apr_pstrcat(request->pool, former->browser, " ", id, NULL)};
}

na_error *na_kept_post_put(na_request *request, const na_former *former, const na_kept_post *post,
                           long seconds, const char **id)
{
    NA_TRY(na_limit_take(request, NA_LIMIT_PRESERVED_POST,
                         apr_pstrcat(request->pool, "post ", former->user, NULL)));
    *id = na_random_base64url(request->pool, ID_BYTES);
    na_kept kept = kept_of(request, former, *id);
    kept.head = na_json_own(request->pool,
                            json_pack("{s:s, s:s, s:s*, s:s}", "url", post->url, "type", post->type,
                                      "encoding", post->encoding, "user", former->user));
    return kept.head ? na_kept_put(request, &kept, post->body, seconds)
                     : na_error_new(request->pool, NA_ERR_CALLBACK,
                                    "the headers of the form are not UTF-8");
}

static na_error *find_kept(const na_request *request, const na_former *former, const char *id,
                           na_kept *kept, na_kept_post *post, int *found)
{
    *kept = kept_of(request, former, id);
    NA_TRY(na_kept_find(request, kept));
    *post = (na_kept_post){.url = na_json_string(kept->head, "url"),
                           .type = na_json_string(kept->head, "type"),
                           .encoding = na_json_string(kept->head, "encoding"),
                           .user = na_json_string(kept->head, "user")};
    *found = post->url && post->type && post->user;
    return NULL;
}

na_error *na_kept_post_find(const na_request *request, const na_former *former, const char *id,
                            na_kept_post *post, int *found)
{
    na_kept kept;
    return find_kept(request, former, id, &kept, post, found);
}

na_error *na_kept_post_take(const na_request *request, const na_former *former, const char *id,
                            const char *user, const char *url, na_kept_post *post, int *found)
{
    na_kept kept;
    NA_TRY(find_kept(request, former, id, &kept, post, found));
    *found = *found && na_equal_secret(post->user, user) && strcmp(post->url, url) == 0;
    if (*found)
        NA_TRY(na_kept_read(request, &kept, &post->body, found));
    return *found ? na_kept_take(request, &kept, found) : NULL;
}

int na_kept_post_is_id(const char *text)
{
    return strlen(text) == NA_KEPT_POST_ID_LEN &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               NA_KEPT_POST_ID_LEN;
}
