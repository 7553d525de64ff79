/* SPDX-License-Identifier: Apache-2.0 */
/* Builds responses: JSON, redirects, pages, and cookies. */
#include "auth/respond.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"

const char *na_parameter(const na_request *request, const char *name)
{
    const char *value = apr_table_get(request->form, name);
    return value ? value : apr_table_get(request->query, name);
}

void na_set_cookie(na_response *response, char *set_cookie)
{
    APR_ARRAY_PUSH(response->set_cookies, char *) = set_cookie;
}

void na_respond_json(na_request *request, na_response *response, int status, const json_t *json)
{
    response->status = status;
    response->content_type = "application/json; charset=utf-8";
    response->body = json_is_null(json) ? "null" : na_json_dump(request->pool, json);
}

/* A client shows its dialect by its request; for a plain form, the configuration decides. */
int na_speaks_v5(const na_request *request)
{
    return request->wants_return ||
           (request->config->dialect == NA_V5 && !apr_table_get(request->form, "json"));
}

/* v4's client sends json=true and reads the status; v5's sends a header and expects 200. */
void na_respond_redirect(na_request *request, na_response *response, int status, const char *url)
{
    const char *json = apr_table_get(request->form, "json");
    if (*url == '/')
        url = apr_pstrcat(request->pool, request->config->origin, url, NULL);
    int v4_client = json && strcmp(json, "true") == 0;
    if (!v4_client && !request->wants_return) {
        response->status = 302;
        response->location = url;
        return;
    }
    json_t *body = na_json_own(request->pool, json_pack("{s:s}", "url", url));
    na_respond_json(request, response, v4_client ? status : 200, body);
    if (!v4_client) /* as Auth.js does; its clients can read either */
        response->location = url;
}

/* Seconds within which the page must be shown. */
#define REFERENCE_MAX_AGE 120
#define REFERENCE_LEN_MAX 64

void na_keep_reference(na_request *request, na_response *response)
{
    const na_cookie *cookie = &request->config->cookies[NA_COOKIE_REFERENCE];
    na_set_cookie(response, na_cookie_write(request->pool, cookie, cookie->name,
                                            request->origin.request_id, REFERENCE_MAX_AGE, 0));
}

/* Returns the ID of the failed request in the log if this is a page about an error, NULL otherwise.
 */
static const char *reference_of(const na_request *request)
{
    const char *name = request->config->cookies[NA_COOKIE_REFERENCE].name;
    const char *reference = na_cookies_get(request->cookies, name, 0);
    return apr_table_get(request->query, "error") && reference &&
                   strlen(reference) <= REFERENCE_LEN_MAX && na_is_utf8(reference) &&
                   !na_has_control(reference)
               ? reference
               : NULL;
}

#define TYPED_LEN_MAX 255

static int is_script(const na_request *request)
{
    return request->wants_return || apr_table_get(request->form, "json");
}

void na_keep_attempt(na_request *request, na_response *response)
{
    const na_cookie *cookie = &request->config->cookies[NA_COOKIE_ATTEMPT];
    const char *typed = apr_table_get(request->form, "username");
    if (!typed)
        typed = apr_table_get(request->form, "email");
    if ((!request->provider && request->provider_id) || is_script(request) || !typed ||
        strlen(typed) > TYPED_LEN_MAX || !na_is_utf8(typed) || na_has_control(typed))
        return;
    const char *id = request->provider ? request->provider->id : "";
    na_set_cookie(response, na_cookie_write(request->pool, cookie, cookie->name,
                                            apr_pstrcat(request->pool, id, " ", typed, NULL),
                                            REFERENCE_MAX_AGE, 0));
}

/* The ID of a provider has no space, and is empty for the form that finds one. Anyone below the
 * domain can set the cookie: it only fills in a field. */
void na_take_attempt(na_request *request, na_response *response, na_page_attempt *attempt)
{
    const na_cookie *cookie = &request->config->cookies[NA_COOKIE_ATTEMPT];
    const char *kept = na_cookies_get(request->cookies, cookie->name, 0);
    const char *space = kept ? strchr(kept, ' ') : NULL;
    if (!space || strlen(space + 1) > TYPED_LEN_MAX || !na_is_utf8(kept) || na_has_control(kept))
        return;
    attempt->provider_id = apr_pstrmemdup(request->pool, kept, (apr_size_t)(space - kept));
    attempt->user = space + 1;
    na_set_cookie(response, na_cookie_clear(request->pool, cookie, cookie->name));
}

/* A sign-in again keeps the choice of the session. */
static na_choice remember_box(const na_request *request)
{
    const na_config *config = request->config;
    if (config->remembering != NA_REMEMBER_ASK)
        return NA_UNSAID;
    return config->remembers_by_default ? NA_YES : NA_NO;
}

na_page_form na_form_of_request(const na_request *request)
{
    return (na_page_form){.base_url = request->config->base_url,
                          .csrf_token = request->csrf_token,
                          .callback_url = request->callback_url,
                          .language = request->language,
                          .has_account_page =
                              request->db && request->config->features & NA_FEATURE_ACCOUNT,
                          .remember = remember_box(request)};
}

static const char *site_name(const na_request *request)
{
    const na_config *config = request->config;
    return config->theme.site_name ? config->theme.site_name
                                   : strstr(config->origin, "://") + strlen("://");
}

/* The template of the page, whose name is its endpoint's, or that of all pages. */
static const char *template_of(const na_request *request)
{
    const apr_table_t *templates = request->config->page_templates;
    const char *template = apr_table_get(templates, request->action);
    return template ? template : apr_table_get(templates, NA_PAGE_ALL);
}

void na_respond_page(na_request *request, na_response *response, int status, const char *title,
                     const char *content)
{
    response->style_nonce = na_random_base64url(request->pool, 16);
    response->status = status;
    response->content_type = "text/html; charset=utf-8";
    const char *reference = status == 503 ? request->origin.request_id : reference_of(request);
    const na_page_frame frame = {.theme = &request->config->theme,
                                 .site_name = site_name(request),
                                 .home = request->config->home,
                                 .template = template_of(request),
                                 .providers = request->config->providers,
                                 .language = request->language,
                                 .style_nonce = response->style_nonce,
                                 .title = title,
                                 .content = content,
                                 .reference = reference};
    response->language = request->language->tag;
    response->body = na_page(request->pool, &frame);
}
