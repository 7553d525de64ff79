/* SPDX-License-Identifier: Apache-2.0 */
/* A browser's cookie that names the user who was last signed in, even after the session. */
#include "auth/former.h"

#include <apr_strings.h>

#include "auth/respond.h"
#include "base/json.h"

/* Seconds; renewed at each sign-in, and by a page that lacks it or has another user's. */
#define MAX_AGE (90L * 24 * 3600)

#define BROWSER_BYTES 16

static const na_cookie *cookie_of(const na_request *request)
{
    return &request->config->cookies[NA_COOKIE_FORMER];
}

static const na_keyring *ring_of(const na_request *request)
{
    return &request->config->check_rings[NA_COOKIE_FORMER];
}

const char *na_former_user(const na_request *request, const char *user_name)
{
    return na_sha256_hex(request->pool,
                         apr_pstrcat(request->pool, "former user at ",
                                     request->config->session.site, "\n", NULL),
                         user_name);
}

int na_former_find(const na_request *request, na_former *former)
{
    const char *cookie;
    json_t *json;
    for (int i = 0; (cookie = na_cookies_get(request->cookies, cookie_of(request)->name, i)); i++) {
        if (na_keyring_open(request->pool, ring_of(request), na_bytes_of(cookie), request->now,
                            &json))
            continue;
        *former = (na_former){na_json_string(json, "browser"), na_json_string(json, "user")};
        if (former->browser && former->user)
            return 1;
    }
    return 0;
}

na_error *na_former_remember(na_request *request, na_response *response, const char *user_name)
{
    na_former former;
    char *token;
    if (!na_former_find(request, &former))
        former.browser = na_random_base64url(request->pool, BROWSER_BYTES);
    json_t *json =
        na_json_own(request->pool, json_pack("{s:s, s:s}", "browser", former.browser, "user",
                                             na_former_user(request, user_name)));
    NA_TRY(na_keyring_seal(request->pool, ring_of(request), json, request->now, MAX_AGE, &token));
    na_set_cookie(response,
                  na_cookie_write(request->pool, cookie_of(request), cookie_of(request)->name,
                                  token, MAX_AGE, request->now + apr_time_from_sec(MAX_AGE)));
    return NULL;
}
