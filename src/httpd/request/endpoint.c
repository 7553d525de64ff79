/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoints: finds their requests and translates these for the actions. */
#include <string.h>

#include <apr_strings.h>

#include "auth/respond.h"
#include "endpoint/dispatch.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "httpd/module.h"
#include "httpd/request/action.h"
#include "httpd/request/body.h"
#include "httpd/request/refuse.h"
#include "httpd/request/write.h"
#include "oauth/resource.h"

#define BODY_MAX (64 * 1024)
#define FIELDS_MAX 100

/* ── finding ───────────────────────────────────────────────────────────────────────────────── */

/* Metadata of protected resources has its place beside the endpoints (RFC 9728 section 3). */
static const char *resource_of(const na_config *config, const char *path)
{
    return config && config->has_resources ? na_resource_of_path(path) : NULL;
}

static int is_endpoint_path(request_rec *r, const char *path)
{
    const na_config *config = na_site_config_of(r);
    return na_endpoint_path(config, path) || resource_of(config, path);
}

/* Keeps mod_proxy, which can map undecoded paths at this point, from taking an endpoint. */
int na_pre_translate(request_rec *r)
{
    return is_endpoint_path(r, r->parsed_uri.path) ? OK : DECLINED;
}

int na_translate(request_rec *r)
{
    if (!is_endpoint_path(r, r->uri))
        return DECLINED;
    na_state_of(r)->is_endpoint = 1;
    na_hide_query(r); /* in case the path was encoded, and not recognized before */
    r->handler = "nextauth";
    r->filename = r->uri;
    return OK;
}

/* An endpoint has no file, so that httpd need not look for <Directory> sections and .htaccess. */
int na_map_to_storage(request_rec *r)
{
    return na_is_endpoint(r) ? OK : DECLINED;
}

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

/* Adds the scalars of the top level as form fields; returns 0 if the text is not JSON. */
static int read_json(apr_pool_t *pool, const char *text, apr_table_t *fields, json_t **json)
{
    json_t *value;
    const char *name;
    if (!*text)
        return 1;
    if (na_json_parse(pool, NA_ERR_CALLBACK, text, strlen(text), json))
        return 0;
    json_object_foreach(*json, name, value)
    {
        const char *scalar = na_json_scalar(pool, value);
        if (scalar && apr_table_elts(fields)->nelts < FIELDS_MAX)
            apr_table_setn(fields, name, scalar);
    }
    return 1;
}

int na_read_form(request_rec *r, apr_table_t **form, json_t **json)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    char *body;
    apr_size_t len;
    int status = na_read_body(r, BODY_MAX, &body, &len);
    *form = apr_table_make(r->pool, 1);
    *json = NULL;
    if (status != OK || !type)
        return status;
    if (ap_cstr_casecmpn(type, "application/json", 16) == 0)
        return read_json(r->pool, body, *form, json) ? OK : HTTP_BAD_REQUEST;
    if (ap_cstr_casecmpn(type, "application/x-www-form-urlencoded", 33) == 0)
        *form = na_form_parse(r->pool, body, FIELDS_MAX);
    return OK;
}

/* Splits "/signin/google" into action and provider. With more segments, there is no action. */
static void split_path(request_rec *r, const char *path, na_request *request)
{
    char *last, *copy = apr_pstrdup(r->pool, path);
    const char *action = apr_strtok(copy, "/", &last);
    request->action = action ? action : "";
    request->provider_id = action ? apr_strtok(NULL, "/", &last) : NULL;
    if (request->provider_id && apr_strtok(NULL, "/", &last))
        request->action = "";
}

static int translate_request(request_rec *r, na_request *request)
{
    apr_table_t *form = NULL;
    json_t *json;
    int status = na_read_form(r, &form, &json);
    if (status != OK)
        return status;
    na_request_begin(r, request);
    request->form = form;
    request->json = json;
    split_path(r, na_endpoint_path(request->config, r->uri), request);
    return OK;
}

#define METADATA_MAX_AGE "public, max-age=3600"

static int respond_metadata(request_rec *r, const char *path)
{
    const na_config *config = na_config_of(r);
    na_response response = {.set_cookies = apr_array_make(r->pool, 1, sizeof(char *))};
    na_request request;
    json_t *metadata = na_resource_metadata(r->pool, config->issuers, config->origin, path);
    if (r->method_number != M_GET)
        return HTTP_METHOD_NOT_ALLOWED;
    if (!metadata)
        return HTTP_NOT_FOUND;
    na_request_begin(r, &request);
    response.cacheable = 1;
    response.cache_control = METADATA_MAX_AGE;
    na_respond_json(&request, &response, HTTP_OK, metadata);
    return na_write_response(r, &response);
}

int na_handle_endpoint(request_rec *r)
{
    na_request request;
    const char *resource;
    if (!na_is_endpoint(r))
        return DECLINED;
    if (!na_config_of(r))
        return na_refuse_host(r);
    if ((resource = resource_of(na_config_of(r), r->uri)))
        return respond_metadata(r, resource);
    int status = translate_request(r, &request);
    if (status != OK)
        return status;
    na_response response = {.status = 200,
                            .set_cookies = apr_array_make(r->pool, 4, sizeof(char *))};
    na_dispatch(&request, &response);
    return na_write_response(r, &response);
}
