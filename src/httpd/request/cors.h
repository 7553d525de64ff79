/* SPDX-License-Identifier: Apache-2.0 */
/* Responses to scripts of other origins (NextAuthCORS). */
#ifndef NA_HTTPD_REQUEST_CORS_H
#define NA_HTTPD_REQUEST_CORS_H

#include <httpd.h>

/*
 * Adds the headers by which a browser lets a script of a listed origin read the response, and
 * answers its preflight: returns DONE then, otherwise DECLINED.
 */
int na_answer_cors(request_rec *r);

#endif
