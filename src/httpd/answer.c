/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "httpd/answer.h"

#define MESSAGE_MAX 1000

int na_answer_json(request_rec *r, int status, json_t *json)
{
    const char *text = na_json_dump(r->pool, na_json_own(r->pool, json));
    r->status = status;
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_set_content_type(r, "application/json; charset=utf-8");
    ap_set_content_length(r, (apr_off_t)strlen(text));
    if (!r->header_only)
        ap_rputs(text, r);
    return OK;
}

int na_answer_error(request_rec *r, int status, const char *message)
{
    return na_answer_json(r, status,
                          json_pack("{s:s}", "error", na_one_line(r->pool, message, MESSAGE_MAX)));
}

/*
 * Whom Require lets in is the operator's word, but a Require that is forgotten or too wide must not
 * open to the world what asks this.
 */
int na_is_local(request_rec *r)
{
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    int local = 0;
    for (int i = 0; i < 2; i++)
        local |= strcmp(r->useragent_ip, addresses[i]) == 0 &&
                 strcmp(r->connection->client_ip, addresses[i]) == 0;
    return local && !apr_table_get(r->headers_in, "X-Forwarded-For") &&
           !apr_table_get(r->headers_in, "Forwarded") && !apr_table_get(r->headers_in, "Via");
}
