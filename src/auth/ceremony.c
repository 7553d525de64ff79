/* SPDX-License-Identifier: Apache-2.0 */
/* Ceremonies of passkeys: what this site asked a browser, each answered once. */
#include "auth/ceremony.h"

#include <limits.h>
#include <string.h>

#include <apr_strings.h>

#include "auth/checks.h"
#include "auth/replay.h"
#include "auth/respond.h"
#include "base/crypto.h"
#include "base/json.h"

/* Web Authentication Level 3, section 13.4.3: at least 16 bytes. */
#define CHALLENGE_BYTES 32
#define SUFFIX_LEN 8

static const char *stem_of(const na_request *request)
{
    return apr_pstrcat(request->pool, request->config->cookies[NA_COOKIE_CHALLENGE].name, ".",
                       NULL);
}

/* A challenge that a client claims can be anything. */
static const char *cookie_name(const na_request *request, const char *challenge)
{
    const char *stem = stem_of(request);
    if (strlen(challenge) < SUFFIX_LEN)
        return stem;
    return apr_pstrcat(request->pool, stem, apr_pstrmemdup(request->pool, challenge, SUFFIX_LEN),
                       NULL);
}

static void clear_cookie(na_request *request, na_response *response, const char *name)
{
    na_set_cookie(response, na_cookie_clear(request->pool,
                                            &request->config->cookies[NA_COOKIE_CHALLENGE], name));
}

/* Browsers send a host's older cookies first (RFC 6265 section 5.4). */
static void make_room(na_request *request, na_response *response)
{
    const char *name;
    int count = 0, at = INT_MAX;
    while ((name = na_cookies_last(request->cookies, stem_of(request), &at)))
        if (++count >= NA_FLOWS_MAX)
            clear_cookie(request, response, name);
}

int na_ceremony_is_there(const na_request *request)
{
    int at = INT_MAX;
    return na_cookies_last(request->cookies, stem_of(request), &at) != NULL;
}

na_error *na_ceremony_begin(na_request *request, na_response *response, na_ceremony *ceremony)
{
    const na_config *config = request->config;
    char *token;
    ceremony->challenge = na_random_base64url(request->pool, CHALLENGE_BYTES);
    json_t *claims =
        na_json_own(request->pool,
                    json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*}", "value", ceremony->challenge,
                              "action", ceremony->action, "provider", request->provider->id,
                              NA_CLAIM_SITE, config->session.site, "user", ceremony->user_id,
                              "handle", ceremony->user_handle));
    NA_TRY(na_keyring_seal(request->pool, &config->check_rings[NA_COOKIE_CHALLENGE], claims,
                           request->now, NA_CHECKS_MAX_AGE, &token));
    make_room(request, response);
    na_set_cookie(response, na_cookie_write(request->pool, &config->cookies[NA_COOKIE_CHALLENGE],
                                            cookie_name(request, ceremony->challenge), token,
                                            NA_CHECKS_MAX_AGE,
                                            request->now + apr_time_from_sec(NA_CHECKS_MAX_AGE)));
    return NULL;
}

static int is_claim(const na_claims *claims, const char *name, const char *value)
{
    const char *text = na_claims_text(claims, name);
    return text && na_equal_secret(text, value);
}

/* One that cannot be decrypted was set by another site. */
static int is_ceremony(const na_request *request, const char *cookie, const char *action,
                       const char *challenge, na_ceremony *ceremony)
{
    const na_config *config = request->config;
    na_claims claims;
    if (na_keyring_read(request->pool, &config->check_rings[NA_COOKIE_CHALLENGE],
                        na_bytes_of(cookie), request->now, &claims) ||
        !is_claim(&claims, "value", challenge) || !is_claim(&claims, "action", action) ||
        !is_claim(&claims, "provider", request->provider->id) ||
        !is_claim(&claims, NA_CLAIM_SITE, config->session.site))
        return 0;
    *ceremony = (na_ceremony){action, challenge, na_claims_text(&claims, "user"),
                              na_claims_text(&claims, "handle")};
    return 1;
}

na_error *na_ceremony_take(na_request *request, na_response *response, const char *action,
                           const na_webauthn_answer *answer, na_ceremony *ceremony)
{
    const char *challenge = na_webauthn_challenge(request->pool, answer);
    const char *cookie, *name = cookie_name(request, challenge ? challenge : "");
    int found = 0;
    for (int i = 0; challenge && !found && (cookie = na_cookies_get(request->cookies, name, i));
         i++)
        found = is_ceremony(request, cookie, action, challenge, ceremony);
    if (!found)
        return na_error_new(request->pool, NA_ERR_WEBAUTHN,
                            "the challenge is not one that this browser was given to %s in the "
                            "last 15 minutes",
                            action);
    clear_cookie(request, response, name);
    const na_checks checks = {.state = ceremony->challenge};
    na_error *error = na_replay_take(request, &checks);
    return error ? na_error_wrap(request->pool, error, NA_ERR_WEBAUTHN,
                                 "the challenge was answered before")
                 : NULL;
}
