/* SPDX-License-Identifier: Apache-2.0 */
/* Finds or creates the database user of a sign-in. */
#include "auth/resolve_user.h"

#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "auth/account_tokens.h"
#include "auth/fresh.h"
#include "auth/initiator.h"
#include "auth/mail_link.h"
#include "auth/reclaim.h"
#include "auth/report.h"
#include "auth/session.h"
#include "base/json.h"

/* Most characters of a column that can be a key, in all three engines. */
#define COLUMN_MAX 255

/*
 * Finds the user of an account in the same order as Auth.js (docs/database.md has the table of
 * cases). Email addresses that a provider does not vouch for are removed before, or ignored.
 */

static na_error *refuse_link(na_request *request, const char *why)
{
    return na_error_new(request->pool, NA_ERR_ACCOUNT_NOT_LINKED, "%s", why);
}

/*
 * Returns the user to whom the account can be linked: the one who began the sign-in while signed
 * in, NULL if none. A session from before the database has a provider's ID, which can be another
 * user's here.
 */
static const char *linked_to(const na_subject *subject)
{
    const na_session *session = subject->initiator.session;
    return session && na_session_claim(session, NA_CLAIM_DATABASE_USER) ? session->user : NULL;
}

static na_db_account account_of(const na_subject *subject, const char *user_id)
{
    const na_tokens none = {0}, *tokens = subject->tokens ? subject->tokens : &none;
    return (na_db_account){.user_id = user_id,
                           .type = na_json_string(subject->account, "type"),
                           .provider = subject->provider->id,
                           .provider_account_id =
                               na_json_string(subject->account, "providerAccountId"),
                           .refresh_token = tokens->refresh_token,
                           .access_token = tokens->access_token,
                           .token_type = tokens->token_type,
                           .scope = tokens->scope,
                           .id_token = tokens->id_token,
                           .session_state = tokens->session_state,
                           .expires_at = tokens->expires_at};
}

static void leave_out_long_tokens(na_request *request, na_db_account *account)
{
    na_account_token tokens[NA_ACCOUNT_TOKENS];
    na_account_tokens_of(account, tokens);
    for (int i = 0; i < NA_ACCOUNT_TOKENS; i++) {
        const char *value = *tokens[i].value;
        if (!value || strlen(value) <= NA_KEPT_TOKEN_MAX)
            continue;
        na_log(request, NA_LOG_INFO, "ADAPTER_ERROR",
               "the account's %s is not stored: it has %d bytes; at most %d can be encrypted",
               tokens[i].column, (int)strlen(value), NA_KEPT_TOKEN_MAX);
        *tokens[i].value = NULL;
    }
}

/* A sign-in that is being resolved. Each attempt starts over. */
typedef struct resolving {
    na_request *request;
    na_subject *subject;
    na_user claimed;     /* what the provider, or the link, said of the user */
    na_db_person person; /* the user as read; without an ID for a new one */
    na_db_user user;     /* the row that is created or written */
    na_db_account account;
    na_db_token token;
    na_decision decision;
    int changes; /* 0 if nothing has to be decided */
} resolving;

static na_error *link_account(resolving *r)
{
    na_request *request = r->request;
    r->account = account_of(r->subject, NULL);
    r->decision.link = &r->account;
    r->changes = 1;
    r->subject->events |= 1u << NA_EVENT_LINK_ACCOUNT;
    if (!na_db_protects(request->db))
        return NULL;
    leave_out_long_tokens(request, &r->account);
    return na_account_tokens_encrypt(request->pool, request->config, &r->account);
}

/* Encrypts tokens of the row that are plain or use an old secret. */
static na_error *protect_tokens(const resolving *r, const char *account_id)
{
    const na_request *request = r->request;
    na_db_account was, is;
    int found;
    if (!na_db_protects(request->db))
        return NULL;
    NA_TRY(na_db_find_account(request->db, request->pool, r->subject->provider->id, account_id,
                              &was, &found));
    if (!found)
        return NULL;
    is = was;
    NA_TRY(na_account_tokens_encrypt_again(request->pool, request->config, &is));
    return was.refresh_token != is.refresh_token || was.access_token != is.access_token ||
                   was.id_token != is.id_token
               ? na_db_replace_tokens(request->db, request->pool, &was, &is)
               : NULL;
}

/* Returns 1 if the text fits into a column that can be a key. */
static int fits_key_column(const char *text)
{
    return text && strlen(text) <= COLUMN_MAX;
}

static na_error *create_user(resolving *r, const char *email)
{
    const char *name = r->subject->user.name;
    r->person = (na_db_person){.revision = 0};
    r->user = (na_db_user){.name = fits_key_column(name) ? name : NULL,
                           .email = email,
                           .email_verified = email ? apr_time_as_msec(r->request->now) : 0,
                           .image = r->subject->user.image};
    r->decision = (na_decision){.email = email, .user = &r->user};
    r->subject->events |= 1u << NA_EVENT_CREATE_USER;
    return link_account(r);
}

static na_error *vouch(resolving *r, const na_db_account *kept)
{
    r->user = r->person.user;
    NA_TRY(na_account_vouch(r->request, &r->user, kept, &r->decision, r->subject));
    r->changes |= r->decision.user != NULL;
    return NULL;
}

/* Vouches for the user's email address if the account's provider has the same one. */
static na_error *vouch_for_known(resolving *r, const char *email)
{
    const char *own = r->person.user.email;
    r->decision = na_db_decision_about(&r->person);
    r->account = account_of(r->subject, r->person.user.id);
    r->decision.owned = &r->account;
    if (email && own && apr_cstr_casecmp(email, own) == 0)
        return vouch(r, &r->account);
    return NULL;
}

/*
 * A link is permanent, so neither a session that has just been revoked must create one, nor
 * another person who found the browser signed in.
 */
static na_error *check_standing(const resolving *r)
{
    const na_initiator *initiator = &r->subject->initiator;
    if (!na_session_is_of_revision(r->request, initiator->session, r->person.revision))
        return na_error_new(r->request->pool, NA_ERR_INVALID_CHECK,
                            "the sessions of the user who began the sign-in were ended");
    if (initiator->is_again)
        return refuse_link(r->request, "signing in again requires an account of the user");
    return na_fresh_at(initiator->session, initiator->began)
               ? NULL
               : refuse_link(r->request, "to link an account, the user must sign in again first");
}

static na_error *link_by_email(resolving *r, const char *email)
{
    if (!r->subject->provider->allow_linking)
        return refuse_link(r->request,
                           "the email address belongs to a user who has no account with this "
                           "provider (allowDangerousEmailAccountLinking is off)");
    r->decision = na_db_decision_about(&r->person);
    r->decision.email = email;
    NA_TRY(vouch(r, NULL));
    return link_account(r);
}

/* No user has the account yet. */
static na_error *adopt_account(resolving *r, const na_db_person *current, const char *email)
{
    const na_db_who who = {.email = email,
                           .current = 1,
                           .role_column = r->request->config->session.role_column};
    int found = 0;
    if (current) {
        r->person = *current;
        NA_TRY(check_standing(r));
        r->subject->proved_at = na_fresh_proved(r->subject->initiator.session);
        r->decision = na_db_decision_about(&r->person);
        return link_account(r);
    }
    if (email)
        NA_TRY(na_db_find(r->request->db, r->request->pool, &who, &r->person, &found));
    return found ? link_by_email(r, email) : create_user(r, email);
}

/* An account that an application left behind when it deleted the user is replaced. */
static na_error *warn_of_orphan(const resolving *r, const char *account_id)
{
    na_request *request = r->request;
    na_db_account orphan;
    int found;
    NA_TRY(na_db_find_account(request->db, request->pool, r->subject->provider->id, account_id,
                              &orphan, &found));
    if (found)
        na_log(request, NA_LOG_WARNING, "ADAPTER_ERROR",
               "an account of '%s' belongs to user '%s', who does not exist: the row is deleted",
               r->subject->provider->id, na_percent_encode(request->pool, orphan.user_id));
    return NULL;
}

static na_error *decide_user(resolving *r, const char *email, const char *current_id)
{
    const na_request *request = r->request;
    const char *account_id = na_json_string(r->subject->account, "providerAccountId");
    const int role_column = request->config->session.role_column;
    const na_db_who owner = {.provider = r->subject->provider->id,
                             .account_id = account_id,
                             .current = 1,
                             .role_column = role_column};
    const na_db_who initiator = {.id = current_id, .current = 1, .role_column = role_column};
    na_db_person current;
    int is_known, is_signed_in = 0;
    if (!fits_key_column(account_id))
        return na_error_new(request->pool, NA_ERR_CALLBACK, "the account ID is too long");
    NA_TRY(na_db_find(request->db, request->pool, &owner, &r->person, &is_known));
    if (current_id)
        NA_TRY(na_db_find(request->db, request->pool, &initiator, &current, &is_signed_in));
    if (!is_known) {
        NA_TRY(warn_of_orphan(r, account_id));
        return adopt_account(r, is_signed_in ? &current : NULL, email);
    }
    if (is_signed_in && strcmp(current.user.id, r->person.user.id) != 0)
        return refuse_link(r->request,
                           "the account belongs to a user other than the one signed in");
    NA_TRY(protect_tokens(r, account_id));
    return vouch_for_known(r, email);
}

/*
 * Returns the email address by which users are found, in canonical form. NULL if there is none, or
 * if the provider does not vouch for it: a user created with it would own it.
 */
static const char *vouched_email(const na_subject *subject)
{
    const na_provider *provider = subject->provider;
    const char *email = subject->user.email;
    int vouched = provider->type != NA_CREDENTIALS && !provider->allow_unverified_email;
    return vouched && fits_key_column(email) ? email : NULL;
}

/* Puts a database user and their roles into the subject; refuses a disabled user. */
static na_error *adopt(na_request *request, const na_db_person *person, na_subject *subject)
{
    const na_db_user *user = &person->user;
    if (subject->is_checked && subject->revision != person->revision)
        return na_error_new(request->pool, NA_ERR_CREDENTIALS_SIGNIN,
                            "the user was changed while the password or passkey was verified");
    if (person->credential.disabled)
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED, "the user is disabled");
    const char *email = user->email ? user->email : subject->user.email;
    subject->revision = person->revision;
    subject->user = (na_user){user->id, user->name, email, user->image};
    subject->db_roles = person->roles;
    return NULL;
}

na_error *na_account_audit(na_request *request, na_db_use *use, const na_decision *decision,
                           na_subject *subject)
{
    static const na_event_kind kinds[] = {NA_EVENT_RECLAIM_USER, NA_EVENT_CREATE_USER,
                                          NA_EVENT_LINK_ACCOUNT};
    subject->reclaimed = na_account_reclaimed(request->pool, decision);
    if (subject->reclaimed)
        subject->events |= 1u << NA_EVENT_RECLAIM_USER;
    for (int i = 0; i < 3; i++) {
        if (!((subject->events >> kinds[i]) & 1))
            continue;
        const na_event event = na_event_of_subject(request, kinds[i], subject);
        NA_TRY(na_record_event(request, use, &event));
    }
    return NULL;
}

static void begin_attempt(resolving *r)
{
    r->subject->user = r->claimed;
    r->subject->events = 0;
    r->subject->is_first_vouched = 0;
    r->subject->reclaimed = NULL;
    r->decision = (na_decision){0};
    r->changes = 0;
}

static na_error *check_initiator(const resolving *r, const char *user_id)
{
    return na_initiator_check(r->request, &r->subject->initiator,
                              na_user_name(r->request->pool, NULL, user_id));
}

/* The user's values are those after the change, which is not visible to others yet. */
static na_error *record_changes(void *data, na_db_use *use, const na_decision *decision)
{
    const resolving *r = data;
    na_db_person person = r->person;
    if (decision->user)
        person.user = *decision->user;
    person.user.id = decision->id;
    person.revision = decision->revision_now;
    NA_TRY(check_initiator(r, decision->id));
    NA_TRY(adopt(r->request, &person, r->subject));
    return na_account_audit(r->request, use, decision, r->subject);
}

static na_error *decide(resolving *r, int *held)
{
    r->decision.record = record_changes;
    r->decision.data = r;
    NA_TRY(na_db_decide(r->request->db, r->request->pool, &r->decision));
    *held = r->decision.held;
    return NULL;
}

static na_error *resolve_account(void *data, int *held)
{
    resolving *r = data;
    begin_attempt(r);
    NA_TRY(decide_user(r, vouched_email(r->subject), linked_to(r->subject)));
    if (r->changes)
        return decide(r, held);
    *held = 1;
    NA_TRY(check_initiator(r, r->person.user.id));
    return adopt(r->request, &r->person, r->subject);
}

na_error *na_account_resolve(na_request *request, na_subject *subject)
{
    resolving r = {.request = request, .subject = subject, .claimed = subject->user};
    NA_TRY(na_initiator_confirm(request, &subject->initiator));
    return na_db_settle(request->pool, resolve_account, &r);
}

/* Does not use a replica, so that a user who was just disabled is refused. */
na_error *na_account_resolve_known(na_request *request, na_subject *subject)
{
    const na_db_who who = {.id = subject->user.id,
                           .current = 1,
                           .role_column = request->config->session.role_column};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(request->db, request->pool, &who, &person, &found));
    return found ? adopt(request, &person, subject)
                 : na_error_new(request->pool, NA_ERR_ACCESS_DENIED, "the user no longer exists");
}

/* ── the user of a link ────────────────────────────────────────────────────────────────────── */

/* The owner of the mailbox is the user of the email address. */
static na_error *resolve_email(void *data, int *held)
{
    resolving *r = data;
    na_request *request = r->request;
    const char *email = r->claimed.email;
    const na_db_who who = {.email = email,
                           .current = 1,
                           .role_column = request->config->session.role_column};
    int found;
    begin_attempt(r);
    NA_TRY(na_link_find(request, email, apr_table_get(request->form, "token"), &r->token));
    NA_TRY(na_db_find(request->db, request->pool, &who, &r->person, &found));
    if (!found)
        r->person = (na_db_person){.user.email = email};
    r->subject->events = 1u << (found ? NA_EVENT_UPDATE_USER : NA_EVENT_CREATE_USER);
    r->user = r->person.user;
    if (found) {
        r->decision = na_db_decision_about(&r->person);
        NA_TRY(na_account_vouch(request, &r->user, NULL, &r->decision, r->subject));
    }
    r->user.email_verified = apr_time_as_msec(request->now);
    r->decision.email = email;
    r->decision.token = &r->token;
    r->decision.user = &r->user;
    return decide(r, held);
}

na_error *na_account_resolve_email(na_request *request, na_subject *subject)
{
    resolving r = {.request = request, .subject = subject, .claimed = subject->user};
    return na_db_settle(request->pool, resolve_email, &r);
}
