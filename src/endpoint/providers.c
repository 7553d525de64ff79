/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint that lists the providers. */
#include "endpoint/endpoints.h"

#include <apr_strings.h>

#include "auth/profile_subject.h"
#include "auth/respond.h"
#include "base/json.h"

na_error *na_get_providers(na_request *request, na_response *response)
{
    json_t *body = na_json_own(request->pool, json_object());
    for (int i = 0; i < request->config->providers->nelts; i++) {
        const na_provider *p = APR_ARRAY_IDX(request->config->providers, i, const na_provider *);
        const char *base = request->config->base_url;
        json_object_set_new(body, p->id,
                            json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", p->id, "name", p->name,
                                      "type", na_account_type(request->config, p), "signinUrl",
                                      apr_pstrcat(request->pool, base, "/signin/", p->id, NULL),
                                      "callbackUrl",
                                      apr_pstrcat(request->pool, base, "/callback/", p->id, NULL)));
    }
    na_respond_json(request, response, 200, body);
    response->cacheable = 1;
    return NULL;
}
