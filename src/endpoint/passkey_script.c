/* SPDX-License-Identifier: Apache-2.0 */
/* Serves the script of passkeys. */
#include "endpoint/endpoints.h"
#include "page/page.h"

na_error *na_get_passkey_script(na_request *request, na_response *response)
{
    response->status = 200;
    response->content_type = "text/javascript; charset=utf-8";
    response->body = na_page_passkey_js();
    response->cacheable = 1;
    response->cache_control = "public, max-age=31536000, immutable";
    return NULL;
}
