/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a request that sessions depend on. */
#include "httpd/module.h"

void na_visit_of(request_rec *r, na_visit *visit)
{
    *visit = (na_visit){.pool = r->pool,
                        .now = apr_time_now(), /* r->request_time is old if the client was slow */
                        .cookie_header = apr_table_get(r->headers_in, "Cookie"),
                        .binding = na_binding_of(r),
                        .client = {.address = r->useragent_ip,
                                   .user_agent = apr_table_get(r->headers_in, "User-Agent")}};
}
