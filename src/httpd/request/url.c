/* SPDX-License-Identifier: Apache-2.0 */
/* The URL of a request. */
#include "httpd/request/url.h"

#include <apr_strings.h>

#include "httpd/module.h"

const char *na_requested_url(request_rec *r)
{
    const na_config *config = na_config_of(r);
    const request_rec *first = r;
    while (first->prev || first->main)
        first = first->main ? first->main : first->prev;
    const char *path = first->unparsed_uri && *first->unparsed_uri == '/'
                           ? first->unparsed_uri
                           : ap_escape_uri(r->pool, first->uri);
    return apr_pstrcat(r->pool, config->origin, config->prefix, path, NULL);
}
