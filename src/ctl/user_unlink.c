/* SPDX-License-Identifier: Apache-2.0 */
/* The command `user unlink`. */
#include <string.h>

#include <apr_strings.h>

#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/user.h"

/* Whether links are emailed is not known here, so they do not count. */
static na_error *check_not_last(na_ctl_user_call *c, na_db_use *use, const na_db_user *user,
                                int left)
{
    na_db_credential credential;
    if (left || c->yes)
        return NULL;
    NA_TRY(na_db_get_credential(use, user->id, &credential));
    return credential.hash
               ? NULL
               : na_error_new(c->pool, NA_ERR_CONFIGURATION,
                              "this is the user's last account, and the user has no password: with "
                              "--yes, only an emailed link might remain to sign in");
}

static na_error *unlink_account(na_ctl_user_call *c, na_db_use *use, const na_db_user *user,
                                const na_db_account *account)
{
    na_ctl_user_did(c, NA_EVENT_UNLINK_ACCOUNT, user,
                    apr_pstrcat(c->pool, "account ", account->provider_account_id, NULL));
    APR_ARRAY_IDX(c->trail.events, c->trail.events->nelts - 1, na_event).provider =
        account->provider;
    return na_db_unlink_account(use, account->provider, account->provider_account_id);
}

/* Unlinks every account that the user has with this provider. */
static na_error *unlink_all(na_ctl_user_call *c, na_db_use *use, na_db_user *user)
{
    apr_array_header_t *all = apr_array_make(c->pool, 4, sizeof(na_db_account));
    int unlinked = 0;
    NA_TRY(na_db_list_accounts(use, user->id, all));
    for (int i = 0; i < all->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(all, i, na_db_account);
        if (strcmp(account->provider, c->operands[1]) != 0)
            continue;
        NA_TRY(unlink_account(c, use, user, account));
        unlinked++;
    }
    if (!unlinked)
        return na_error_new(c->pool, NA_ERR_CONFIGURATION, "the user has no account with '%s'",
                            c->operands[1]);
    NA_TRY(check_not_last(c, use, user, all->nelts - unlinked));
    NA_TRY(na_db_end_sessions(use, user->id)); /* which account began which is not known */
    return na_ctl_user_describe_with_accounts(use, user, &c->shown);
}

int na_command_user_unlink(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "ya", 2))
        return na_ctl_wrong_call("user unlink", NULL);
    na_error *error = na_ctl_user_connect(&c);
    return na_ctl_user_end(&c, "unlinked", error ? error : na_ctl_user_change(&c, unlink_all));
}
