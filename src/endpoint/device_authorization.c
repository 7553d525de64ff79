/* SPDX-License-Identifier: Apache-2.0 */
/* Gives codes to a device that asks to sign its user in (RFC 8628 section 3.1). */
#include <string.h>

#include <apr_strings.h>

#include "auth/access_token.h"
#include "auth/device_grant.h"
#include "auth/limit.h"
#include "auth/respond.h"
#include "auth/token_scope.h"
#include "base/json.h"
#include "base/url.h"
#include "endpoint/device.h"
#include "endpoint/endpoints.h"

/* Everything that the site has, as far as it accepts tokens. */
#define WHOLE_SITE "/"

/* One line of text, as it is shown to the user. */
static int is_client(const char *text)
{
    return *text && strlen(text) <= NA_GRANT_CLIENT_MAX && na_is_utf8(text) &&
           !na_has_control(text);
}

void na_respond_oauth_error(na_request *request, na_response *response, const char *code,
                            const char *description)
{
    na_respond_json(request, response, 400,
                    na_json_own(request->pool, json_pack("{s:s, s:s}", "error", code,
                                                         "error_description", description)));
}

/* Returns 0 if it has responded, because the request is wrong. */
static int read_grant(na_request *request, na_response *response, na_device_grant *grant)
{
    const char *scope = apr_table_get(request->form, "scope");
    grant->client = apr_table_get(request->form, "client_id");
    grant->device = apr_table_get(request->form, "device_name");
    if (!grant->client || !is_client(grant->client)) {
        na_respond_oauth_error(request, response, "invalid_request",
                               "client_id is missing or not a line of at most 64 bytes");
        return 0;
    }
    if (!grant->device)
        grant->device = grant->client;
    if (strlen(grant->device) > NA_GRANT_DEVICE_MAX || na_access_token_name_fault(grant->device)) {
        na_respond_oauth_error(request, response, "invalid_request",
                               "device_name is not a line of at most 100 bytes");
        return 0;
    }
    na_error *error =
        na_scope_parse(request->pool, scope && *scope ? scope : WHOLE_SITE, &grant->scope);
    if (error)
        na_respond_oauth_error(request, response, "invalid_scope", error->message);
    return !error;
}

/* RFC 8628 section 3.2 */
static void respond_codes(na_request *request, na_response *response, const na_device_grant *grant,
                          const char *device_code)
{
    const char *page = apr_pstrcat(request->pool, request->config->base_url, "/device", NULL);
    const char *whole = na_url_add(request->pool, page, "user_code", grant->user_code);
    na_respond_json(request, response, 200,
                    na_json_own(request->pool,
                                json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "device_code",
                                          device_code, "user_code", grant->user_code,
                                          "verification_uri", page, "verification_uri_complete",
                                          whole, "expires_in", NA_GRANT_SECONDS, "interval",
                                          (int)grant->interval)));
}

na_error *na_post_device_authorization(na_request *request, na_response *response)
{
    na_device_grant grant = {0};
    const char *device_code;
    if (!na_allows_devices(request)) {
        na_respond_oauth_error(request, response, "unauthorized_client",
                               "this site does not let devices sign in: its administrator can set "
                               "NextAuthFeature deviceLogin On");
        return NULL;
    }
    if (request->is_foreign) { /* it would use up the limit of its visitors */
        na_respond_oauth_error(request, response, "invalid_request",
                               "a page of another site sent this request");
        return NULL;
    }
    request->attempted = NA_EVENT_DEVICE_LOGIN;
    NA_TRY(na_limit_take(request, NA_LIMIT_DEVICE_LOGIN, NULL));
    if (!read_grant(request, response, &grant))
        return NULL;
    NA_TRY(na_device_grant_begin(request, &grant, &device_code));
    respond_codes(request, response, &grant, device_code);
    return NULL;
}
