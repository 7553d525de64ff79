/* SPDX-License-Identifier: Apache-2.0 */
/* Responses to scripts of other origins (NextAuthCORS). */
#include "httpd/request/cors.h"

#include <http_protocol.h>

#include "base/origin.h"
#include "httpd/module.h"

/* Fetch, section 3.2. Only an origin that the directive lists is ever named, and never "*". */

static int is_listed(const na_cors *cors, const char *value)
{
    for (int i = 0; i < cors->origins->nelts; i++)
        if (na_origin_matches(&APR_ARRAY_IDX(cors->origins, i, na_origin), value))
            return 1;
    return 0;
}

static int is_preflight(const request_rec *r)
{
    return r->method_number == M_OPTIONS &&
           apr_table_get(r->headers_in, "Access-Control-Request-Method");
}

/*
 * Browsers accept no response that has a header twice, so that those of the application, and of
 * mod_headers, give way.
 */
static const char *const names[] = {"Access-Control-Allow-Origin",
                                    "Access-Control-Allow-Credentials",
                                    "Access-Control-Allow-Methods",
                                    "Access-Control-Allow-Headers",
                                    "Access-Control-Max-Age",
                                    "Access-Control-Expose-Headers"};

static apr_status_t remove_headers(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        apr_table_unset(f->r->headers_out, names[i]);
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

static ap_filter_rec_t *filter;

void na_register_cors_filter(void)
{
    filter = ap_register_output_filter("NEXTAUTH_CORS", remove_headers, NULL,
                                       (ap_filter_type)(AP_FTYPE_CONTENT_SET + 1));
}

static void admit_origin(request_rec *r, const char *origin)
{
    apr_table_t *headers = r->err_headers_out;
    apr_table_setn(headers, "Access-Control-Allow-Origin", origin);
    apr_table_setn(headers, "Access-Control-Allow-Credentials", "true");
    apr_table_setn(headers, "Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After");
}

static int answer_preflight(request_rec *r, const na_cors *cors)
{
    apr_table_t *headers = r->err_headers_out;
    apr_table_setn(headers, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
    apr_table_setn(headers, "Access-Control-Allow-Headers", cors->headers);
    apr_table_setn(headers, "Access-Control-Max-Age", cors->max_age);
    r->status = HTTP_NO_CONTENT;
    return DONE;
}

int na_answer_cors(request_rec *r)
{
    const na_cors *cors = na_dir_conf_of(r)->cors;
    const char *origin = apr_table_get(r->headers_in, "Origin");
    if (!cors->origins->nelts || r->main || r->prev)
        return DECLINED;
    apr_table_mergen(r->err_headers_out, "Vary", "Origin");
    ap_add_output_filter_handle(filter, NULL, r, r->connection);
    if (!origin || !is_listed(cors, origin))
        return DECLINED;
    admit_origin(r, origin);
    return is_preflight(r) ? answer_preflight(r, cors) : DECLINED;
}
