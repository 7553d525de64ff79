/* SPDX-License-Identifier: Apache-2.0 */
/* Issues and verifies CSRF tokens. */
#include "auth/csrf.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/report.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/crypto.h"
#include "base/json.h"

#define TOKEN_BYTES 32

/* Returns the token of a cookie whose hash matches one of the secrets, so that rotation does not
 * invalidate open forms; NULL otherwise. */
static const char *token_of(const na_request *request, const char *cookie)
{
    const na_config *config = request->config;
    if (strlen(cookie) != 4 * TOKEN_BYTES + 1 || cookie[2 * TOKEN_BYTES] != '|')
        return NULL;
    const char *token = apr_pstrmemdup(request->pool, cookie, 2 * TOKEN_BYTES);
    for (int i = 0; i < config->secret_count; i++)
        if (na_equal_secret(cookie + 2 * TOKEN_BYTES + 1,
                            na_sha256_hex(request->pool, token, config->secrets[i])))
            return token;
    return NULL;
}

/* ── the session of a token ────────────────────────────────────────────────────────────────── */

/*
 * Once a user is signed in, the second half of a token is derived from the first half and the
 * session, so that a token that an attacker planted, or that an earlier session had, is invalid. If
 * a store is down, the action reports it.
 */
static const char *second_half(const na_request *request, const char *token,
                               const na_session *session, const char *secret)
{
    unsigned char mac[NA_SHA256_LEN];
    const na_store_key *key = na_session_key(request->pool, session);
    const char *text = apr_psprintf(request->pool, "csrf %.*s %s", TOKEN_BYTES, token,
                                    na_hex(request->pool, key->hash, sizeof key->hash));
    na_hmac_sha256(mac, na_bytes_of(secret), na_bytes_of(text));
    return na_hex(request->pool, mac, TOKEN_BYTES / 2);
}

static const na_session *session_of(const na_request *request)
{
    const na_session *session;
    na_request_session(request, &session);
    return session;
}

static int is_of_session(const na_request *request, const char *token)
{
    const na_session *session = session_of(request);
    int matches = !session;
    for (int i = 0; i < request->config->secret_count && !matches; i++)
        matches = na_equal_secret(token + TOKEN_BYTES, second_half(request, token, session,
                                                                   request->config->secrets[i]));
    return matches;
}

static const char *new_token(const na_request *request)
{
    const na_session *session = session_of(request);
    const char *browser = na_csrf_browser(request);
    if (!browser)
        browser = na_random_hex(request->pool, TOKEN_BYTES / 2);
    return apr_pstrcat(request->pool, browser,
                       session ? second_half(request, browser, session, request->config->secrets[0])
                               : na_random_hex(request->pool, TOKEN_BYTES / 2),
                       NULL);
}

/* ── the token of a request ────────────────────────────────────────────────────────────────── */

/*
 * Accepts Auth.js's client without a token: pages of other origins need a CORS preflight to send
 * its header (Fetch, section 4.8), and the browser says that the page is of our origin.
 */
static int is_call_from_here(const na_request *request)
{
    return request->wants_return && request->is_from_here;
}

/* Accepts any valid one of several cookies; forms get the token of the first. */
void na_csrf(na_request *request)
{
    const char *name = request->config->cookies[NA_COOKIE_CSRF].name, *cookie;
    int is_post = strcmp(request->method, "POST") == 0 && !request->is_foreign;
    const char *shown = is_post ? apr_table_get(request->form, "csrfToken") : NULL;
    for (int i = 0; (cookie = na_cookies_get(request->cookies, name, i)); i++) {
        const char *token = token_of(request, cookie);
        if (!token)
            continue;
        request->csrf_verified |= na_equal_secret(token, shown) && is_of_session(request, token);
        if (!request->csrf_token)
            request->csrf_token = token;
    }
    request->csrf_verified |= is_post && is_call_from_here(request);
}

const char *na_csrf_browser(const na_request *request)
{
    return request->csrf_token ? apr_pstrmemdup(request->pool, request->csrf_token, TOKEN_BYTES)
                               : NULL;
}

void na_csrf_hand_out(na_request *request, na_response *response)
{
    if (request->csrf_token && is_of_session(request, request->csrf_token))
        return;
    const na_cookie *cookie = &request->config->cookies[NA_COOKIE_CSRF];
    request->csrf_token = new_token(request);
    const char *hash =
        na_sha256_hex(request->pool, request->csrf_token, request->config->secrets[0]);
    const char *value = apr_pstrcat(request->pool, request->csrf_token, "|", hash, NULL);
    na_set_cookie(response, na_cookie_write(request->pool, cookie, cookie->name, value, -1, 0));
}

static const char *reason_of(const na_request *request)
{
    return request->is_foreign ? "sent by a page of another site (Origin, Sec-Fetch-Site)"
                               : "missing or wrong CSRF token";
}

na_error *na_refuse_csrf(na_request *request, na_response *response, const char *page)
{
    if (na_speaks_v5(request))
        return na_error_new(request->pool, NA_ERR_MISSING_CSRF, "%s", reason_of(request));
    na_log(request, NA_LOG_WARNING, "MISSING_CSRF", "%s %s: %s", request->method, request->action,
           reason_of(request));
    na_keep_reference(request, response);
    na_respond_redirect(request, response, 200,
                        apr_pstrcat(request->pool, request->config->base_url, page, NULL));
    return NULL;
}
