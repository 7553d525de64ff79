/* SPDX-License-Identifier: Apache-2.0 */
/* Gives a device its access token once its user has allowed it, and revokes tokens. */
#include <string.h>

#include <apr_strings.h>

#include "auth/access_token.h"
#include "auth/device_grant.h"
#include "auth/limit.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "base/json.h"
#include "endpoint/device.h"
#include "endpoint/endpoints.h"

#define GRANT_TYPE "urn:ietf:params:oauth:grant-type:device_code"

/* Seconds that are added to the interval of a device that polls too fast (RFC 8628 section 3.5). */
#define SLOWER 5
#define INTERVAL_MAX 60

/* Others can change a grant while it is redeemed: a poll, or its user. */
#define TRIES 8

/* ── polling ───────────────────────────────────────────────────────────────────────────────── */

/* The clocks of servers differ, and times are in whole seconds. */
static int is_too_fast(const na_device_grant *grant, apr_int64_t now)
{
    return now + 1 < grant->polled_at + grant->interval;
}

/* If another request changes the grant at the same time, that one counts. */
static na_error *respond_pending(na_request *request, na_response *response, na_device_grant *grant)
{
    apr_int64_t now = apr_time_sec(request->now);
    int written, too_fast = is_too_fast(grant, now);
    if (too_fast && grant->interval < INTERVAL_MAX)
        grant->interval += SLOWER;
    grant->polled_at = now;
    NA_TRY(na_device_grant_write(request, grant, &written));
    if (too_fast)
        na_respond_oauth_error(request, response, "slow_down",
                               apr_psprintf(request->pool, "ask every %ld seconds",
                                            grant->interval));
    else
        na_respond_oauth_error(request, response, "authorization_pending",
                               "the user has not decided yet");
    return NULL;
}

/* ── redeeming ─────────────────────────────────────────────────────────────────────────────── */

static void respond_token(na_request *request, na_response *response, const na_access_wish *wish,
                          const char *token)
{
    na_respond_json(request, response, 200,
                    na_json_own(request->pool,
                                json_pack("{s:s, s:s, s:s, s:I}", "access_token", token,
                                          "token_type", "Bearer", "scope", wish->scope,
                                          "expires_in", (json_int_t)wish->days * 24 * 3600)));
}

static void respond_denied(na_request *request, na_response *response)
{
    na_respond_oauth_error(request, response, "access_denied",
                           "the user has not allowed it: start again");
}

/*
 * A new password, or the end of all sessions, also ends what was allowed before and not yet
 * redeemed.
 */
static na_error *make_token(na_request *request, na_response *response,
                            const na_device_grant *grant)
{
    const na_access_wish wish = {.user_id = grant->user_id,
                                 .revision = grant->revision,
                                 .claims = grant->claims,
                                 .name = grant->device,
                                 .scope = grant->scope,
                                 .days = NA_ACCESS_TOKEN_DAYS};
    const char *token;
    na_error *error = na_access_token_make(request, &wish, &token);
    if (na_error_is(error, NA_ERR_SESSION)) {
        respond_denied(request, response);
        return NULL;
    }
    if (na_error_is(error, NA_ERR_ACCESS_DENIED)) {
        na_log_error(request, NA_LOG_WARNING, "DEVICE_LOGIN", error);
        na_respond_oauth_error(request, response, "access_denied",
                               "the user can have no more access tokens: delete one, then start "
                               "again");
        return NULL;
    }
    NA_TRY(error);
    respond_token(request, response, &wish, token);
    return NULL;
}

/* The grant is redeemed before the token is made, so that one request alone makes it. */
static na_error *redeem(na_request *request, na_response *response, na_device_grant *grant,
                        int *is_ours)
{
    int ignored;
    grant->state = NA_GRANT_REDEEMED;
    NA_TRY(na_device_grant_write(request, grant, is_ours));
    if (!*is_ours)
        return NULL;
    na_error *error = make_token(request, response, grant);
    grant->state = NA_GRANT_ALLOWED;
    if (error) /* the device can ask again */
        na_device_grant_write(request, grant, &ignored);
    return error;
}

/* ── the endpoint ──────────────────────────────────────────────────────────────────────────── */

/* Guessing a device code is hopeless; what is refused here keeps it from costing much. */
static na_error *refuse_unknown(na_request *request, na_response *response)
{
    request->attempted = NA_EVENT_DEVICE_LOGIN;
    NA_TRY(na_limit_take_stray(request, NA_LIMIT_DEVICE_LOGIN));
    na_respond_oauth_error(request, response, "invalid_grant",
                           "this device code is unknown or was used: start again");
    return NULL;
}

/* Sets *is_done to 0 if others changed the grant meanwhile. */
static na_error *respond_grant(na_request *request, na_response *response, na_device_grant *grant,
                               int *is_done)
{
    *is_done = 1;
    if (grant->state == NA_GRANT_REDEEMED)
        return refuse_unknown(request, response);
    if (grant->state == NA_GRANT_DENIED) {
        respond_denied(request, response);
        return NULL;
    }
    if (na_device_grant_has_expired(request, grant)) {
        na_respond_oauth_error(request, response, "expired_token",
                               "the codes have expired: start again");
        return NULL;
    }
    return grant->state == NA_GRANT_ALLOWED ? redeem(request, response, grant, is_done)
                                            : respond_pending(request, response, grant);
}

static na_error *exchange(na_request *request, na_response *response, const char *code,
                          const char *client)
{
    na_device_grant grant = {0};
    int found, is_done = 0;
    NA_TRY(na_device_grant_find(request, code, &grant, &found));
    if (!found || strcmp(grant.client, client) != 0)
        return refuse_unknown(request, response);
    for (int tries = 0; !is_done && tries < TRIES; tries++) {
        if (tries)
            NA_TRY(na_device_grant_reread(request, &grant, &found));
        if (!found)
            return refuse_unknown(request, response);
        NA_TRY(respond_grant(request, response, &grant, &is_done));
    }
    return is_done ? NULL
                   : na_error_new(request->pool, NA_ERR_CONFLICT, "others changed the grant");
}

na_error *na_post_token(na_request *request, na_response *response)
{
    const char *type = apr_table_get(request->form, "grant_type");
    const char *code = apr_table_get(request->form, "device_code");
    const char *client = apr_table_get(request->form, "client_id");
    if (!type || strcmp(type, GRANT_TYPE) != 0 || !na_allows_devices(request)) {
        na_respond_oauth_error(request, response, "unsupported_grant_type",
                               "only " GRANT_TYPE
                               " is supported, where NextAuthFeature deviceLogin "
                               "is On");
        return NULL;
    }
    if (!code || !client) {
        na_respond_oauth_error(request, response, "invalid_request",
                               "device_code or client_id is missing");
        return NULL;
    }
    return exchange(request, response, code, client);
}

/* ── revoking ──────────────────────────────────────────────────────────────────────────────── */

/*
 * Who has a token can end it (RFC 7009 section 2): nextauthctl logout. The response does not tell
 * whether there was one (section 2.2). Wrong ones count as those that are sent to be used.
 */
na_error *na_post_revoke(na_request *request, na_response *response)
{
    const char *token = apr_table_get(request->form, "token");
    na_db_secret secret;
    int found = 0;
    if (!request->db || !token) {
        na_respond_oauth_error(request, response, "invalid_request", "token is missing");
        return NULL;
    }
    response->status = 200;
    if (!na_access_token_is_well_formed(token))
        return NULL;
    NA_TRY(na_limit_take(request, NA_LIMIT_TOKEN, NULL));
    NA_TRY(na_db_find_secret(request->db, request->pool, NA_SECRET_TOKEN,
                             na_access_token_id(request->pool, token), &secret, &found));
    if (!found)
        return NULL;
    na_limit_give_back(request);
    return na_access_token_revoke(request, secret.user_id, &secret);
}
