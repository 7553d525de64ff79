/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the body of a request into memory. */
#include "httpd/request/body.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "base/crypto.h"

/* A body that is read. */
typedef struct reading {
    char *text;
    apr_size_t len, max;
    int at_end;
} reading;

/*
 * Appends the data of a bucket. In a heap bucket the bytes are wiped, because httpd reuses the
 * connection's buffers for the next request. Other buckets (mod_ssl's buffer, a file) are not ours
 * to write to.
 */
static int read_bucket(apr_bucket *bucket, reading *to)
{
    const char *data;
    apr_size_t got;
    if (APR_BUCKET_IS_METADATA(bucket))
        return OK;
    if (apr_bucket_read(bucket, &data, &got, APR_BLOCK_READ) != APR_SUCCESS)
        return HTTP_BAD_REQUEST;
    if (got > to->max - to->len)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    memcpy(to->text + to->len, data, got);
    to->len += got;
    if (APR_BUCKET_IS_HEAP(bucket))
        na_wipe((void *)(apr_uintptr_t)data, got);
    return OK;
}

static int read_brigade(apr_bucket_brigade *brigade, reading *to)
{
    int status = OK;
    while (status == OK && !to->at_end && !APR_BRIGADE_EMPTY(brigade)) {
        apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
        to->at_end = APR_BUCKET_IS_EOS(bucket);
        status = read_bucket(bucket, to);
        apr_bucket_delete(bucket);
    }
    apr_brigade_cleanup(brigade);
    return status;
}

static int read_brigades(request_rec *r, reading *to)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int status = OK;
    while (status == OK && !to->at_end) {
        if (ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ,
                           (apr_off_t)to->max) != APR_SUCCESS ||
            APR_BRIGADE_EMPTY(brigade))
            status = HTTP_BAD_REQUEST;
        else
            status = read_brigade(brigade, to);
    }
    apr_brigade_destroy(brigade);
    if (status != OK)
        r->connection->keepalive = AP_CONN_CLOSE;
    return status;
}

int na_read_body(request_rec *r, apr_size_t max, char **body, apr_size_t *len)
{
    reading to = {.max = max};
    int status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);
    *body = apr_pstrdup(r->pool, "");
    *len = 0;
    if (status != OK || !ap_should_client_block(r))
        return status;
    if (r->remaining > (apr_off_t)max)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    to.text = apr_palloc(r->pool, max + 1);
    status = read_brigades(r, &to);
    na_wipe_with_pool(r->pool, to.text, to.len);
    to.text[to.len] = '\0';
    *body = to.text;
    *len = to.len;
    return status;
}
