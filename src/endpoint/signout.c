/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the sign-out page, and signs the user out. */
#include "endpoint/endpoints.h"
#include "auth/direct.h"
#include "auth/respond.h"
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
    NA_TRY(na_request_end_session(request, response));
    na_direct_pause(request, response);
    na_respond_redirect(request, response, 200, request->callback_url);
    return NULL;
}
