/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests that must not be repeated. */
#include "base/single_body.h"

#include <string.h>

/*
 * Seconds: a connection that is idle longer is not used. Servers close idle connections after 5
 * seconds or more, so that they do not close it while the request is sent.
 */
#define IDLE_MAX 3L

#define BUFFER_SIZE 16384L /* the least: it is wiped after each call */

static size_t give(char *room, size_t size, size_t count, void *context)
{
    na_single_body *body = context;
    size_t len = body->len < size * count ? body->len : size * count;
    body->is_asked_again |= !len;
    if (!len)
        return CURL_READFUNC_ABORT;
    memcpy(room, body->rest, len);
    body->rest += len;
    body->len -= len;
    return len;
}

static int refuse_to_rewind(void *context, curl_off_t offset, int origin)
{
    na_single_body *body = context;
    body->is_asked_again = 1;
    return CURL_SEEKFUNC_FAIL;
}

void na_single_body_set(CURL *curl, na_single_body *body)
{
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, body);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, refuse_to_rewind);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, body);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, IDLE_MAX);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_SIZE);
}
