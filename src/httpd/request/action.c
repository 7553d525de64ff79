/* SPDX-License-Identifier: Apache-2.0 */
/* A request of httpd in the form in which src/auth and src/endpoint have it. */
#include "httpd/request/action.h"

#include "base/crypto.h"
#include "base/url.h"
#include "httpd/process.h"
#include "httpd/request/client.h"

#define FIELDS_MAX 100

static const char *query_of(request_rec *r)
{
    const na_state *state = na_state_of(r);
    return state->query ? state->query : r->args;
}

/* HEAD is GET without a body (RFC 9110 section 9.3.2). */
static const char *method_of(const request_rec *r)
{
    return r->method_number == M_GET ? "GET" : r->method;
}

static int is_from_here(request_rec *r)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");
    return origin && ap_cstr_casecmp(origin, na_config_of(r)->origin) == 0 && !na_is_foreign(r);
}

void na_request_begin(request_rec *r, na_request *request)
{
    const na_server_conf *conf = na_server_conf_of(r->server);
    const na_config *config = na_config_of(r);
    na_random_supply(r->pool);
    *request = (na_request){
        .pool = r->pool,
        .config = config,
        .server = na_host_of(r),
        .process = na_process_of_child(),
        .sessions = na_sessions_of(r),
        .db = conf->db,
        .mails = conf->mails,
        .rates = &conf->rates,
        .events = conf->events,
        .audit = conf->audit,
        .http = conf->http,
        .now = r->request_time,
        .method = method_of(r),
        .cookie_header = na_cookie_header_of(r),
        .query = na_form_parse(r->pool, query_of(r), FIELDS_MAX),
        .form = apr_table_make(r->pool, 1),
        .wants_return = apr_table_get(r->headers_in, "X-Auth-Return-Redirect") != NULL,
        .is_foreign = na_is_foreign(r),
        .is_from_here = is_from_here(r),
        .wants_html = na_is_page_load(r),
        .is_in_tab = na_is_shown_in_tab(r),
        .language =
            na_language_choose(config->languages, apr_table_get(r->headers_in, "Accept-Language")),
    };
    na_visit_of(r, &request->visit);
    request->trace = na_trace_of(r);
    request->origin = na_origin_of(r);
    request->cookies = na_cookies_parse(r->pool, request->cookie_header);
}
