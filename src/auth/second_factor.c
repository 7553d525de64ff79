/* SPDX-License-Identifier: Apache-2.0 */
/* Asks users for a second factor, and completes their sign-in once it is given. */
#include "auth/second_factor.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/kept_tokens.h"
#include "auth/limit.h"
#include "auth/remembered.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/json.h"
#include "session/picture.h"

/* ── the session's claims ──────────────────────────────────────────────────────────────────── */

static void add_method(json_t *methods, const char *method)
{
    for (size_t i = 0; i < json_array_size(methods); i++)
        if (strcmp(json_string_value(json_array_get(methods, i)), method) == 0)
            return;
    json_array_append_new(methods, json_string(method));
}

static const char *first_method(const na_sign_in *sign_in)
{
    const char *type = sign_in->event.account_type ? sign_in->event.account_type : "";
    if (strcmp(type, "credentials") == 0)
        return NA_METHOD_PASSWORD;
    if (strcmp(type, "webauthn") == 0)
        return sign_in->is_complete ? NA_METHOD_USER : NA_METHOD_KEY;
    return strcmp(type, "email") == 0 ? NA_METHOD_EMAIL : NA_METHOD_PROVIDER;
}

/* No rule and no callback can have set the claim, because it is reserved. */
static json_t *methods_of(const na_sign_in *sign_in)
{
    json_t *methods = json_object_get(sign_in->claims, NA_CLAIM_METHODS);
    if (methods)
        return methods;
    methods = json_array();
    json_object_set_new(sign_in->claims, NA_CLAIM_METHODS, methods);
    add_method(methods, first_method(sign_in));
    return methods;
}

/* Sets the claims of a user who gave a second factor now. */
static void set_factor(const na_request *request, json_t *claims, json_t *methods,
                       const char *method)
{
    add_method(methods, method);
    add_method(methods, NA_METHOD_MULTIPLE);
    json_object_set_new(claims, NA_CLAIM_SECOND_FACTOR, json_integer(apr_time_sec(request->now)));
}

/* ── asking ────────────────────────────────────────────────────────────────────────────────── */

static na_error *enter(na_request *request, na_response *response, const na_sign_in *sign_in)
{
    NA_TRY(na_enter(request, response, sign_in));
    na_respond_redirect(request, response, 200, sign_in->callback_url);
    return NULL;
}

/* When it was used last is for the user to see, so that a failure does not refuse the user. */
static void note_use(na_request *request, const na_db_secret *browser)
{
    na_error *error = na_db_use_secret(request->db, request->pool, browser->kind, browser->id,
                                       apr_time_as_msec(request->now));
    if (error)
        na_log_error(request, NA_LOG_WARNING, "ADAPTER_ERROR", error);
}

static na_error *wait_for(na_request *request, na_response *response, const na_sign_in *sign_in,
                          const char *page)
{
    NA_TRY(na_kept_tokens_wait(request, sign_in));
    NA_TRY(na_pending_put(request, response, sign_in));
    na_limit_give_back(request); /* the first factor was right */
    na_log(request, NA_LOG_DEBUG, "SECOND_FACTOR", "the sign-in waits: leading to %s", page);
    na_respond_redirect(request, response, 200,
                        apr_pstrcat(request->pool, request->config->base_url, page, NULL));
    return NULL;
}

na_error *na_second_factor_ask(na_request *request, na_response *response, na_sign_in *sign_in)
{
    na_two_factor mode = request->config->session.two_factor;
    na_factors factors;
    if (mode == NA_TWO_FACTOR_OFF)
        return enter(request, response, sign_in);
    json_t *methods = methods_of(sign_in);
    if (sign_in->is_complete) {
        set_factor(request, sign_in->claims, methods, NA_METHOD_MULTIPLE);
        return enter(request, response, sign_in);
    }
    NA_TRY(na_factors_find(request, sign_in->event.user, &factors));
    int is_asked = na_factors_are_asked(request, &factors);
    const na_db_secret *browser = is_asked ? na_remembered_find(request, &factors) : NULL;
    if (browser) {
        note_use(request, browser);
        add_method(methods, NA_METHOD_REMEMBERED);
        sign_in->event.detail = NA_METHOD_REMEMBERED;
    }
    if (browser || (!is_asked && mode == NA_TWO_FACTOR_OPTIONAL))
        return enter(request, response, sign_in);
    return wait_for(request, response, sign_in, is_asked ? "/two-factor" : "/two-factor-setup");
}

/* ── the user who is asked ─────────────────────────────────────────────────────────────────── */

/* An unavailable store is an error; an invalid cookie is ignored. */
static na_error *find_session(na_request *request, na_challenge *challenge)
{
    na_error *error = na_request_session_now(request, &challenge->session);
    if (na_is_unavailable(error))
        return error;
    if (challenge->session && !na_session_claim(challenge->session, NA_CLAIM_DATABASE_USER))
        challenge->session = NULL; /* the ID could be another user's in the database */
    return NULL;
}

/* A new password, and whatever else takes something away from the user, ends what is pending. */
static int is_current(const na_request *request, const na_challenge *challenge)
{
    const na_db_person *person = &challenge->person;
    if (person->credential.disabled)
        return 0;
    return challenge->is_pending
               ? challenge->sign_in.revision == person->revision
               : na_session_is_of_revision(request, challenge->session, person->revision);
}

na_error *na_challenge_find(na_request *request, na_challenge *challenge, int *found)
{
    *challenge = (na_challenge){0};
    *found = 0;
    if (request->config->session.two_factor == NA_TWO_FACTOR_OFF)
        return na_error_new(request->pool, NA_ERR_CONFIGURATION, "NextAuthTwoFactor is not set");
    challenge->is_pending = na_pending_find(request, &challenge->sign_in);
    if (!challenge->is_pending)
        NA_TRY(find_session(request, challenge));
    const na_db_who who = {.id = challenge->is_pending ? challenge->sign_in.event.user
                                 : challenge->session  ? challenge->session->user
                                                       : NULL,
                           .current = 1};
    if (!who.id)
        return NULL;
    NA_TRY(na_db_find(request->db, request->pool, &who, &challenge->person, found));
    *found = *found && is_current(request, challenge);
    if (!*found)
        return NULL;
    const na_db_user *user = &challenge->person.user;
    request->claimant = (na_user){user->id, user->name, user->email, user->image};
    return na_factors_find(request, user->id, &challenge->factors);
}

const char *na_challenge_target(const na_request *request, const na_challenge *challenge)
{
    return challenge->is_pending ? challenge->sign_in.callback_url : request->callback_url;
}

/* ── passing ───────────────────────────────────────────────────────────────────────────────── */

/* The cookie of a sign-in that waits has no room for a picture that is a data URL. */
static void complete_picture(na_sign_in *sign_in, const na_db_user *user)
{
    if (!na_picture_is_data(sign_in->claims))
        return;
    sign_in->event.image = user->image;
    if (user->image)
        json_object_set_new(sign_in->claims, "picture", json_string(user->image));
    else
        json_object_del(sign_in->claims, "picture");
}

static na_error *complete_sign_in(na_request *request, na_response *response,
                                  na_challenge *challenge, const char *method)
{
    na_sign_in *sign_in = &challenge->sign_in;
    set_factor(request, sign_in->claims, methods_of(sign_in), method);
    sign_in->revision = challenge->person.revision;
    complete_picture(sign_in, &challenge->person.user);
    json_object_set_new(sign_in->claims, NA_CLAIM_REVISION, json_integer(sign_in->revision));
    sign_in->event.detail = method;
    return na_enter(request, response, sign_in);
}

static json_t *methods_of_session(const na_session *session)
{
    json_t *methods = json_array();
    for (int i = 0; i < session->claim_count; i++)
        if (strcmp(session->claims[i].name, NA_CLAIM_METHODS) == 0)
            add_method(methods, session->claims[i].value);
    return methods;
}

/* A session gets a new ID whenever it becomes worth more. */
static na_error *raise_session(na_request *request, na_response *response,
                               const na_challenge *challenge, const char *method)
{
    const na_session *session = challenge->session;
    json_t *methods = methods_of_session(session);
    json_t *claims = na_json_own(request->pool, json_pack("{s:o}", NA_CLAIM_METHODS, methods));
    set_factor(request, claims, methods, method);
    na_event event = na_event_of_session(request, NA_EVENT_SECOND_FACTOR, session);
    event.detail = method;
    NA_TRY(na_record_event(request, NULL, &event));
    NA_TRY(na_session_restart_with(request->sessions, &request->visit, session,
                                   challenge->person.revision, claims, response->set_cookies));
    na_report(request, &event);
    return NULL;
}

na_error *na_second_factor_pass(na_request *request, na_response *response, na_challenge *challenge,
                                const char *method)
{
    return challenge->is_pending ? complete_sign_in(request, response, challenge, method)
                                 : raise_session(request, response, challenge, method);
}
