/* SPDX-License-Identifier: Apache-2.0 */
/* The session endpoint. */
#include <string.h>

#include <apr_strings.h>

#include "auth/callbacks.h"
#include "auth/renew_profile.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/clock.h"
#include "base/json.h"
#include "endpoint/endpoints.h"

/* Responds with "no session" as the dialect's client expects it. */
static void respond_none(na_request *request, na_response *response, int status)
{
    json_t *none = request->config->dialect == NA_V4 ? json_object() : json_null();
    na_respond_json(request, response, status, na_json_own(request->pool, none));
}

static void copy_claim(json_t *user, const char *name, const json_t *claims, const char *claim)
{
    json_t *value = json_object_get(claims, claim);
    if (value)
        json_object_set(user, name, value);
}

/* A database user has all three members; those without a value are null. */
static void copy_user_claim(json_t *user, const char *name, const json_t *claims, const char *claim)
{
    copy_claim(user, name, claims, claim);
    if (!json_object_get(user, name) && json_object_get(claims, NA_CLAIM_DATABASE_USER))
        json_object_set_new(user, name, json_null());
}

/* Returns RefreshTokenError where Auth.js' guide has it: applications look for it there. */
static const char *error_of(const json_t *claims)
{
    const char *error = na_json_string(claims, NA_CLAIM_ERROR);
    return error && na_is_same(error, NA_REFRESH_TOKEN_ERROR) ? NA_REFRESH_TOKEN_ERROR : NULL;
}

/* Returns NextAuth's session: user, expiry, and the claims of NextAuthSessionClaim.
 */
static json_t *session_json(na_request *request, const json_t *claims, apr_int64_t expires)
{
    const apr_array_header_t *names = request->config->session_claims;
    json_t *user = json_object();
    copy_user_claim(user, "name", claims, "name");
    copy_user_claim(user, "email", claims, "email");
    copy_user_claim(user, "image", claims, "picture");
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        copy_claim(user, strcmp(name, "sub") == 0 ? "id" : name, claims, name);
    }
    return na_json_own(request->pool,
                       json_pack("{s:o, s:s, s:s*}", "user", user, "expires",
                                 na_iso8601(request->pool, apr_time_from_sec(expires)), "error",
                                 error_of(claims)));
}

/* Marks a session whose access token the provider renews no more. If the store is down, later. */
static void mark_refused(na_request *request, const na_session *session, json_t *claims)
{
    na_kept_tokens kept;
    int found = 0;
    if (request->config->keeping.is_on && !na_kept_tokens_find(request, session, &kept, &found) &&
        found && kept.is_refused)
        json_object_set_new(claims, NA_CLAIM_ERROR, json_string(NA_REFRESH_TOKEN_ERROR));
}

static na_error *show_session(na_request *request, na_response *response, const na_session *session,
                              const na_renewal *renewal)
{
    json_t *shown = session_json(request, renewal->claims, renewal->expires);
    NA_TRY(na_callback_session(request, renewal->claims, &shown));
    na_respond_json(request, response, 200, shown);
    const na_event event = na_event_of_session(request, NA_EVENT_SESSION, session);
    na_report(request, &event);
    return NULL;
}

/*
 * Every request renews the session, as in NextAuth, if that can be written, unless it does not
 * count as activity. An update that an application decided about must be written.
 */
static na_error *renew_session(na_request *request, na_response *response,
                               const na_session *session, int is_update)
{
    na_renewal renewal;
    int is_asked = request->config->callbacks[NA_CALLBACK_JWT] != NULL;
    int must_write = is_asked && is_update;
    NA_TRY(na_session_prepare(request->sessions, &request->visit, session, &renewal));
    if (request->visit.client.is_passive && !is_update)
        return show_session(request, response, session, &renewal);
    renewal.is_written |= must_write;
    mark_refused(request, session, renewal.claims);
    if (renewal.is_written)
        NA_TRY(na_callback_jwt_again(request, is_update, renewal.claims));
    na_error *error = na_session_renew(request->sessions, &request->visit, session, &renewal,
                                       response->set_cookies);
    if (is_asked && na_error_is(error, NA_ERR_CONFIGURATION))
        return na_error_wrap(request->pool, error, NA_ERR_UNAVAILABLE,
                             "the session stays as it is");
    if (error && (must_write || !na_is_unavailable(error)))
        return error;
    return show_session(request, response, session, &renewal);
}

static na_error *respond_with_session(na_request *request, na_response *response, int is_update)
{
    const na_session *session;
    na_error *error = na_session_load(request->sessions, &request->visit, &session);
    if (session && !na_profile_renew(request, &session))
        error = na_error_new(request->pool, NA_ERR_ACCESS_DENIED, "the session ends");
    else if (session)
        error = renew_session(request, response, session, is_update);
    if (session && !error)
        return NULL;
    if (na_is_unavailable(error))
        return error;
    if (error)
        na_log(request, NA_LOG_INFO, "JWT_SESSION_ERROR", "session refused: %s",
               na_error_text(request->pool, error));
    if (session && na_error_is(error, NA_ERR_ACCESS_DENIED))
        NA_TRY(na_request_end_session(request, response));
    else if (!na_session_is_foreign(error))
        na_session_clear(&request->config->session, &request->visit, response->set_cookies);
    respond_none(request, response, 200);
    return NULL;
}

na_error *na_get_session(na_request *request, na_response *response)
{
    return respond_with_session(request, response, 0);
}

/*
 * useSession's update(): `data` from the browser is untrusted, and changes no claim but what
 * NextAuthCallback jwt makes of it.
 */
na_error *na_post_session(na_request *request, na_response *response)
{
    if (request->csrf_verified)
        return respond_with_session(request, response, 1);
    respond_none(request, response, 400);
    return NULL;
}
