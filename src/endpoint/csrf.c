/* SPDX-License-Identifier: Apache-2.0 */
/* The csrf endpoint. */
#include "auth/csrf.h"

#include "auth/respond.h"
#include "base/json.h"
#include "endpoint/endpoints.h"

na_error *na_get_csrf(na_request *request, na_response *response)
{
    json_t *body = na_json_own(request->pool, json_pack("{s:s}", "csrfToken", request->csrf_token));
    na_respond_json(request, response, 200, body);
    return NULL;
}
