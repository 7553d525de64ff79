/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions about a user, in one transaction. */
#include "sql/decide.h"

#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "sql/records.h"
#include "sql/secrets.h"

/* A decision that is being made. Each attempt of the transaction starts over. */
typedef struct attempt {
    na_decision *d;
    int lapsed; /* 1 if something does not hold; the transaction is then rolled back */
} attempt;

/* ── what must hold ────────────────────────────────────────────────────────────────────────── */

/* Decisions about an email address, or about an account without one, wait for each other. */
static na_error *lock(const na_decision *d, na_db_use *use)
{
    apr_pool_t *pool = na_sql_pool(use);
    if (d->email)
        return na_sql_lock(use, apr_pstrcat(pool, "email ", d->email, NULL));
    return d->link ? na_sql_lock(use, apr_pstrcat(pool, "account ", d->link->provider, " ",
                                                  d->link->provider_account_id, NULL))
                   : NULL;
}

static int is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static int is_as_it_was(const na_db_user *was, const na_db_user *is)
{
    return !was ||
           (is_same_text(was->name, is->name) && is_same_text(was->email, is->email) &&
            is_same_text(was->image, is->image) && was->email_verified == is->email_verified);
}

/*
 * Holding the revision makes all other decisions about the user wait. It comes before anything is
 * read, because MySQL reads everything as it was at the first time.
 */
static na_error *check_user(na_decision *d, na_db_use *use, int *holds)
{
    na_db_user user;
    NA_TRY(na_sql_hold_revision(use, d->user_id, &d->revision_now));
    NA_TRY(na_sql_get_user(use, d->user_id, &user, holds));
    *holds =
        *holds && is_as_it_was(d->was, &user) && (!d->revision || *d->revision == d->revision_now);
    return NULL;
}

static na_error *check_email(const na_decision *d, na_db_use *use, int *holds)
{
    na_db_user owner;
    int found;
    NA_TRY(na_sql_get_user_by_email(use, d->email, &owner, &found));
    *holds = !found || (d->user_id && strcmp(owner.id, d->user_id) == 0);
    return NULL;
}

static na_error *check_owned(const na_decision *d, na_db_use *use, const na_db_account *account,
                             int *holds)
{
    na_db_account row;
    NA_TRY(na_sql_get_account(use, account->provider, account->provider_account_id, &row, holds));
    *holds = *holds && d->user_id && strcmp(row.user_id, d->user_id) == 0;
    return NULL;
}

static na_error *check_all_owned(const na_decision *d, na_db_use *use, int *holds)
{
    for (int i = 0; *holds && d->unlink && i < d->unlink->nelts; i++)
        NA_TRY(check_owned(d, use, &APR_ARRAY_IDX(d->unlink, i, const na_db_account), holds));
    return NULL;
}

/* An account that an application left behind when it deleted the user is deleted. */
static na_error *check_free(const na_db_account *link, na_db_use *use, int *holds)
{
    na_db_account row;
    na_db_user user;
    int found, has_user = 0;
    NA_TRY(na_sql_get_account(use, link->provider, link->provider_account_id, &row, &found));
    if (found)
        NA_TRY(na_sql_get_user(use, row.user_id, &user, &has_user));
    *holds = !has_user;
    return found && *holds ? na_sql_unlink_account(use, link->provider, link->provider_account_id)
                           : NULL;
}

static na_error *use_token(const na_decision *d, na_db_use *use, int *holds)
{
    na_db_token row;
    return na_sql_use_token(use, d->token->identifier, d->token->token, &row, holds);
}

static na_error *spend_secret(const na_decision *d, na_db_use *use, int *holds)
{
    *holds = d->user_id && strcmp(d->spent->user_id, d->user_id) == 0;
    return *holds ? na_sql_spend_secret(use, d->spent, holds) : NULL;
}

static na_error *check(na_decision *d, na_db_use *use, int *holds)
{
    *holds = 1;
    NA_TRY(lock(d, use));
    if (d->user_id)
        NA_TRY(check_user(d, use, holds));
    if (*holds && d->email)
        NA_TRY(check_email(d, use, holds));
    if (*holds && d->owned)
        NA_TRY(check_owned(d, use, d->owned, holds));
    NA_TRY(check_all_owned(d, use, holds));
    if (*holds && d->link)
        NA_TRY(check_free(d->link, use, holds));
    if (*holds && d->spent)
        NA_TRY(spend_secret(d, use, holds));
    return *holds && d->token ? use_token(d, use, holds) : NULL;
}

/* ── what is done ──────────────────────────────────────────────────────────────────────────── */

static na_error *put_user(na_decision *d, na_db_use *use)
{
    na_db_user user = *d->user;
    user.id = d->user_id;
    NA_TRY(d->user_id ? na_sql_update_user(use, &user) : na_sql_create_user(use, &user));
    d->id = user.id;
    return NULL;
}

static na_error *link_account(const na_decision *d, na_db_use *use)
{
    na_db_account account = *d->link;
    account.user_id = d->id;
    return na_sql_link_account(use, &account);
}

static na_error *unlink_accounts(const na_decision *d, na_db_use *use)
{
    for (int i = 0; d->unlink && i < d->unlink->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(d->unlink, i, const na_db_account);
        NA_TRY(na_sql_unlink_account(use, account->provider, account->provider_account_id));
    }
    return NULL;
}

typedef na_error *text_change(na_db_use *use, const char *user_id, const char *role);

static na_error *change_roles(const na_decision *d, na_db_use *use, const apr_array_header_t *roles,
                              text_change *change)
{
    for (int i = 0; roles && i < roles->nelts; i++)
        NA_TRY(change(use, d->id, APR_ARRAY_IDX(roles, i, const char *)));
    return NULL;
}

static na_error *end_tokens(const na_decision *d, na_db_use *use)
{
    for (int i = 0; d->ended && i < d->ended->nelts; i++)
        NA_TRY(na_sql_delete_tokens(use, APR_ARRAY_IDX(d->ended, i, const char *)));
    return NULL;
}

static na_error *change_logins(na_decision *d, na_db_use *use)
{
    if (d->does & NA_DB_ENDS_LOGINS)
        NA_TRY(na_sql_delete_logins(use, d->id, d->kept, d));
    if (d->does & NA_DB_SETS_PASSWORD)
        NA_TRY(na_sql_put_credential(use, d->id, d->hash, d->now));
    if (d->does & (NA_DB_DISABLES | NA_DB_ENABLES))
        NA_TRY(na_sql_disable_user(use, d->id, (d->does & NA_DB_DISABLES) != 0));
    return d->does & NA_DB_ENDS_SESSIONS ? na_sql_end_sessions(use, d->id) : NULL;
}

static na_error *remove_secrets(const na_decision *d, na_db_use *use)
{
    if (d->does & NA_DB_SETS_PASSWORD)
        NA_TRY(na_sql_delete_secrets(use, d->id, NA_SECRET_BROWSER, NULL));
    for (int i = 0; d->removed && i < d->removed->nelts; i++) {
        const na_db_secret *secret = &APR_ARRAY_IDX(d->removed, i, const na_db_secret);
        NA_TRY(na_sql_delete_secrets(use, d->id, secret->kind, secret->id));
    }
    if (d->does & NA_DB_DROPS_PASSKEYS)
        NA_TRY(na_sql_delete_authenticators(use, d->id));
    return d->dropped ? na_sql_delete_authenticator(use, d->id, d->dropped) : NULL;
}

static na_error *add_authenticator(const na_decision *d, na_db_use *use)
{
    na_db_authenticator authenticator = *d->authenticator;
    authenticator.user_id = d->id;
    return na_sql_create_authenticator(use, &authenticator);
}

static na_error *add_secrets(const na_decision *d, na_db_use *use)
{
    for (int i = 0; d->secrets && i < d->secrets->nelts; i++) {
        na_db_secret secret = APR_ARRAY_IDX(d->secrets, i, const na_db_secret);
        secret.user_id = d->id;
        NA_TRY(na_sql_create_secret(use, &secret));
    }
    return d->authenticator ? add_authenticator(d, use) : NULL;
}

static na_error *begin_session(const na_decision *d, na_db_use *use)
{
    na_db_session session = *d->session;
    session.user_id = d->id;
    return na_sql_create_session(use, &session);
}

/* Rights end before others begin, so that what begins is not ended. */
static na_error *change(na_decision *d, na_db_use *use)
{
    d->id = d->user_id;
    if (d->user)
        NA_TRY(put_user(d, use));
    NA_TRY(change_logins(d, use));
    NA_TRY(unlink_accounts(d, use));
    NA_TRY(end_tokens(d, use));
    NA_TRY(remove_secrets(d, use));
    NA_TRY(add_secrets(d, use));
    if (d->link)
        NA_TRY(link_account(d, use));
    NA_TRY(change_roles(d, use, d->grants, na_sql_grant_role));
    NA_TRY(change_roles(d, use, d->revokes, na_sql_revoke_role));
    if (d->session)
        NA_TRY(begin_session(d, use));
    return d->does & NA_DB_DELETES ? na_sql_delete_user(use, d->id) : NULL;
}

/* ── the transaction ───────────────────────────────────────────────────────────────────────── */

static na_error *decide(void *data, na_db_use *use)
{
    attempt *a = data;
    na_decision *d = a->d;
    int holds;
    d->accounts_ended = d->password_ended = d->sessions_ended = 0;
    NA_TRY(check(d, use, &holds));
    a->lapsed = !holds;
    if (a->lapsed)
        return na_error_new(na_sql_pool(use), NA_ERR_BUSY, "what it relied on no longer holds");
    NA_TRY(change(d, use));
    if (!d->user_id || d->does & (NA_DB_ENDS_LOGINS | NA_DB_ENDS_SESSIONS))
        NA_TRY(na_sql_get_revision(use, d->id, &d->revision_now));
    return d->record ? d->record(d->data, use, d) : NULL;
}

na_error *na_sql_decide(void *self, apr_pool_t *pool, na_decision *decision)
{
    attempt a = {decision, 0};
    na_error *error = na_sql_transact(self, pool, decide, &a);
    decision->held = !error;
    return a.lapsed && na_error_is(error, NA_ERR_BUSY) ? NULL : error;
}
