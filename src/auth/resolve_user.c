/* SPDX-License-Identifier: Apache-2.0 */
/* Finds or creates the database user of a sign-in. */
#include "auth/resolve_user.h"

#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "auth/account_tokens.h"
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

static na_error *link_to(na_request *request, na_db_use *use, na_subject *subject,
                         const na_db_user *user)
{
    na_db_account account = account_of(subject, user->id);
    subject->events |= 1u << NA_EVENT_LINK_ACCOUNT;
    if (na_db_protects(use)) {
        leave_out_long_tokens(request, &account);
        NA_TRY(na_account_tokens_encrypt(request->pool, request->config, &account));
    }
    return na_db_link_account(use, &account);
}

/* Encrypts tokens of the row that are plain or use an old secret. */
static na_error *protect_tokens(na_request *request, na_db_use *use, const na_subject *subject,
                                const char *account_id)
{
    na_db_account was, is;
    na_account_token before[NA_ACCOUNT_TOKENS], now[NA_ACCOUNT_TOKENS];
    int found;
    if (!na_db_protects(use))
        return NULL;
    NA_TRY(na_db_get_account(use, subject->provider->id, account_id, &was, &found));
    if (!found)
        return NULL;
    is = was;
    NA_TRY(na_account_tokens_encrypt_again(request->pool, request->config, &is));
    na_account_tokens_of(&was, before);
    na_account_tokens_of(&is, now);
    for (int i = 0; i < NA_ACCOUNT_TOKENS; i++)
        if (*now[i].value != *before[i].value)
            NA_TRY(na_db_replace_token(use, now[i].replace, &was, *before[i].value, *now[i].value));
    return NULL;
}

/* Returns 1 if the text fits into a column that can be a key. */
static int fits_key_column(const char *text)
{
    return text && strlen(text) <= COLUMN_MAX;
}

static na_error *create_user(na_request *request, na_db_use *use, na_subject *subject,
                             const char *email, na_db_user *user)
{
    const char *name = subject->user.name;
    *user = (na_db_user){.name = fits_key_column(name) ? name : NULL,
                         .email = email,
                         .email_verified = email ? apr_time_as_msec(request->now) : 0,
                         .image = subject->user.image};
    NA_TRY(na_db_create_user(use, user));
    subject->events |= 1u << NA_EVENT_CREATE_USER;
    return link_to(request, use, subject, user);
}

/* Vouches for the user's email address if the account's provider has the same one. */
static na_error *vouch_for_known(na_request *request, na_db_use *use, na_subject *subject,
                                 const char *email, na_db_user *user)
{
    const na_db_account account = account_of(subject, user->id);
    return email && user->email && apr_cstr_casecmp(email, user->email) == 0
               ? na_account_vouch(request, use, user, &account, subject)
               : NULL;
}

/* A link is permanent, so a session that has just been revoked must not create one. */
static na_error *check_standing(na_request *request, na_db_use *use, const na_subject *subject)
{
    const na_session *session = subject->initiator.session;
    apr_int64_t revision;
    NA_TRY(na_db_hold_revision(use, session->user, &revision));
    return na_session_is_of_revision(request, session, revision)
               ? NULL
               : na_error_new(request->pool, NA_ERR_INVALID_CHECK,
                              "the sessions of the user who began the sign-in were ended");
}

/* No user has the account yet. The lock prevents concurrent decisions about this address or
 * account. */
static na_error *adopt_account(na_request *request, na_db_use *use, na_subject *subject,
                               const na_db_user *current, const char *email, na_db_user *user)
{
    int found = 0;
    if (current) {
        *user = *current;
        NA_TRY(check_standing(request, use, subject));
        return link_to(request, use, subject, user);
    }
    if (email)
        NA_TRY(na_db_get_user_by_email(use, email, user, &found));
    if (!found)
        return create_user(request, use, subject, email, user);
    if (!subject->provider->allow_linking)
        return refuse_link(request,
                           "the email address belongs to a user who has no account with this "
                           "provider (allowDangerousEmailAccountLinking is off)");
    NA_TRY(na_account_vouch(request, use, user, NULL, subject));
    return link_to(request, use, subject, user);
}

/* Deletes an account that an application left behind when it deleted the user. */
static na_error *remove_orphan(na_request *request, na_db_use *use, const na_subject *subject,
                               const char *account_id)
{
    na_db_account orphan;
    int found;
    NA_TRY(na_db_get_account(use, subject->provider->id, account_id, &orphan, &found));
    if (!found)
        return NULL;
    na_log(request, NA_LOG_WARNING, "ADAPTER_ERROR",
           "an account of '%s' belongs to user '%s', who does not exist: the row is deleted",
           subject->provider->id, na_percent_encode(request->pool, orphan.user_id));
    return na_db_unlink_account(use, subject->provider->id, account_id);
}

static na_error *decide_user(na_request *request, na_db_use *use, na_subject *subject,
                             const char *email, const char *current_id, na_db_user *user)
{
    na_db_user current;
    int is_known, is_signed_in = 0;
    const char *account_id = na_json_string(subject->account, "providerAccountId");
    const char *name = email ? apr_pstrcat(request->pool, "email ", email, NULL)
                             : apr_pstrcat(request->pool, "account ", subject->provider->id, " ",
                                           account_id, NULL);
    if (!fits_key_column(account_id))
        return na_error_new(request->pool, NA_ERR_CALLBACK, "the account ID is too long");
    NA_TRY(na_db_lock(use, name));
    NA_TRY(na_db_get_user_by_account(use, subject->provider->id, account_id, user, &is_known));
    if (current_id)
        NA_TRY(na_db_get_user(use, current_id, &current, &is_signed_in));
    if (!is_known)
        NA_TRY(remove_orphan(request, use, subject, account_id));
    if (!is_known)
        return adopt_account(request, use, subject, is_signed_in ? &current : NULL, email, user);
    if (is_signed_in && strcmp(current.id, user->id) != 0)
        return refuse_link(request, "the account belongs to a user other than the one signed in");
    NA_TRY(protect_tokens(request, use, subject, account_id));
    return vouch_for_known(request, use, subject, email, user);
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

na_error *na_account_adopt(na_request *request, na_db_use *use, const na_db_user *user,
                           na_subject *subject)
{
    na_db_credential credential;
    apr_int64_t revision;
    apr_array_header_t *roles = apr_array_make(request->pool, 4, sizeof(const char *));
    NA_TRY(na_db_get_revision(use, user->id, &revision)); /* before the values that it covers */
    if (subject->is_checked && subject->revision != revision)
        return na_error_new(request->pool, NA_ERR_CREDENTIALS_SIGNIN,
                            "the password was changed while it was verified");
    subject->revision = revision;
    NA_TRY(na_db_get_credential(use, user->id, &credential));
    if (credential.disabled)
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED, "the user is disabled");
    NA_TRY(na_db_roles(use, user->id, request->config->session.role_column, roles));
    const char *email = user->email ? user->email : subject->user.email;
    subject->user = (na_user){user->id, user->name, email, user->image};
    subject->db_roles = roles;
    return NULL;
}

na_error *na_account_audit(na_request *request, na_db_use *use, const na_subject *subject)
{
    static const na_event_kind kinds[] = {NA_EVENT_RECLAIM_USER, NA_EVENT_CREATE_USER,
                                          NA_EVENT_LINK_ACCOUNT};
    for (int i = 0; i < 3; i++) {
        if (!((subject->events >> kinds[i]) & 1))
            continue;
        const na_event event = na_event_of_subject(request, kinds[i], subject);
        NA_TRY(na_record_event(request, use, &event));
    }
    return NULL;
}

typedef struct resolving {
    na_request *request;
    na_subject *subject;
} resolving;

/* Looks the account up again after the revision was read, because it can have been unlinked
 * between. */
static na_error *check_still_linked(na_request *request, na_db_use *use, const na_subject *subject)
{
    na_db_user user;
    int found;
    NA_TRY(na_db_get_user_by_account(use, subject->provider->id,
                                     na_json_string(subject->account, "providerAccountId"), &user,
                                     &found));
    return found && strcmp(user.id, subject->user.id) == 0
               ? NULL
               : na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                              "the account was unlinked from the user in the meantime");
}

static na_error *resolve_account(void *data, na_db_use *use)
{
    const resolving *r = data;
    na_db_user user;
    r->subject->events = 0; /* discards those of an attempt that was rolled back */
    r->subject->is_first_vouched = 0;
    NA_TRY(decide_user(r->request, use, r->subject, vouched_email(r->subject),
                       linked_to(r->subject), &user));
    NA_TRY(na_initiator_check(r->request, &r->subject->initiator,
                              na_user_name(r->request->pool, NULL, user.id)));
    NA_TRY(na_account_adopt(r->request, use, &user, r->subject));
    NA_TRY(check_still_linked(r->request, use, r->subject));
    return na_account_audit(r->request, use, r->subject);
}

na_error *na_account_resolve(na_request *request, na_subject *subject)
{
    resolving r = {request, subject};
    NA_TRY(na_initiator_confirm(request, &subject->initiator));
    return na_db_transact(request->db, request->pool, resolve_account, &r);
}

static na_error *resolve_known(na_request *request, na_db_use *use, na_subject *subject)
{
    na_db_user user;
    int found;
    NA_TRY(na_db_get_user(use, subject->user.id, &user, &found));
    return found ? na_account_adopt(request, use, &user, subject)
                 : na_error_new(request->pool, NA_ERR_ACCESS_DENIED, "the user no longer exists");
}

/* Does not use a replica, so that a user who was just disabled is refused. */
na_error *na_account_resolve_known(na_request *request, na_subject *subject)
{
    na_db_use *use;
    NA_TRY(na_db_write(request->db, request->pool, &use));
    return na_db_end(use, resolve_known(request, use, subject));
}

/* ── the user of a link ────────────────────────────────────────────────────────────────────── */

/* The owner of the mailbox is the user of the email address. */
static na_error *user_of_email(na_request *request, na_db_use *use, na_subject *subject,
                               na_db_user *user)
{
    const char *email = subject->user.email;
    int found;
    NA_TRY(na_db_get_user_by_email(use, email, user, &found));
    if (!found)
        *user = (na_db_user){.email = email};
    subject->events = 1u << (found ? NA_EVENT_UPDATE_USER : NA_EVENT_CREATE_USER);
    subject->is_first_vouched = 0;
    if (found)
        NA_TRY(na_account_vouch(request, use, user, NULL, subject));
    user->email_verified = apr_time_as_msec(request->now);
    return found ? na_db_update_user(use, user) : na_db_create_user(use, user);
}

/* An expired link is used up, too: `late` takes that error, and the transaction is committed. */
typedef struct email_resolving {
    na_request *request;
    na_subject *subject;
    na_error *late;
} email_resolving;

static na_error *resolve_email(void *data, na_db_use *use)
{
    email_resolving *r = data;
    na_request *request = r->request;
    na_subject *subject = r->subject;
    const char *email = subject->user.email, *token = apr_table_get(request->form, "token");
    na_db_user user;
    NA_TRY(na_db_lock(use, apr_pstrcat(request->pool, "email ", email, NULL)));
    r->late = na_link_use(request, use, email, token);
    if (r->late)
        return na_is_unavailable(r->late) ? r->late : NULL;
    NA_TRY(user_of_email(request, use, subject, &user));
    NA_TRY(na_account_adopt(request, use, &user, subject));
    return na_account_audit(request, use, subject);
}

na_error *na_account_resolve_email(na_request *request, na_subject *subject)
{
    email_resolving r = {request, subject, NULL};
    na_error *error = na_db_transact(request->db, request->pool, resolve_email, &r);
    return error ? error : r.late;
}
