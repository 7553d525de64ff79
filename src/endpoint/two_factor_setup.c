/* SPDX-License-Identifier: Apache-2.0 */
/* The page on which a user sets up the second factor, and looks after it. */
#include <string.h>

#include <apr_strings.h>

#include "auth/fresh.h"
#include "auth/notice.h"
#include "auth/password_user.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/second_factor.h"
#include "base/json.h"
#include "base/url.h"
#include "endpoint/endpoints.h"
#include "endpoint/two_factor.h"
#include "twofactor/qr.h"
#include "twofactor/totp.h"

static const char this_page[] = "/two-factor-setup";

/* ── who may ───────────────────────────────────────────────────────────────────────────────── */

/*
 * Sets *may to 1 if the client has proved recently to be the session's user: with the second factor
 * if there is one. A stolen session, or a password alone, must not replace it.
 */
static na_error *authorize_session(na_request *request, na_response *response,
                                   const na_challenge *challenge, int *may)
{
    apr_int64_t since = apr_time_sec(request->now) - NA_FRESH_SECONDS;
    const char *here = na_two_factor_url(request, this_page, request->callback_url);
    if (!na_factors_are_any(&challenge->factors)) {
        na_fresh(request, response, challenge->session, here + strlen(request->config->base_url),
                 may);
        return NULL;
    }
    *may = challenge->session->second_factor >= since;
    if (!*may)
        na_respond_redirect(request, response, 403,
                            na_two_factor_url(request, "/two-factor", here));
    return NULL;
}

/* A sign-in that waits can only set up the first factor of a user who has none. */
static na_error *authorize(na_request *request, na_response *response, na_challenge *challenge,
                           int *may)
{
    int found, is_required = request->config->session.two_factor == NA_TWO_FACTOR_REQUIRED;
    *may = 0;
    NA_TRY(na_challenge_find(request, challenge, &found));
    if (found && !challenge->is_pending)
        return authorize_session(request, response, challenge, may);
    *may = found && is_required && !na_factors_are_any(&challenge->factors);
    if (!*may && found && na_factors_are_any(&challenge->factors))
        na_respond_redirect(request, response, 403,
                            apr_pstrcat(request->pool, request->config->base_url, "/two-factor",
                                        NULL));
    else if (!*may)
        na_two_factor_sign_in(request, response, this_page);
    return NULL;
}

/* ── the key that is not confirmed yet ─────────────────────────────────────────────────────── */

/*
 * Nothing is stored before the first right code: until then the key is in the form, encrypted for
 * this user and site.
 */
#define SETUP_MAX_AGE 900

static na_error *derive_ring(const na_request *request, na_keyring *ring)
{
    return na_keyring_derive(request->pool, NA_V5, request->config->secrets,
                             request->config->secret_count, "setup of a second factor", ring);
}

static na_error *seal_setup(na_request *request, const char *user_id, const char *key,
                            const char **sealed)
{
    na_keyring ring;
    char *token;
    json_t *claims = na_json_own(request->pool,
                                 json_pack("{s:s, s:s, s:s}", "site", request->config->session.site,
                                           "user", user_id, "key", key));
    NA_TRY(derive_ring(request, &ring));
    NA_TRY(na_keyring_seal(request->pool, &ring, claims, request->now, SETUP_MAX_AGE, &token));
    *sealed = token;
    return NULL;
}

/* Returns the key of the form; NULL if it is not of this user, or too old. */
static const char *open_setup(na_request *request, const char *user_id)
{
    const char *sealed = apr_table_get(request->form, "setup");
    na_keyring ring;
    json_t *claims;
    if (!sealed || derive_ring(request, &ring) ||
        na_keyring_open(request->pool, &ring, na_bytes_of(sealed), request->now, &claims))
        return NULL;
    const char *site = na_json_string(claims, "site"), *user = na_json_string(claims, "user");
    int is_ours = site && user && strcmp(site, request->config->session.site) == 0 &&
                  strcmp(user, user_id) == 0;
    return is_ours ? na_json_string(claims, "key") : NULL;
}

/* ── pages ─────────────────────────────────────────────────────────────────────────────────── */

static na_page_form form_of(const na_request *request, const na_challenge *challenge)
{
    na_page_form form = na_form_of_request(request);
    form.callback_url = na_challenge_target(request, challenge);
    return form;
}

static const char *qr_of(const na_request *request, const na_db_user *user, const char *key)
{
    na_url site;
    const char *account = user->email ? user->email : user->name ? user->name : user->id;
    na_url_parse(request->pool, request->config->origin, &site);
    const char *uri = na_totp_uri(request->pool, site.host, account, key);
    return na_qr_svg(request->pool, uri,
                     na_say(request->language, "QR code with the key for your authenticator app"));
}

/* Shows a new key, or the same one again after a wrong code. */
static na_error *respond_setup(na_request *request, na_response *response,
                               const na_challenge *challenge, const char *key, const char *error)
{
    const na_page_form form = form_of(request, challenge);
    na_page_factor_setup page = {.key = key ? key : na_totp_new_key(request->pool),
                                 .is_required = challenge->is_pending,
                                 .error = na_say(request->language, error)};
    page.qr = qr_of(request, &challenge->person.user, page.key);
    NA_TRY(seal_setup(request, challenge->factors.user_id, page.key, &page.sealed));
    na_respond_page(request, response, 200, na_say(request->language, "Set up two-factor sign-in"),
                    na_page_two_factor_setup(request->pool, &form, &page));
    return NULL;
}

static void respond_codes(na_request *request, na_response *response, const na_challenge *challenge,
                          const apr_array_header_t *codes)
{
    const na_page_form form = form_of(request, challenge);
    na_respond_page(request, response, 200, na_say(request->language, "Your recovery codes"),
                    na_page_recovery_codes(request->pool, &form, codes));
}

static void respond_state(na_request *request, na_response *response, const na_challenge *challenge,
                          const char *said)
{
    const na_page_form form = form_of(request, challenge);
    const na_factors *factors = &challenge->factors;
    apr_array_header_t *browsers = apr_array_make(request->pool, 4, sizeof(na_page_browser));
    for (int i = 0; i < factors->browsers->nelts; i++) {
        const na_db_secret *row = &APR_ARRAY_IDX(factors->browsers, i, na_db_secret);
        APR_ARRAY_PUSH(browsers, na_page_browser) =
            (na_page_browser){row->id, row->name, apr_time_sec(request->now) - row->used_at / 1000};
    }
    const na_page_factor_state page = {.recovery_codes = factors->recovery_codes,
                                       .browsers = browsers,
                                       .may_disable = request->config->session.two_factor ==
                                                      NA_TWO_FACTOR_OPTIONAL,
                                       .said = na_say(request->language, said)};
    na_respond_page(request, response, 200, na_say(request->language, "Two-factor sign-in"),
                    na_page_two_factor_state(request->pool, &form, &page));
}

na_error *na_get_two_factor_setup(na_request *request, na_response *response)
{
    na_challenge challenge;
    int may;
    NA_TRY(authorize(request, response, &challenge, &may));
    if (!may)
        return NULL;
    if (!challenge.factors.totp || apr_table_get(request->query, "replace"))
        return respond_setup(request, response, &challenge, NULL, NULL);
    respond_state(request, response, &challenge, NULL);
    return NULL;
}

/* ── changes ───────────────────────────────────────────────────────────────────────────────── */

typedef na_error *changer(na_request *request, na_response *response, na_challenge *challenge);

/* A change of the user's secrets, with what is recorded of it. */
typedef struct factor_change {
    na_request *request;
    const na_event *event;
    na_decision decision;
} factor_change;

static na_error *record_change(void *data, na_db_use *use, const na_decision *decision)
{
    const factor_change *c = data;
    return na_record_event(c->request, use, c->event);
}

static factor_change change_of(na_request *request, const na_challenge *challenge,
                               const na_event *event)
{
    apr_pool_t *pool = request->pool;
    return (factor_change){.request = request,
                           .event = event,
                           .decision = {.user_id = challenge->factors.user_id,
                                        .revision = &challenge->person.revision,
                                        .removed = apr_array_make(pool, 4, sizeof(na_db_secret)),
                                        .secrets = apr_array_make(pool, 12, sizeof(na_db_secret))}};
}

static apr_array_header_t *removed_by(factor_change *c)
{
    return (apr_array_header_t *)c->decision.removed;
}

static apr_array_header_t *added_to(factor_change *c)
{
    return (apr_array_header_t *)c->decision.secrets;
}

static na_error *decide_change(factor_change *c)
{
    c->decision.record = record_change;
    c->decision.data = c;
    NA_TRY(na_db_decide(c->request->db, c->request->pool, &c->decision));
    if (!c->decision.held)
        return na_error_new(c->request->pool, NA_ERR_CONFLICT,
                            "the user was changed at the same time");
    na_report(c->request, c->event);
    return NULL;
}

/* All sessions that began without it end; this one begins again with it. */
static na_error *enable_factor(na_request *request, na_response *response, na_challenge *challenge)
{
    const na_db_user *user = &challenge->person.user;
    const char *key = open_setup(request, user->id), *typed = apr_table_get(request->form, "code");
    na_bytes bytes;
    na_db_secret row;
    if (!key || !na_totp_decode_key(request->pool, key, &bytes))
        return respond_setup(request, response, challenge, NULL,
                             NA_TEXT("This form has expired. Scan the new code."));
    apr_int64_t step = na_totp_check(bytes, typed ? typed : "", request->now, 0);
    if (!step)
        return respond_setup(request, response, challenge, key,
                             NA_TEXT("The code is wrong. Check that the clock of your device is "
                                     "right."));
    const na_event event = na_event_of_db_user(request, NA_EVENT_TWO_FACTOR_ON, user);
    factor_change c = change_of(request, challenge, &event);
    NA_TRY(na_factors_new_totp(request, user->id, key, step, &row));
    na_factors_remove_all(removed_by(&c));
    APR_ARRAY_PUSH(added_to(&c), na_db_secret) = row;
    const apr_array_header_t *codes = na_factors_new_codes(request, user->id, added_to(&c));
    c.decision.does = NA_DB_ENDS_SESSIONS;
    NA_TRY(decide_change(&c));
    na_notice_change(request, NA_CHANGE_SECOND_FACTOR_ON, user->email);
    NA_TRY(na_password_user_sign_out(request, user->id));
    challenge->person.revision = c.decision.revision_now;
    NA_TRY(na_second_factor_pass(request, response, challenge, NA_METHOD_OTP));
    respond_codes(request, response, challenge, codes);
    return NULL;
}

static na_error *replace_codes(na_request *request, na_response *response, na_challenge *challenge)
{
    const na_db_user *user = &challenge->person.user;
    const na_event event = na_event_of_db_user(request, NA_EVENT_RECOVERY_CODES, user);
    factor_change c = change_of(request, challenge, &event);
    if (!challenge->factors.totp)
        return respond_setup(request, response, challenge, NULL, NULL);
    APR_ARRAY_PUSH(removed_by(&c), na_db_secret) = (na_db_secret){.kind = NA_SECRET_RECOVERY};
    const apr_array_header_t *codes = na_factors_new_codes(request, user->id, added_to(&c));
    NA_TRY(decide_change(&c));
    na_notice_change(request, NA_CHANGE_RECOVERY_CODES, user->email);
    respond_codes(request, response, challenge, codes);
    return NULL;
}

static na_error *disable_factor(na_request *request, na_response *response, na_challenge *challenge)
{
    const na_db_user *user = &challenge->person.user;
    const na_event event = na_event_of_db_user(request, NA_EVENT_TWO_FACTOR_OFF, user);
    factor_change c = change_of(request, challenge, &event);
    if (request->config->session.two_factor != NA_TWO_FACTOR_OPTIONAL) {
        respond_state(request, response, challenge,
                      NA_TEXT("This site requires two-factor sign-in."));
        return NULL;
    }
    na_factors_remove_all(removed_by(&c));
    NA_TRY(decide_change(&c));
    na_notice_change(request, NA_CHANGE_SECOND_FACTOR_OFF, user->email);
    na_respond_redirect(request, response, 200, na_challenge_target(request, challenge));
    return NULL;
}

/* Forgets one browser, or all if the form names none. */
static na_error *forget_browsers(na_request *request, na_response *response,
                                 na_challenge *challenge)
{
    const na_db_user *user = &challenge->person.user;
    const na_event event = na_event_of_db_user(request, NA_EVENT_FORGET_BROWSER, user);
    factor_change c = change_of(request, challenge, &event);
    APR_ARRAY_PUSH(removed_by(&c), na_db_secret) =
        (na_db_secret){.kind = NA_SECRET_BROWSER, .id = apr_table_get(request->form, "browser")};
    NA_TRY(decide_change(&c));
    NA_TRY(na_factors_find(request, user->id, &challenge->factors));
    respond_state(request, response, challenge, NA_TEXT("From now on, a code is asked for again."));
    return NULL;
}

static changer *find_change(const char *name)
{
    static const struct {
        const char *name;
        changer *change;
    } changes[] = {{"enable", enable_factor},
                   {"codes", replace_codes},
                   {"disable", disable_factor},
                   {"forget", forget_browsers}};
    for (int i = 0; name && i < 4; i++)
        if (strcmp(changes[i].name, name) == 0)
            return changes[i].change;
    return NULL;
}

na_error *na_post_two_factor_setup(na_request *request, na_response *response)
{
    na_challenge challenge;
    changer *change = find_change(apr_table_get(request->form, "change"));
    int may;
    NA_TRY(authorize(request, response, &challenge, &may));
    if (!may)
        return NULL;
    return change ? change(request, response, &challenge)
                  : respond_setup(request, response, &challenge, NULL, NULL);
}
