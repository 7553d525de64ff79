/* SPDX-License-Identifier: Apache-2.0 */
/* A fresh sign-in, which changes of what protects an account require. */
#include "auth/fresh.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/respond.h"
#include "auth/session.h"
#include "base/url.h"

/* The browser can have been left unlocked, and a session can be stolen. */

static apr_int64_t seconds_of(const na_session *session, const char *claim)
{
    const char *text = na_session_claim(session, claim);
    return text ? apr_atoi64(text) : 0;
}

apr_int64_t na_fresh_proved(const na_session *session)
{
    apr_int64_t first = seconds_of(session, NA_CLAIM_PROVED);
    apr_int64_t second = session->second_factor;
    return first > second && !session->is_remembered ? first : second;
}

int na_fresh_at(const na_session *session, apr_int64_t at)
{
    return na_fresh_proved(session) >= at - NA_FRESH_SECONDS;
}

void na_fresh(na_request *request, na_response *response, const na_session *session,
              const char *path, int *is_fresh)
{
    const char *base = request->config->base_url;
    const char *page = session->is_remembered ? "/two-factor" : NA_PAGE_AGAIN;
    *is_fresh = na_fresh_at(session, apr_time_sec(request->now));
    if (!*is_fresh)
        na_respond_redirect(request, response, 403,
                            na_url_add(request->pool, apr_pstrcat(request->pool, base, page, NULL),
                                       "callbackUrl",
                                       apr_pstrcat(request->pool, base, path, NULL)));
}

int na_fresh_is_asked(const na_request *request)
{
    return request->page && strcmp(request->page, NA_PAGE_AGAIN) == 0;
}

na_error *na_fresh_same_user(const na_request *request, const char *user_name)
{
    const na_session *session;
    na_error *error = na_request_session(request, &session);
    if (na_is_unavailable(error))
        return error;
    return !session || strcmp(na_session_user_name(request->pool, session), user_name) == 0
               ? NULL
               : na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                              "signing in again requires the user who is signed in");
}
