/* SPDX-License-Identifier: Apache-2.0 */
/* The page on which a user allows a device, or denies it (RFC 8628 section 3.3). */
#include "endpoint/device.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/access_token.h"
#include "auth/device_grant.h"
#include "auth/fresh.h"
#include "auth/limit.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/url.h"
#include "endpoint/endpoints.h"

/* Polls of the device change its grant at the same time. */
#define TRIES 8

/* The user who decides: `person` is not disabled, and the session has not ended. */
typedef struct decider {
    const na_session *session;
    na_db_person person;
} decider;

static const char *path_of(apr_pool_t *pool, const char *user_code)
{
    return user_code ? na_url_add(pool, "/device", "user_code", user_code) : "/device";
}

static const char unusable[] =
    NA_TEXT("This code is not valid. It may have expired, or been used already. "
            "Check it, or start again on the device.");

/* ── the user ──────────────────────────────────────────────────────────────────────────────── */

/* Access tokens are of users of the database. */
static na_error *load_decider(na_request *request, decider *who, int *found)
{
    *found = 0;
    na_error *error = na_request_session_now(request, &who->session);
    if (na_is_unavailable(error))
        return error;
    if (!who->session)
        return NULL;
    if (!na_session_claim(who->session, NA_CLAIM_DATABASE_USER))
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "only users of the database can have access tokens");
    const na_db_who user = {.id = who->session->user, .current = 1};
    NA_TRY(na_db_find(request->db, request->pool, &user, &who->person, found));
    *found = *found && !who->person.credential.disabled &&
             na_session_is_of_revision(request, who->session, who->person.revision);
    return NULL;
}

static void ask_to_sign_in(na_request *request, na_response *response, const char *user_code)
{
    const char *base = request->config->base_url;
    const char *back = apr_pstrcat(request->pool, base, path_of(request->pool, user_code), NULL);
    na_respond_redirect(request, response, 401,
                        na_url_add(request->pool, apr_pstrcat(request->pool, base, "/signin", NULL),
                                   "callbackUrl", back));
}

/* ── pages ─────────────────────────────────────────────────────────────────────────────────── */

static void respond_ask(na_request *request, na_response *response, const char *error)
{
    na_page_form form = na_form_of_request(request);
    na_respond_page(request, response, 200, na_say(form.language, "Sign in a device"),
                    na_page_device_ask(request->pool, &form, error));
}

/* The user must see where the request comes from (RFC 8628 section 5.4). */
static void respond_confirm(na_request *request, na_response *response,
                            const na_device_grant *grant)
{
    na_page_form form = na_form_of_request(request);
    const char *here = request->origin.address;
    const na_page_device device = {.user_code = grant->user_code,
                                   .name = grant->device,
                                   .client = grant->client,
                                   .address = grant->address ? grant->address : "",
                                   .is_elsewhere = !grant->address || !here ||
                                                   strcmp(grant->address, here) != 0,
                                   .is_whole_site = strcmp(grant->scope, "/") == 0,
                                   .scope = grant->scope,
                                   .asked = apr_time_sec(request->now) - grant->asked_at};
    na_respond_page(request, response, 200, na_say(form.language, "Allow this device?"),
                    na_page_device_confirm(request->pool, &form, &device));
}

static void respond_decided(na_request *request, na_response *response, int allows)
{
    na_page_form form = na_form_of_request(request);
    na_respond_page(request, response, 200, na_say(form.language, "Sign in a device"),
                    na_page_device_decided(request->pool, &form, allows));
}

/* ── the grant ─────────────────────────────────────────────────────────────────────────────── */

static int can_be_decided(const na_request *request, const na_device_grant *grant)
{
    return grant->state == NA_GRANT_PENDING && !na_device_grant_has_expired(request, grant);
}

/* Guesses are counted (RFC 8628 section 5.1). *found is 0 if there is nothing to decide. */
static na_error *find_grant(na_request *request, const decider *who, const char *user_code,
                            na_device_grant *grant, int *found)
{
    request->attempted = NA_EVENT_DEVICE_LOGIN;
    request->claimant = (na_user){who->person.user.id, who->person.user.name,
                                  who->person.user.email, who->person.user.image};
    NA_TRY(na_limit_take_signed_in(request, NA_LIMIT_DEVICE_LOGIN, who->person.user.id));
    NA_TRY(na_device_grant_find_by_user_code(request, user_code, grant, found));
    *found = *found && can_be_decided(request, grant);
    return NULL;
}

static void decide_grant(na_request *request, const decider *who, int allows,
                         na_device_grant *grant)
{
    grant->state = allows ? NA_GRANT_ALLOWED : NA_GRANT_DENIED;
    grant->user_id = who->person.user.id;
    grant->revision = who->person.revision;
    if (allows)
        grant->claims = na_access_token_claims(request->pool, who->session);
}

/* *decided is 0 if another decided it before, or it has gone. */
static na_error *write_decision(na_request *request, const decider *who, int allows,
                                na_device_grant *grant, int *decided)
{
    int found = 1;
    *decided = 0;
    for (int tries = 0; !*decided && tries < TRIES; tries++) {
        if (tries)
            NA_TRY(na_device_grant_reread(request, grant, &found));
        if (!found || !can_be_decided(request, grant))
            return NULL;
        decide_grant(request, who, allows, grant);
        NA_TRY(na_device_grant_write(request, grant, decided));
    }
    return NULL;
}

static na_event event_of(na_request *request, const decider *who, const na_device_grant *grant,
                         int allows)
{
    na_event event = na_event_of_db_user(request, NA_EVENT_DEVICE_LOGIN, &who->person.user);
    event.detail = apr_pstrcat(request->pool, grant->device, " (", grant->client, ") at ",
                               grant->address ? grant->address : "an unknown address", NULL);
    if (!allows) {
        event.failure = NA_ERR_ACCESS_DENIED;
        event.reason = "the user denied it";
    }
    return event;
}

static na_error *decide(na_request *request, na_response *response, const decider *who,
                        na_device_grant *grant, int allows)
{
    int decided;
    const na_event event = event_of(request, who, grant, allows);
    NA_TRY(na_record_event(request, NULL, &event));
    NA_TRY(write_decision(request, who, allows, grant, &decided));
    if (!decided) {
        respond_ask(request, response, unusable);
        return NULL;
    }
    na_report(request, &event);
    respond_decided(request, response, allows);
    return NULL;
}

/* ── the endpoint ──────────────────────────────────────────────────────────────────────────── */

/* Shows a grant, or decides it; `decision` is NULL to show it. */
static na_error *handle(na_request *request, na_response *response, const char *user_code,
                        const char *decision)
{
    na_device_grant grant = {0};
    decider who;
    int found, is_fresh = 1;
    int allows = decision && strcmp(decision, "allow") == 0;
    if (!na_allows_devices(request))
        return na_error_new(request->pool, NA_ERR_CONFIGURATION,
                            "NextAuthFeature deviceLogin is not set");
    NA_TRY(load_decider(request, &who, &found));
    if (!found) {
        ask_to_sign_in(request, response, user_code);
        return NULL;
    }
    if (!user_code) {
        respond_ask(request, response, NULL);
        return NULL;
    }
    NA_TRY(find_grant(request, &who, user_code, &grant, &found));
    if (!found) {
        respond_ask(request, response, unusable);
        return NULL;
    }
    if (allows)
        na_fresh(request, response, who.session, path_of(request->pool, grant.user_code),
                 &is_fresh);
    if (!is_fresh)
        return NULL;
    if (decision)
        return decide(request, response, &who, &grant, allows);
    respond_confirm(request, response, &grant);
    return NULL;
}

/* A link has the whole code (RFC 8628 section 3.3.1). It is shown again, to be compared. */
na_error *na_get_device(na_request *request, na_response *response)
{
    const char *user_code = apr_table_get(request->query, "user_code");
    return handle(request, response, user_code, NULL);
}

na_error *na_post_device(na_request *request, na_response *response)
{
    const char *user_code = apr_table_get(request->form, "user_code");
    return handle(request, response, user_code ? user_code : "",
                  apr_table_get(request->form, "decision"));
}
