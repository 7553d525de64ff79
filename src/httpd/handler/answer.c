/* SPDX-License-Identifier: Apache-2.0 */
/* JSON responses of handlers. */
#include <string.h>

#include "base/json.h"
#include "httpd/handler/answer.h"

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
