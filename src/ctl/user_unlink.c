/* SPDX-License-Identifier: Apache-2.0 */
/* The command `user unlink`. */
#include <string.h>

#include <apr_strings.h>

#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/user.h"

/* Whether links are emailed is not known here, so they do not count. */
static na_error *check_not_last(const na_ctl_user_call *c, const na_db_person *person, int left)
{
    return left || c->yes || person->credential.hash
               ? NULL
               : na_error_new(c->pool, NA_ERR_CONFIGURATION,
                              "this is the user's last account, and the user has no password: with "
                              "--yes, only an emailed link might remain to sign in");
}

void na_ctl_user_did_unlink(na_ctl_user_call *c, const na_db_user *user,
                            const na_db_account *account)
{
    na_ctl_user_did(c, NA_EVENT_UNLINK_ACCOUNT, user,
                    apr_pstrcat(c->pool, "account ", account->provider_account_id, NULL));
    APR_ARRAY_IDX(c->trail.events, c->trail.events->nelts - 1, na_event).provider =
        account->provider;
}

/*
 * Unlinks every account that the user has with this provider. Sessions end because which account
 * began which is not known; with that the revision is raised, so that of two commands that leave
 * one account each, one is repeated.
 */
static na_error *unlink_all(na_ctl_user_call *c, const na_db_person *person, na_decision *decision)
{
    apr_array_header_t *all = apr_array_make(c->pool, 4, sizeof(na_db_account));
    apr_array_header_t *gone = apr_array_make(c->pool, 4, sizeof(na_db_account));
    NA_TRY(na_db_list_accounts(c->db, c->pool, person->user.id, all));
    for (int i = 0; i < all->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(all, i, na_db_account);
        if (strcmp(account->provider, c->operands[1]) != 0)
            continue;
        APR_ARRAY_PUSH(gone, na_db_account) = *account;
        na_ctl_user_did_unlink(c, &person->user, account);
    }
    if (!gone->nelts)
        return na_error_new(c->pool, NA_ERR_CONFIGURATION, "the user has no account with '%s'",
                            c->operands[1]);
    NA_TRY(check_not_last(c, person, all->nelts - gone->nelts));
    decision->unlink = gone;
    decision->does = NA_DB_ENDS_SESSIONS;
    c->shows_accounts = 1;
    return NULL;
}

int na_command_user_unlink(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "ya", 2))
        return na_ctl_wrong_call("user unlink", NULL);
    na_error *error = na_ctl_user_connect(&c);
    return na_ctl_user_end(&c, "unlinked", error ? error : na_ctl_user_change(&c, unlink_all));
}
