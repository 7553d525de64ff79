/* SPDX-License-Identifier: Apache-2.0 */
/* Begins the session of a user who has given all that was asked for. */
#include "auth/enter.h"

#include "auth/direct.h"
#include "auth/former.h"
#include "auth/kept_tokens.h"
#include "auth/limit.h"
#include "auth/report.h"
#include "base/json.h"
#include "session/picture.h"

static const char *roles_of(apr_pool_t *pool, const json_t *claims)
{
    const json_t *roles = json_object_get(claims, NA_CLAIM_ROLES);
    apr_array_header_t *names = apr_array_make(pool, 4, sizeof(const char *));
    for (size_t i = 0; i < json_array_size(roles); i++)
        APR_ARRAY_PUSH(names, const char *) = json_string_value(json_array_get(roles, i));
    return names->nelts ? na_join(pool, names, ", ") : "none";
}

static const char *user_name_of(apr_pool_t *pool, const json_t *claims)
{
    int in_database = json_is_true(json_object_get(claims, NA_CLAIM_DATABASE_USER));
    return na_user_name(pool, in_database ? NULL : na_json_string(claims, NA_CLAIM_PROVIDER),
                        na_json_string(claims, "sub"));
}

/* Without the cookie, forms of this session are lost when it ends, and nothing else. */
static void remember_user(na_request *request, na_response *response, const na_sign_in *sign_in)
{
    if (!request->config->preserves_posts)
        return;
    na_error *error =
        na_former_remember(request, response, user_name_of(request->pool, sign_in->claims));
    if (error)
        na_log_error(request, NA_LOG_WARNING, "PRESERVE_POST", error);
}

na_error *na_enter(na_request *request, na_response *response, const na_sign_in *sign_in)
{
    const char *user = na_percent_encode(request->pool, sign_in->event.user);
    na_log(request, NA_LOG_DEBUG, "SESSION", "creating a session for user '%s' with roles %s", user,
           roles_of(request->pool, sign_in->claims));
    NA_TRY(na_record_event(request, NULL, &sign_in->event));
    const na_provider_session *at_provider =
        sign_in->at_provider.issuer ? &sign_in->at_provider : NULL;
    NA_TRY(na_kept_tokens_begin(request, sign_in));
    int had_picture = na_picture_is_data(sign_in->claims);
    na_error *error = na_session_begin(request->sessions, &request->visit, sign_in->claims,
                                       at_provider, response->set_cookies);
    if (error)
        return na_error_wrap(request->pool, error,
                             na_is_unavailable(error) || na_error_is(error, NA_ERR_ACCESS_DENIED)
                                 ? NULL
                                 : NA_ERR_CONFIGURATION,
                             "could not create a session for '%s'", user);
    if (had_picture && !na_picture_is_data(sign_in->claims))
        na_log(request, NA_LOG_INFO, "SESSION",
               "the session of '%s' is without the user's picture, which is too large for it",
               user);
    na_direct_signed_in(request, response);
    na_pending_clear(request, response);
    na_report(request, &sign_in->event);
    na_limit_give_back(request);
    request->account = sign_in->account;
    na_limit_remember(request, response, sign_in->revision);
    remember_user(request, response, sign_in);
    return NULL;
}
