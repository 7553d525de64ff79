/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the sign-out page, and signs the user out. */
#include "endpoint/endpoints.h"
#include "auth/report.h"
#include "auth/respond.h"

na_error *na_get_signout(na_request *request, na_response *response)
{
    const na_config *config = request->config;
    if (config->pages.sign_out) {
        na_respond_redirect(request, response, 200, config->pages.sign_out);
        return NULL;
    }
    na_page_form form = {config->base_url, request->csrf_token, request->callback_url};
    na_respond_page(request, response, 200, "Sign out", na_page_signout(request->pool, &form));
    return NULL;
}

na_error *na_post_signout(na_request *request, na_response *response)
{
    const na_session *session;
    NA_TRY(na_session_end(request->sessions, &request->visit, response->set_cookies, &session));
    const na_event event = na_event_of_session(request, NA_EVENT_SIGN_OUT, session);
    na_report(request, &event);
    NA_TRY(na_record_event(request, NULL, &event));
    response->signed_out = 1;
    na_respond_redirect(request, response, 200, request->callback_url);
    return NULL;
}
