/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoints: finds their requests and translates these for the actions. */
#include <string.h>

#include <apr_strings.h>

#include "endpoint/dispatch.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "httpd/module.h"
#include "httpd/request/action.h"
#include "httpd/request/write.h"

#define BODY_MAX (64 * 1024)
#define FIELDS_MAX 100

/* ── finding ───────────────────────────────────────────────────────────────────────────────── */

/* Keeps mod_proxy, which can map undecoded paths at this point, from taking an endpoint. */
int na_pre_translate(request_rec *r)
{
    return na_endpoint_path(na_config_of(r), r->parsed_uri.path) ? OK : DECLINED;
}

int na_translate(request_rec *r)
{
    if (!na_endpoint_path(na_config_of(r), r->uri))
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

/*
 * Appends the data of a bucket. In a heap bucket the bytes are wiped, because httpd reuses the
 * connection's buffers for the next request. Other buckets (mod_ssl's buffer, a file) are not ours
 * to write to.
 */
static int read_bucket(apr_bucket *bucket, char *text, apr_size_t *len)
{
    const char *data;
    apr_size_t got;
    if (APR_BUCKET_IS_METADATA(bucket))
        return OK;
    if (apr_bucket_read(bucket, &data, &got, APR_BLOCK_READ) != APR_SUCCESS)
        return HTTP_BAD_REQUEST;
    if (got > BODY_MAX - *len)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    memcpy(text + *len, data, got);
    *len += got;
    if (APR_BUCKET_IS_HEAP(bucket))
        na_wipe((void *)(apr_uintptr_t)data, got);
    return OK;
}

static int read_brigade(apr_bucket_brigade *brigade, char *text, apr_size_t *len, int *at_end)
{
    int status = OK;
    while (status == OK && !*at_end && !APR_BRIGADE_EMPTY(brigade)) {
        apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
        *at_end = APR_BUCKET_IS_EOS(bucket);
        status = read_bucket(bucket, text, len);
        apr_bucket_delete(bucket);
    }
    apr_brigade_cleanup(brigade);
    return status;
}

static int read_brigades(request_rec *r, char *text, apr_size_t *len)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int at_end = 0, status = OK;
    while (status == OK && !at_end) {
        if (ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ,
                           BODY_MAX) != APR_SUCCESS ||
            APR_BRIGADE_EMPTY(brigade))
            status = HTTP_BAD_REQUEST;
        else
            status = read_brigade(brigade, text, len, &at_end);
    }
    apr_brigade_destroy(brigade);
    if (status != OK)
        r->connection->keepalive = AP_CONN_CLOSE;
    return status;
}

static int read_body(request_rec *r, char **body)
{
    apr_size_t len = 0;
    int status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);
    *body = apr_pstrdup(r->pool, "");
    if (status != OK || !ap_should_client_block(r))
        return status;
    if (r->remaining > BODY_MAX)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    char *text = *body = apr_palloc(r->pool, BODY_MAX + 1);
    status = read_brigades(r, text, &len);
    na_wipe_with_pool(r->pool, text, len);
    text[len] = '\0';
    return status;
}

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
    int status = read_body(r, &body);
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

int na_handle_endpoint(request_rec *r)
{
    na_request request;
    if (!na_is_endpoint(r))
        return DECLINED;
    int status = translate_request(r, &request);
    if (status != OK)
        return status;
    na_response response = {.status = 200,
                            .set_cookies = apr_array_make(r->pool, 4, sizeof(char *))};
    na_dispatch(&request, &response);
    return na_write_response(r, &response);
}
