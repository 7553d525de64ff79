/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the sign-out page, and signs the user out, here and at the provider. */
#include "endpoint/endpoints.h"
#include "auth/direct.h"
#include "auth/provider_signout.h"
#include "auth/respond.h"
#include "auth/revoke_tokens.h"
#include "auth/session.h"

na_error *na_get_signout(na_request *request, na_response *response)
{
    const na_config *config = request->config;
    if (config->pages.sign_out) {
        na_respond_redirect(request, response, 200, config->pages.sign_out);
        return NULL;
    }
    na_page_form form = na_form_of_request(request);
    na_respond_page(request, response, 200, na_say(request->language, "Sign out"),
                    na_page_signout(request->pool, &form));
    return NULL;
}

na_error *na_post_signout(na_request *request, na_response *response)
{
    na_provider_signout signout;
    na_kept_tokens kept;
    na_provider_signout_prepare(request, &signout);
    int has_tokens = na_tokens_to_revoke(request, &kept);
    NA_TRY(na_request_end_session(request, response));
    if (has_tokens)
        na_tokens_revoke(request, &kept);
    na_direct_pause(request, response);
    const char *url = na_provider_signout_url(request, &signout);
    na_respond_redirect(request, response, 200, url ? url : request->callback_url);
    return NULL;
}

na_error *na_get_signout_callback(na_request *request, na_response *response)
{
    const char *url;
    if (!request->provider || request->provider->logout != NA_LOGOUT_BOTH)
        return na_error_new(request->pool, NA_ERR_INVALID_PROVIDER,
                            "a sign-out came back from a provider without logout=true");
    NA_TRY(na_provider_signout_finish(request, apr_table_get(request->query, "state"), &url));
    na_respond_redirect(request, response, 200, url);
    return NULL;
}
