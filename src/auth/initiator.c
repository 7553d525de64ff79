/* SPDX-License-Identifier: Apache-2.0 */
/* The browser and the user that began a sign-in at a provider. */
#include "auth/initiator.h"

#include <string.h>

#include "auth/csrf.h"
#include "auth/fresh.h"
#include "auth/session.h"
#include "base/crypto.h"
#include "base/json.h"

/* The claims are hashes, of one length whatever a provider's IDs are, because cookies are small. */
#define CLAIM_BROWSER "browser"
#define CLAIM_USER "user"
#define CLAIM_PAGE "page"

static int is_browser(const na_request *request, const char *hash)
{
    const char *browser = na_csrf_browser(request);
    return browser && na_equal_secret(hash, na_sha256_hex(request->pool, browser, ""));
}

static const char *user_hash(apr_pool_t *pool, const na_session *session)
{
    return session ? na_sha256_hex(pool, na_session_user_name(pool, session), "") : "";
}

/* Sets *session, NULL if no user is signed in or the cookie is invalid. */
static na_error *load_session(na_request *request, const na_session **session)
{
    na_error *error = na_request_session(request, session);
    return na_is_unavailable(error) ? error : NULL;
}

na_error *na_initiator_put(na_request *request, json_t *claims)
{
    const na_session *session;
    NA_TRY(load_session(request, &session));
    json_object_set_new(claims, CLAIM_BROWSER,
                        json_string(na_sha256_hex(request->pool, na_csrf_browser(request), "")));
    json_object_set_new(claims, CLAIM_USER, json_string(user_hash(request->pool, session)));
    if (request->page)
        json_object_set_new(claims, CLAIM_PAGE, json_string(request->page));
    return NULL;
}

na_error *na_initiator_take(na_request *request, const na_claims *claims, na_initiator *initiator)
{
    const char *browser = na_claims_text(claims, CLAIM_BROWSER);
    const char *user = na_claims_text(claims, CLAIM_USER);
    const na_session *session;
    request->page = na_claims_text(claims, CLAIM_PAGE);
    *initiator = (na_initiator){.began = claims->iat, .is_again = na_fresh_is_asked(request)};
    NA_TRY(load_session(request, &session));
    if (browser && !is_browser(request, browser))
        return na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                            "another browser began the sign-in: the CSRF cookie does not match");
    if (!browser || !user || !*user) {
        initiator->other = session;
        return NULL;
    }
    if (!na_equal_secret(user, user_hash(request->pool, session)))
        return na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                            "the user who began the sign-in is no longer signed in");
    initiator->session = session;
    return NULL;
}

na_error *na_initiator_confirm(na_request *request, const na_initiator *initiator)
{
    const na_session *session;
    if (!initiator->session)
        return NULL;
    na_error *error = na_request_session_now(request, &session);
    if (na_is_unavailable(error) || session)
        return error;
    return na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                        "the user who began the sign-in is no longer signed in");
}

na_error *na_initiator_check(na_request *request, const na_initiator *initiator,
                             const char *user_name)
{
    if (!initiator->other ||
        strcmp(na_session_user_name(request->pool, initiator->other), user_name) == 0)
        return NULL;
    return na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                        "no user was signed in when the sign-in began, and another user is signed "
                        "in now (sign out first)");
}
