/* SPDX-License-Identifier: Apache-2.0 */
/* The page that sends a form again whose session had ended (NextAuthPreservePost). */
#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "auth/callback_url.h"
#include "auth/kept_post.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/url.h"
#include "endpoint/endpoints.h"

static const char *here(const na_request *request, const char *id)
{
    const char *page = apr_pstrcat(request->pool, request->config->base_url, NA_RESEND_PAGE, NULL);
    return na_url_add(request->pool, page, "form", id);
}

static const char *leading_here(const na_request *request, const char *page, const char *id)
{
    return na_url_add(request->pool,
                      apr_pstrcat(request->pool, request->config->base_url, page, NULL),
                      "callbackUrl", here(request, id));
}

/* The source of a script that a page contains (Content Security Policy Level 3, section 2.3.1). */
static const char *hash_of(apr_pool_t *pool, const char *script)
{
    unsigned char hash[NA_SHA256_LEN];
    char *text = apr_palloc(pool, (apr_size_t)apr_base64_encode_len(sizeof hash));
    na_sha256(hash, na_bytes_of(script), (na_bytes){0});
    apr_base64_encode_binary(text, hash, sizeof hash);
    return apr_pstrcat(pool, "sha256-", text, NULL);
}

static void respond_gone(na_request *request, na_response *response)
{
    na_respond_page(request, response, 404,
                    na_say(request->language, "This form is no longer available"),
                    na_page_resend_gone(request->pool, request->language, request->config->home));
}

static void respond_other(na_request *request, na_response *response, const char *id)
{
    na_respond_page(request, response, 403, na_say(request->language, "The form was not sent"),
                    na_page_resend_other(request->pool, request->language,
                                         leading_here(request, "/signout", id),
                                         request->config->home));
}

static void respond_form(na_request *request, na_response *response, const char *url,
                         const char *id)
{
    /* A later sign-out would lead to a page without its form. */
    na_callback_url_forget(request, response, here(request, id));
    response->script_hash = hash_of(request->pool, na_page_resend_script());
    na_respond_page(request, response, 200, na_say(request->language, "Send your form"),
                    na_page_resend(request->pool, request->language, url, id));
}

static na_error *respond_found(na_request *request, na_response *response,
                               const na_session *session, const char *id)
{
    na_former former;
    na_kept_post post;
    int found = 0;
    if (na_former_find(request, &former))
        NA_TRY(na_kept_post_find(request, &former, id, &post, &found));
    const char *user = na_former_user(request, na_session_user_name(request->pool, session));
    if (!found)
        respond_gone(request, response);
    else if (!na_equal_secret(post.user, user))
        respond_other(request, response, id);
    else
        respond_form(request, response, post.url, id);
    return NULL;
}

na_error *na_get_resend_form(na_request *request, na_response *response)
{
    const char *id = apr_table_get(request->query, "form");
    const na_session *session;
    na_error *error = na_request_session(request, &session);
    if (na_is_unavailable(error))
        return error;
    if (!id || !na_kept_post_is_id(id))
        respond_gone(request, response);
    else if (!session)
        na_respond_redirect(request, response, 401, leading_here(request, "/signin", id));
    else
        return respond_found(request, response, session, id);
    return NULL;
}
