/* SPDX-License-Identifier: Apache-2.0 */
/* Doing what was decided about a user. */
#include "mongodb/decide.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "mongodb/collection.h"
#include "mongodb/lock.h"
#include "mongodb/access.h"
#include "mongodb/authenticators.h"
#include "mongodb/secrets.h"
#include "mongodb/sessions.h"
#include "mongodb/tokens.h"
#include "mongodb/users.h"
#include "mongodb/value.h"

/*
 * Decisions about one user, and about one email address, wait for each other (lock.h), so what
 * holds when it is checked still holds when it is changed. Applications know no locks: against
 * them, unique indexes and conditions of updates stand, and if one of these fails, all is checked
 * again.
 *
 * Where servers have transactions, the changes are one. Elsewhere their order is such that a
 * process that dies between two of them leaves nothing that gives anybody a right:
 *
 *   1. the record is written          it tells of a change that was not done
 *   2. the token is used up, and the  its owner asks for another link, or gives another code
 *      secret
 *   3. revision, password, roles,     one document, one operation: sessions end with the old
 *      and disabling                  password, never later
 *   4. sessions, tokens, accounts,    sessions are invalid since 3; an account that is still
 *      passkeys, and secrets are      there can be unlinked again
 *      deleted
 *   5. the account is linked          without its user, it is replaced at the next sign-in
 *   6. the user is created, written,  a new one has an account already, or it would be refused at
 *      or deleted                     every sign-in as a stranger's
 *   7. secrets and a passkey are      what begins is not ended by an earlier step
 *      added
 *   8. the session begins
 */
typedef struct deciding {
    na_decision *d;
    bson_oid_t id;
    int is_new;
    int has_token; /* 1 once an attempt has used the token up */
    int has_spent; /* 1 once an attempt has spent the secret */
    na_db_person person;
    apr_int64_t stored; /* the revision in the user's document */
    bson_oid_t orphan;  /* the user who is gone, of the account that is linked */
    int has_orphan;
} deciding;

static na_error *changed_meanwhile(const na_db_use *use, const char *what)
{
    return na_error_new(use->pool, NA_ERR_CONFLICT, "%s: %s was changed meanwhile",
                        use->options->name, what);
}

/* ── locks ─────────────────────────────────────────────────────────────────────────────────── */

static const char *in_lower_case(apr_pool_t *pool, const char *text)
{
    char *copy = apr_pstrdup(pool, text);
    for (char *at = copy; *at; at++)
        *at = (char)apr_tolower(*at);
    return copy;
}

/* Always in this order, so that no two wait for each other. */
static na_error *lock_names(na_db_use *use, const deciding *state)
{
    const na_decision *d = state->d;
    if (d->email)
        NA_TRY(na_mongo_lock(use, apr_pstrcat(use->home, "email ",
                                              in_lower_case(use->home, d->email), NULL)));
    return d->user_id ? na_mongo_lock(use, apr_pstrcat(use->home, "user ", d->user_id, NULL))
                      : NULL;
}

/* ── what must hold: each sets *holds ──────────────────────────────────────────────────────── */

static int is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static int is_same_user(const na_db_user *a, const na_db_user *b)
{
    return is_same_text(a->name, b->name) && is_same_text(a->email, b->email) &&
           is_same_text(a->image, b->image) && a->email_verified == b->email_verified;
}

static na_error *check_user(na_db_use *use, deciding *state, int *holds)
{
    const na_decision *d = state->d;
    if (state->is_new)
        return na_mongo_get_generation(use, &state->person.revision);
    NA_TRY(na_mongo_read_access(use, &state->id, &state->person, &state->stored));
    NA_TRY(na_mongo_get_user(use, &state->id, &state->person.user, holds));
    *holds = *holds && (!d->was || is_same_user(d->was, &state->person.user)) &&
             (!d->revision || *d->revision == state->person.revision);
    return NULL;
}

static na_error *check_email(na_db_use *use, const deciding *state, int *holds)
{
    na_db_user other;
    int found;
    if (!state->d->email)
        return NULL;
    NA_TRY(na_mongo_get_user_by_email(use, state->d->email, &other, &found));
    *holds = !found || (!state->is_new && strcmp(other.id, state->d->user_id) == 0);
    return NULL;
}

static na_error *check_owner(na_db_use *use, const deciding *state, const na_db_account *owned,
                             int *holds)
{
    na_db_account account;
    NA_TRY(na_mongo_get_account(use, owned->provider, owned->provider_account_id, &account, holds));
    *holds = *holds && state->d->user_id && is_same_text(account.user_id, state->d->user_id);
    return NULL;
}

static na_error *check_owned(na_db_use *use, const deciding *state, int *holds)
{
    const na_decision *d = state->d;
    if (d->owned)
        NA_TRY(check_owner(use, state, d->owned, holds));
    for (int i = 0; *holds && d->unlink && i < d->unlink->nelts; i++)
        NA_TRY(check_owner(use, state, &APR_ARRAY_IDX(d->unlink, i, const na_db_account), holds));
    return NULL;
}

static na_error *check_token(na_db_use *use, const deciding *state, int *holds)
{
    const na_db_token *token = state->d->token;
    na_db_token found;
    return token && !state->has_token
               ? na_mongo_get_token(use, token->identifier, token->token, &found, holds)
               : NULL;
}

static na_error *check_spent(na_db_use *use, const deciding *state, int *holds)
{
    const na_db_secret *spent = state->d->spent;
    if (!spent || state->has_spent)
        return NULL;
    *holds = is_same_text(spent->user_id, state->d->user_id);
    return *holds ? na_mongo_can_spend_secret(use, &state->id, spent, holds) : NULL;
}

/* An account whose user does not exist was left behind. */
static na_error *check_link(na_db_use *use, deciding *state, int *holds)
{
    const na_db_account *link = state->d->link;
    na_db_account account;
    na_db_user user;
    int found;
    state->has_orphan = 0;
    if (!link)
        return NULL;
    NA_TRY(na_mongo_get_account(use, link->provider, link->provider_account_id, &account, &found));
    if (found && !na_oid_parse(account.user_id, &state->orphan))
        return na_error_new(use->pool, NA_ERR_ACCESS_DENIED,
                            "an account of '%s' has a userId that is no ObjectId", link->provider);
    state->has_orphan = found;
    if (found)
        NA_TRY(na_mongo_get_user(use, &state->orphan, &user, &found));
    *holds = !found;
    return NULL;
}

static na_error *check_all(na_db_use *use, deciding *state, int *holds)
{
    *holds = 1;
    NA_TRY(check_user(use, state, holds));
    if (*holds)
        NA_TRY(check_email(use, state, holds));
    if (*holds)
        NA_TRY(check_owned(use, state, holds));
    if (*holds)
        NA_TRY(check_link(use, state, holds));
    if (*holds)
        NA_TRY(check_spent(use, state, holds));
    return *holds ? check_token(use, state, holds) : NULL;
}

/* ── what comes of it ──────────────────────────────────────────────────────────────────────── */

static int raises_revision(const na_decision *d)
{
    return (d->does & (NA_DB_ENDS_SESSIONS | NA_DB_ENDS_LOGINS | NA_DB_DELETES)) != 0;
}

static int is_account(const na_db_account *account, const na_db_account *other)
{
    return other && strcmp(account->provider, other->provider) == 0 &&
           strcmp(account->provider_account_id, other->provider_account_id) == 0;
}

static na_error *accounts_to_end(na_db_use *use, const deciding *state, apr_array_header_t **ended)
{
    apr_array_header_t *all = apr_array_make(use->pool, 4, sizeof(na_db_account));
    *ended = apr_array_make(use->pool, 4, sizeof(na_db_account));
    NA_TRY(na_mongo_list_accounts(use, &state->id, all));
    for (int i = 0; i < all->nelts; i++)
        if (!is_account(&APR_ARRAY_IDX(all, i, na_db_account), state->d->kept))
            APR_ARRAY_PUSH(*ended, na_db_account) = APR_ARRAY_IDX(all, i, na_db_account);
    return NULL;
}

static na_error *count_logins(na_db_use *use, const deciding *state)
{
    na_decision *d = state->d;
    apr_array_header_t *accounts, *sessions = apr_array_make(use->pool, 4, sizeof(na_db_session));
    NA_TRY(accounts_to_end(use, state, &accounts));
    NA_TRY(na_mongo_get_sessions(use, &state->id, sessions));
    d->accounts_ended = accounts->nelts;
    d->password_ended = state->person.credential.hash != NULL;
    d->sessions_ended = sessions->nelts;
    return NULL;
}

static na_error *complete_result(na_db_use *use, const deciding *state)
{
    na_decision *d = state->d;
    d->id = na_mongo_id_text(use->home, &state->id);
    d->revision_now = state->person.revision + raises_revision(d);
    d->accounts_ended = d->password_ended = d->sessions_ended = 0;
    return d->does & NA_DB_ENDS_LOGINS ? count_logins(use, state) : NULL;
}

/* ── what is done ──────────────────────────────────────────────────────────────────────────── */

static na_error *use_token_up(na_db_use *use, deciding *state)
{
    const na_db_token *token = state->d->token;
    if (!token || state->has_token)
        return NULL;
    NA_TRY(na_mongo_take_token(use, token->identifier, token->token, &state->has_token));
    return state->has_token ? NULL : changed_meanwhile(use, "the token");
}

static na_error *spend_secret(na_db_use *use, deciding *state)
{
    const na_db_secret *spent = state->d->spent;
    if (!spent || state->has_spent)
        return NULL;
    NA_TRY(na_mongo_spend_secret(use, &state->id, spent, &state->has_spent));
    return state->has_spent ? NULL : changed_meanwhile(use, "the secret");
}

static na_error *change_access(na_db_use *use, const deciding *state)
{
    int held;
    NA_TRY(na_mongo_change_access(use, &state->id, state->d, state->stored,
                                  raises_revision(state->d), &held));
    return held ? NULL : changed_meanwhile(use, "the user's revision");
}

static na_error *delete_of_user(na_db_use *use, const deciding *state, na_collection where)
{
    return na_mongo_delete_all(use, where,
                               na_mongo_own(use, BCON_NEW("userId", BCON_OID(&state->id))), NULL);
}

static na_error *unlink_accounts(na_db_use *use, const deciding *state,
                                 const apr_array_header_t *accounts)
{
    for (int i = 0; accounts && i < accounts->nelts; i++)
        NA_TRY(
            na_mongo_unlink_account(use, &state->id, &APR_ARRAY_IDX(accounts, i, na_db_account)));
    return NULL;
}

static na_error *delete_means(na_db_use *use, const deciding *state)
{
    NA_TRY(delete_of_user(use, state, NA_AUTHENTICATORS));
    return delete_of_user(use, state, NA_SECRETS);
}

static na_error *end_logins(na_db_use *use, const deciding *state)
{
    apr_array_header_t *accounts;
    NA_TRY(accounts_to_end(use, state, &accounts));
    NA_TRY(unlink_accounts(use, state, accounts));
    return delete_means(use, state);
}

static na_error *end_tokens(na_db_use *use, const apr_array_header_t *identifiers)
{
    for (int i = 0; identifiers && i < identifiers->nelts; i++)
        NA_TRY(na_mongo_delete_tokens(use, APR_ARRAY_IDX(identifiers, i, const char *)));
    return NULL;
}

static na_error *remove_secrets(na_db_use *use, const deciding *state)
{
    const na_decision *d = state->d;
    if (d->does & NA_DB_SETS_PASSWORD)
        NA_TRY(na_mongo_delete_secrets(use, &state->id, NA_SECRET_BROWSER, NULL));
    for (int i = 0; d->removed && i < d->removed->nelts; i++) {
        const na_db_secret *secret = &APR_ARRAY_IDX(d->removed, i, const na_db_secret);
        NA_TRY(na_mongo_delete_secrets(use, &state->id, secret->kind, secret->id));
    }
    if (d->does & NA_DB_DROPS_PASSKEYS)
        NA_TRY(delete_of_user(use, state, NA_AUTHENTICATORS));
    return d->dropped ? na_mongo_delete_authenticator(use, &state->id, d->dropped) : NULL;
}

static na_error *take_away(na_db_use *use, const deciding *state)
{
    const na_decision *d = state->d;
    if (d->does & (NA_DB_ENDS_SESSIONS | NA_DB_ENDS_LOGINS | NA_DB_DELETES))
        NA_TRY(delete_of_user(use, state, NA_SESSIONS));
    NA_TRY(end_tokens(use, d->ended));
    NA_TRY(unlink_accounts(use, state, d->unlink));
    NA_TRY(remove_secrets(use, state));
    if (d->does & NA_DB_ENDS_LOGINS)
        NA_TRY(end_logins(use, state));
    if (!(d->does & NA_DB_DELETES))
        return NULL;
    NA_TRY(delete_of_user(use, state, NA_ACCOUNTS));
    return delete_means(use, state);
}

static na_error *link_account(na_db_use *use, const deciding *state)
{
    int is_duplicate;
    if (!state->d->link)
        return NULL;
    na_db_account account = *state->d->link;
    account.user_id = state->d->id;
    if (state->has_orphan)
        NA_TRY(na_mongo_unlink_account(use, &state->orphan, &account));
    NA_TRY(na_mongo_link_account(use, &account, &is_duplicate));
    return is_duplicate ? changed_meanwhile(use, "the account") : NULL;
}

static na_error *create_user(na_db_use *use, const deciding *state)
{
    int is_duplicate;
    NA_TRY(na_mongo_create_user(use, &state->id, state->d->user, &is_duplicate));
    return is_duplicate ? changed_meanwhile(use, "the email address") : NULL;
}

static na_error *write_user(na_db_use *use, const deciding *state)
{
    const na_decision *d = state->d;
    int matched;
    NA_TRY(na_mongo_update_user(use, &state->id, d->was, d->user, &matched));
    return matched ? NULL : changed_meanwhile(use, "the user");
}

/* The user first: what is left of one who is gone is harmless. */
static na_error *delete_user(na_db_use *use, const deciding *state)
{
    const bson_t *own = na_mongo_own(use, BCON_NEW("_id", BCON_OID(&state->id)));
    NA_TRY(na_mongo_delete(use, NA_USERS, own, NULL));
    return na_mongo_delete(use, NA_OWN_USERS, own, NULL);
}

static na_error *put_user(na_db_use *use, const deciding *state)
{
    if (state->d->does & NA_DB_DELETES)
        return delete_user(use, state);
    if (!state->d->user)
        return NULL;
    return state->is_new ? create_user(use, state) : write_user(use, state);
}

static na_error *add_secrets(na_db_use *use, const deciding *state)
{
    const na_decision *d = state->d;
    for (int i = 0; d->secrets && i < d->secrets->nelts; i++)
        NA_TRY(na_mongo_create_secret(use, &state->id,
                                      &APR_ARRAY_IDX(d->secrets, i, const na_db_secret)));
    return d->authenticator ? na_mongo_create_authenticator(use, &state->id, d->authenticator)
                            : NULL;
}

static na_error *begin_session(na_db_use *use, const deciding *state)
{
    const na_db_session *session = state->d->session;
    return session ? na_mongo_create_session(use, &state->id, session->token, session->expires)
                   : NULL;
}

static na_error *do_all(na_db_use *use, deciding *state)
{
    na_decision *d = state->d;
    NA_TRY(complete_result(use, state));
    if (d->record)
        NA_TRY(d->record(d->data, use, d));
    NA_TRY(spend_secret(use, state));
    NA_TRY(use_token_up(use, state));
    NA_TRY(change_access(use, state));
    NA_TRY(take_away(use, state));
    NA_TRY(link_account(use, state));
    NA_TRY(put_user(use, state));
    NA_TRY(add_secrets(use, state));
    return begin_session(use, state);
}

/* A token and a secret that a transaction has used up are there again if it was rolled back. */
static na_error *decide_in_use(void *data, na_db_use *use)
{
    deciding *state = data;
    state->d->held = 0;
    NA_TRY(lock_names(use, state));
    NA_TRY(na_mongo_start_transaction(use));
    state->has_token = state->has_token && !use->session;
    state->has_spent = state->has_spent && !use->session;
    NA_TRY(check_all(use, state, &state->d->held));
    return state->d->held ? do_all(use, state) : NULL;
}

na_error *na_mongo_decide(void *self, apr_pool_t *pool, na_decision *decision)
{
    deciding state = {.d = decision, .is_new = !decision->user_id};
    decision->held = 0;
    if (state.is_new)
        na_mongo_new_id(&state.id);
    else if (!na_oid_parse(decision->user_id, &state.id))
        return NULL;
    na_error *error = na_mongo_transact(self, pool, decide_in_use, &state);
    if (error)
        decision->held = 0;
    return error;
}

/* ── single fields ─────────────────────────────────────────────────────────────────────────── */

static na_error *replace_in_use(na_db_use *use, const na_db_account *was, const na_db_account *is)
{
    const struct {
        const char *field, *was, *is;
    } tokens[] = {{"refresh_token", was->refresh_token, is->refresh_token},
                  {"access_token", was->access_token, is->access_token},
                  {"id_token", was->id_token, is->id_token}};
    for (int i = 0; i < 3; i++)
        if (tokens[i].was && tokens[i].is && strcmp(tokens[i].was, tokens[i].is) != 0)
            NA_TRY(na_mongo_replace_token(use, tokens[i].field, was, tokens[i].was, tokens[i].is));
    return NULL;
}

na_error *na_mongo_replace_tokens(void *self, apr_pool_t *pool, const na_db_account *was,
                                  const na_db_account *is)
{
    na_db_use *use;
    NA_TRY(na_mongo_write(self, pool, &use));
    return na_mongo_end(use, replace_in_use(use, was, is));
}

na_error *na_mongo_replace_hash(void *self, apr_pool_t *pool, const char *user_id, const char *was,
                                const char *hash)
{
    na_db_use *use;
    bson_oid_t id;
    if (!na_oid_parse(user_id, &id))
        return NULL;
    NA_TRY(na_mongo_write(self, pool, &use));
    return na_mongo_end(use, na_mongo_change_hash(use, &id, was, hash));
}
