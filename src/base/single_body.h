/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests that must not be repeated. */
#ifndef NA_BASE_SINGLE_BODY_H
#define NA_BASE_SINGLE_BODY_H

#include <curl/curl.h>

/*
 * A body that libcurl gets once. If a kept connection ends before a response, libcurl repeats the
 * request, although the server might have acted on it, which only idempotent requests permit (RFC
 * 9110 section 9.2.2): codes and emails are for one use. With such a body, libcurl sends the
 * headers first, reads whether the connection has ended, and then asks for the body: it can repeat
 * the request as long as it has not asked.
 */
typedef struct na_single_body {
    const char *rest;
    size_t len;
    int is_asked_again; /* libcurl wanted to repeat the request, and failed */
} na_single_body;

/* Sends `body` in a POST. Both live until the call has ended. */
void na_single_body_set(CURL *curl, na_single_body *body);

#endif
