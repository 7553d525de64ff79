/* SPDX-License-Identifier: Apache-2.0 */
/* A sign-in that waits for its second factor, in a cookie of its own. */
#include "auth/pending.h"

#include <string.h>

#include "auth/callback_url.h"
#include "auth/report.h"
#include "base/json.h"
#include "session/chunks.h"
#include "session/picture.h"

/* The claims lie one level below, so that the JSON names no user (`sub`), as a session does. */
#define CLAIMS "claims"

static const na_cookie *cookie_of(const na_request *request)
{
    return &request->config->cookies[NA_COOKIE_TWO_FACTOR];
}

static const na_keyring *ring_of(const na_request *request)
{
    return &request->config->check_rings[NA_COOKIE_TWO_FACTOR];
}

/* ── the session at the provider ───────────────────────────────────────────────────────────── */

static json_t *at_provider_json(const na_provider_session *at)
{
    return at->issuer ? json_pack("{s:s, s:s, s:s*, s:s*, s:I}", "provider", at->provider, "iss",
                                  at->issuer, "sub", at->subject, "sid", at->id, "iat",
                                  (json_int_t)at->since)
                      : NULL;
}

static na_provider_session read_at_provider(const json_t *json)
{
    return (na_provider_session){
        .provider = na_json_string(json, "provider"),
        .issuer = na_json_string(json, "iss"),
        .subject = na_json_string(json, "sub"),
        .id = na_json_string(json, "sid"),
        .since = json_integer_value(json_object_get(json, "iat")),
    };
}

/* The database has a picture that is a data URL: only that there is one is kept. */
static json_t *claims_to_keep(const na_sign_in *sign_in)
{
    json_t *claims = json_copy(sign_in->claims);
    if (na_picture_is_data(claims))
        json_object_set_new(claims, "picture", json_string("data:"));
    return claims;
}

/* ── writing ───────────────────────────────────────────────────────────────────────────────── */

static na_error *write_cookie(na_request *request, na_response *response, const char *token)
{
    const na_config *config = request->config;
    return na_chunks_write(request->pool, cookie_of(request), config->dialect,
                           request->visit.cookie_header, token, config->session.cookie_max,
                           request->now + apr_time_from_sec(NA_PENDING_SECONDS),
                           response->set_cookies);
}

na_error *na_pending_put(na_request *request, na_response *response, const na_sign_in *sign_in)
{
    char *token;
    const na_event *event = &sign_in->event;
    json_t *json =
        na_json_own(request->pool,
                    json_pack("{s:s, s:o, s:s*, s:s*, s:b, s:s*, s:s, s:o*}", "site",
                              request->config->session.site, CLAIMS, claims_to_keep(sign_in),
                              "type", event->account_type, "accountId", event->account_id, "isNew",
                              event->is_new_user, "account", sign_in->account, "callbackUrl",
                              na_callback_url_carried(request, NA_CALLBACK_URL_CARRIED),
                              "atProvider", at_provider_json(&sign_in->at_provider)));
    if (!json)
        return na_error_new(request->pool, NA_ERR_CALLBACK, "the sign-in is not UTF-8");
    NA_TRY(na_keyring_seal(request->pool, ring_of(request), json, request->now, NA_PENDING_SECONDS,
                           &token));
    na_error *error = write_cookie(request, response, token);
    return error ? na_error_wrap(request->pool, error, NA_ERR_CONFIGURATION,
                                 "could not keep the sign-in until its second factor is given")
                 : NULL;
}

void na_pending_clear(na_request *request, na_response *response)
{
    write_cookie(request, response, NULL); /* clearing cannot fail */
}

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

static int read_sign_in(na_request *request, const json_t *json, na_sign_in *sign_in)
{
    const char *site = na_json_string(json, "site");
    json_t *claims = json_object_get(json, CLAIMS);
    const char *url =
        na_safe_redirect(request->pool, request->config, na_json_string(json, "callbackUrl"));
    if (!site || strcmp(site, request->config->session.site) != 0 || !na_json_string(claims, "sub"))
        return 0;
    const na_user user = {na_json_string(claims, "sub"), na_json_string(claims, "name"),
                          na_json_string(claims, "email"), na_json_string(claims, "picture")};
    *sign_in = (na_sign_in){.claims = claims,
                            .event = na_event_of(request, NA_EVENT_SIGN_IN, &user),
                            .account = na_json_string(json, "account"),
                            .callback_url = url ? url : request->config->home,
                            .at_provider = read_at_provider(json_object_get(json, "atProvider"))};
    sign_in->revision = json_integer_value(json_object_get(claims, NA_CLAIM_REVISION));
    sign_in->event.provider = na_json_string(claims, NA_CLAIM_PROVIDER);
    sign_in->event.account_type = na_json_string(json, "type");
    sign_in->event.account_id = na_json_string(json, "accountId");
    sign_in->event.is_new_user = json_is_true(json_object_get(json, "isNew"));
    return 1;
}

int na_pending_find(na_request *request, na_sign_in *sign_in)
{
    const char *name = cookie_of(request)->name;
    na_chunks chunks;
    na_bytes token;
    na_chunks_find(request->visit.cookie_header, name, strlen(name), &chunks);
    for (int i = 0; na_chunks_token(request->pool, &chunks, i, &token); i++) {
        json_t *json;
        na_error *error =
            na_keyring_open(request->pool, ring_of(request), token, request->now, &json);
        if (!error && read_sign_in(request, json, sign_in))
            return 1;
    }
    return 0;
}
