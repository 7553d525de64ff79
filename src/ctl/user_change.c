/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `user show`, `enable`, `disable`, `reset-2fa`, and `delete`. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/factors.h"
#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/user.h"

static na_error *show(na_ctl_user_call *c, const na_db_person *person)
{
    apr_array_header_t *accounts = apr_array_make(c->pool, 4, sizeof(na_db_account));
    NA_TRY(na_db_list_accounts(c->db, c->pool, person->user.id, accounts));
    c->shown = na_ctl_user_json(c->pool, person);
    na_ctl_user_add_accounts(c->pool, c->shown, accounts);
    apr_array_header_t *secrets = apr_array_make(c->pool, 16, sizeof(na_db_secret));
    NA_TRY(na_db_list_secrets(c->db, c->pool, person->user.id, NULL, secrets));
    na_ctl_user_add_factor(c->pool, c->shown, secrets);
    return NULL;
}

int na_command_user_show(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "", 1))
        return na_ctl_wrong_call("user show", NULL);
    na_error *error = na_ctl_user_connect(&c);
    return na_ctl_user_end(&c, NULL, error ? error : na_ctl_user_read(&c, show));
}

/* A command that changes one user and asks nothing. */
static int run(apr_pool_t *pool, int argc, char **argv, const char *allowed,
               na_ctl_user_decision *decide, const char *command, const char *done)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, allowed, 1))
        return na_ctl_wrong_call(command, NULL);
    na_error *error = na_ctl_user_connect(&c);
    return na_ctl_user_end(&c, done, error ? error : na_ctl_user_change(&c, decide));
}

static na_error *disable(na_ctl_user_call *c, const na_db_person *person, na_decision *decision)
{
    na_ctl_user_did(c, NA_EVENT_DISABLE_USER, &person->user, NULL);
    decision->does = NA_DB_DISABLES | NA_DB_ENDS_SESSIONS;
    return NULL;
}

static na_error *enable(na_ctl_user_call *c, const na_db_person *person, na_decision *decision)
{
    na_ctl_user_did(c, NA_EVENT_ENABLE_USER, &person->user, NULL);
    decision->does = NA_DB_ENABLES;
    return NULL;
}

/* Each passkey has an account, an authenticator, and a name among the secrets. */
static na_error *remove_passkeys(na_ctl_user_call *c, const na_db_person *person,
                                 apr_array_header_t *removed, na_decision *decision)
{
    apr_array_header_t *all = apr_array_make(c->pool, 4, sizeof(na_db_account));
    apr_array_header_t *gone = apr_array_make(c->pool, 4, sizeof(na_db_account));
    NA_TRY(na_db_list_accounts(c->db, c->pool, person->user.id, all));
    for (int i = 0; i < all->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(all, i, na_db_account);
        if (!account->type || strcmp(account->type, "webauthn") != 0)
            continue;
        APR_ARRAY_PUSH(gone, na_db_account) = *account;
        na_ctl_user_did_unlink(c, &person->user, account);
    }
    APR_ARRAY_PUSH(removed, na_db_secret) = (na_db_secret){.kind = NA_SECRET_PASSKEY};
    decision->unlink = gone;
    decision->does |= NA_DB_DROPS_PASSKEYS;
    return NULL;
}

/* Ends sessions as well: another person might have given the second factor for them. */
static na_error *reset_2fa(na_ctl_user_call *c, const na_db_person *person, na_decision *decision)
{
    apr_array_header_t *removed = apr_array_make(c->pool, 4, sizeof(na_db_secret));
    na_factors_remove_all(removed);
    na_ctl_user_did(c, NA_EVENT_TWO_FACTOR_OFF, &person->user, c->passkeys ? "passkeys" : NULL);
    decision->removed = removed;
    decision->does = NA_DB_ENDS_SESSIONS;
    return c->passkeys ? remove_passkeys(c, person, removed, decision) : NULL;
}

int na_command_user_reset_2fa(apr_pool_t *pool, int argc, char **argv)
{
    return run(pool, argc, argv, "aP", reset_2fa, "user reset-2fa", "without a second factor");
}

int na_command_user_disable(apr_pool_t *pool, int argc, char **argv)
{
    return run(pool, argc, argv, "a", disable, "user disable", "disabled");
}

int na_command_user_enable(apr_pool_t *pool, int argc, char **argv)
{
    return run(pool, argc, argv, "a", enable, "user enable", "enabled");
}

/* ── user delete ───────────────────────────────────────────────────────────────────────────── */

/* The command goes on with this user, even if the email address becomes another user's. */
static na_error *pick(na_ctl_user_call *c, const na_db_person *person)
{
    c->who = person->user.id;
    c->shown = na_ctl_user_json(c->pool, person);
    return NULL;
}

static int is_sure(const na_ctl_user_call *c)
{
    char answer[16];
    fprintf(stderr, "Delete %s, %s, and everything of this user? [y/N] ",
            na_ctl_user_field(c->pool, c->shown, "id"),
            na_ctl_user_field(c->pool, c->shown, "email"));
    return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static na_error *remove_user(na_ctl_user_call *c, const na_db_person *person, na_decision *decision)
{
    na_ctl_user_did(c, NA_EVENT_DELETE_USER, &person->user, NULL);
    decision->does = NA_DB_DELETES;
    return NULL;
}

static na_error *delete_user(na_ctl_user_call *c)
{
    NA_TRY(na_ctl_user_connect(c));
    NA_TRY(na_ctl_user_read(c, pick));
    if (!c->yes && !is_sure(c))
        return na_error_new(c->pool, NA_ERR_CONFIGURATION, "nothing was deleted");
    return na_ctl_user_change(c, remove_user);
}

int na_command_user_delete(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "ya", 1))
        return na_ctl_wrong_call("user delete", NULL);
    if (!c.yes && !isatty(0))
        return na_ctl_wrong_call("user delete", "--yes is required without a terminal");
    return na_ctl_user_end(&c, "deleted", delete_user(&c));
}
