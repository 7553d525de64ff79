/* SPDX-License-Identifier: Apache-2.0 */
/* The callback endpoint of passkeys: signs in with one, or adds one to the user who is signed in.
 */
#include <string.h>

#include <apr_strings.h>

#include "auth/complete.h"
#include "auth/fresh.h"
#include "auth/limit.h"
#include "auth/notice.h"
#include "auth/passkey.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/json.h"
#include "endpoint/endpoints.h"

/* ── signing in ────────────────────────────────────────────────────────────────────────────── */

/* Sets *session to that of a database user, NULL if none is signed in. */
static na_error *load_session(const na_request *request, const na_session **session)
{
    na_error *error = na_request_session_now(request, session);
    if (na_is_unavailable(error))
        return error;
    if (*session && !na_session_claim(*session, NA_CLAIM_DATABASE_USER))
        *session = NULL;
    return NULL;
}

/* As with an account of a provider, no user becomes another one by the way. */
static na_error *check_owner(na_request *request, const na_session *session, const char *owner)
{
    return !session || strcmp(session->user, owner) == 0
               ? NULL
               : na_error_new(request->pool, NA_ERR_NOT_LINKED,
                              "the passkey belongs to a user other than the one signed in");
}

/* Rules need the user's values; whether the user is still the same, na_complete_sign_in checks. */
static na_error *load_owner(const na_request *request, const char *id, na_subject *subject)
{
    const na_db_who who = {.id = id, .current = 1};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(request->db, request->pool, &who, &person, &found));
    if (!found)
        return na_error_new(request->pool, NA_ERR_WEBAUTHN,
                            "the passkey belongs to a user who no longer exists");
    const na_db_user *user = &person.user;
    *subject = (na_subject){.user = {user->id, user->name, user->email, user->image},
                            .provider = request->provider,
                            .revision = person.revision,
                            .is_checked = 1};
    return NULL;
}

static na_error *authenticate(na_request *request, na_response *response)
{
    na_db_authenticator passkey;
    na_subject subject;
    const na_session *session;
    int is_verified;
    NA_TRY(load_session(request, &session));
    NA_TRY(na_passkey_authenticate(request, response, session ? session->user : NULL, &passkey,
                                   &is_verified));
    NA_TRY(check_owner(request, session, passkey.user_id));
    NA_TRY(load_owner(request, passkey.user_id, &subject));
    subject.has_both_factors = is_verified;
    subject.account =
        na_json_own(request->pool, json_pack("{s:s, s:s, s:s}", "provider", request->provider->id,
                                             "type", na_provider_type_name(request->provider),
                                             "providerAccountId", passkey.provider_account_id));
    return na_complete_sign_in(request, response, &subject);
}

/* ── adding one ────────────────────────────────────────────────────────────────────────────── */

/* A passkey that is added. Each attempt reads the user again. */
typedef struct addition {
    na_request *request;
    const na_session *session;
    const na_new_passkey *made;
    const char *name;
    na_db_user user;
    na_event event;
} addition;

static na_error *record_addition(void *data, na_db_use *use, const na_decision *decision)
{
    const addition *a = data;
    return na_record_event(a->request, use, &a->event);
}

static na_error *describe_addition(addition *a, const na_db_person *person)
{
    const na_db_authenticator *row = &a->made->row;
    a->user = person->user;
    a->event = na_event_of_db_user(a->request, NA_EVENT_LINK_ACCOUNT, &a->user);
    a->event.provider = a->request->provider->id;
    a->event.account_type = na_provider_type_name(a->request->provider);
    a->event.account_id = row->provider_account_id;
    a->event.detail = a->name;
    return na_session_is_of_revision(a->request, a->session, person->revision)
               ? NULL
               : na_error_new(a->request->pool, NA_ERR_ACCESS_DENIED,
                              "the sessions of the user were ended");
}

static na_error *check_room(const na_request *request, const char *user_id,
                            const char *credential_id)
{
    apr_array_header_t *passkeys = apr_array_make(request->pool, 4, sizeof(na_passkey));
    na_db_authenticator other;
    int found;
    NA_TRY(na_db_find_authenticator(request->db, request->pool, credential_id, &other, &found));
    if (found)
        return na_error_new(request->pool, NA_ERR_WEBAUTHN, "the passkey is registered already");
    NA_TRY(na_passkeys_of(request, user_id, passkeys));
    return passkeys->nelts < NA_PASSKEYS_MAX
               ? NULL
               : na_error_new(request->pool, NA_ERR_WEBAUTHN, "the user has %d passkeys already",
                              NA_PASSKEYS_MAX);
}

static na_error *add_passkey(void *data, int *held)
{
    addition *a = data;
    na_request *request = a->request;
    const na_db_authenticator *row = &a->made->row;
    const na_db_who who = {.id = a->session->user, .current = 1};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(request->db, request->pool, &who, &person, &found));
    if (!found || person.credential.disabled)
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED, "the user no longer exists");
    NA_TRY(describe_addition(a, &person));
    NA_TRY(check_room(request, person.user.id, row->credential_id));
    const na_db_account account = {.type = a->event.account_type,
                                   .provider = request->provider->id,
                                   .provider_account_id = row->provider_account_id};
    apr_array_header_t *secrets = apr_array_make(request->pool, 1, sizeof(na_db_secret));
    APR_ARRAY_PUSH(secrets, na_db_secret) =
        (na_db_secret){.id = na_passkey_secret_id(request->pool, row->credential_id),
                       .kind = NA_SECRET_PASSKEY,
                       .name = a->name,
                       .scope = a->made->ceremony.user_handle,
                       .created_at = apr_time_as_msec(request->now)};
    na_decision decision = na_db_decision_about(&person);
    decision.link = &account;
    decision.authenticator = row;
    decision.secrets = secrets;
    decision.record = record_addition;
    decision.data = a;
    NA_TRY(na_db_decide(request->db, request->pool, &decision));
    *held = decision.held;
    return NULL;
}

static na_error *check_user(const na_request *request, const na_session *session,
                            const na_ceremony *ceremony)
{
    return ceremony->user_id && strcmp(ceremony->user_id, session->user) == 0
               ? NULL
               : na_error_new(request->pool, NA_ERR_WEBAUTHN,
                              "another user was signed in when the passkey was made");
}

static na_error *register_passkey(na_request *request, na_response *response)
{
    addition a = {.request = request};
    na_new_passkey made;
    int is_fresh;
    request->attempted = NA_EVENT_LINK_ACCOUNT;
    NA_TRY(load_session(request, &a.session));
    if (!a.session)
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "adding a passkey requires a user who is signed in");
    request->claimant = (na_user){.id = a.session->user};
    na_fresh(request, response, a.session, "/passkeys", &is_fresh);
    if (!is_fresh)
        return NULL;
    NA_TRY(na_passkey_register(request, response, &made));
    NA_TRY(check_user(request, a.session, &made.ceremony));
    a.made = &made;
    a.name = na_passkey_name(request, apr_table_get(request->form, "name"));
    NA_TRY(na_db_settle(request->pool, add_passkey, &a));
    na_report(request, &a.event);
    na_log(request, NA_LOG_INFO, "PASSKEY", "a passkey was added, with attestation %s",
           made.attestation);
    na_notice_change(request, NA_CHANGE_PASSKEY_ADDED, a.user.email);
    na_limit_give_back(request);
    na_respond_redirect(request, response, 200, request->callback_url);
    return NULL;
}

na_error *na_callback_webauthn(na_request *request, na_response *response)
{
    const char *action = apr_table_get(request->form, "action");
    NA_TRY(na_ceremony_is_there(request) ? na_limit_take(request, NA_LIMIT_CALLBACK, NULL)
                                         : na_limit_take_stray(request, NA_LIMIT_CALLBACK));
    if (action && strcmp(action, NA_CEREMONY_AUTHENTICATE) == 0)
        return authenticate(request, response);
    if (action && strcmp(action, NA_CEREMONY_REGISTER) == 0)
        return register_passkey(request, response);
    return na_error_new(request->pool, NA_ERR_WEBAUTHN, "invalid action");
}
