/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the handler nextauth-sessions of a running server. */
#include "ctl/session_call.h"

#include <stdlib.h>

#include "base/json.h"
#include "ctl/options.h"

#define DEFAULT_SERVER "http://127.0.0.1/nextauth-sessions"

/* Far more than a page of sessions. */
#define BODY_MAX ((apr_size_t)16 * 1024 * 1024)

int na_ctl_session_options(na_session_call *c, int argc, char **argv, int lists)
{
    na_option options[] = {{"server", 's', .text = &c->server},
                           {"user", 'u', .text = &c->user},
                           {"ca-file", 'c', .text = &c->ca_file},
                           {"secret-file", 'f', .text = &c->secret_file},
                           {"insecure-loopback", 'l', .flag = &c->loopback},
                           {"json", 'j', .flag = &c->json},
                           {lists ? "limit" : NULL, 'n', .text = &c->limit},
                           {"cursor", 'p', .text = &c->cursor},
                           {0}};
    c->server = getenv("NEXTAUTHCTL_SERVER");
    c->secret_file = getenv("NEXTAUTHCTL_SECRET_FILE");
    c->count = na_ctl_options(c->pool, argc, argv, options, &c->ids);
    if (!c->server)
        c->server = DEFAULT_SERVER;
    return c->count >= 0;
}

static na_error *make_client(na_session_call *c)
{
    static na_http_options options = {.timeout_ms = 60000,
                                      .connect_timeout_ms = 5000,
                                      .max_bytes = BODY_MAX,
                                      .max_concurrent = 1,
                                      .allow_http = 1};
    if (c->http)
        return NULL;
    options.ca_file = c->ca_file;
    options.loopback = c->loopback;
    na_http_global_init();
    return na_http_make(c->pool, &options, &c->http);
}

na_error *na_ctl_session_ask(na_session_call *c, apr_pool_t *pool, const char *url,
                             const char *form, json_t **answer)
{
    na_http_response response;
    na_http_request request = {.url = url, .form = form};
    NA_TRY(make_client(c));
    NA_TRY(na_http_fetch(c->http, pool, &request, &response));
    na_error *error = na_json_parse(pool, NA_ERR_CONFIGURATION, (const char *)response.body.data,
                                    response.body.len, answer);
    if (!error && response.status == 200)
        return NULL;
    const char *said = error ? NULL : na_json_string(*answer, "error");
    return na_error_new(pool, NA_ERR_CONFIGURATION, "%s returned status %ld: %s", c->server,
                        response.status,
                        said ? na_one_line(pool, said, 300)
                             : "check that SetHandler nextauth-sessions is set there");
}
