/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `role grant` and `role revoke`. */
#include <apr_strings.h>

#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/user.h"

static const char *role_text(const na_ctl_user_call *c)
{
    return apr_pstrcat(c->pool, "role ", c->operands[1], NULL);
}

static const apr_array_header_t *one_role(const na_ctl_user_call *c)
{
    apr_array_header_t *roles = apr_array_make(c->pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(roles, const char *) = c->operands[1];
    return roles;
}

static na_error *grant_role(na_ctl_user_call *c, const na_db_person *person, na_decision *decision)
{
    na_ctl_user_did(c, NA_EVENT_GRANT_ROLE, &person->user, role_text(c));
    decision->grants = one_role(c);
    return NULL;
}

static na_error *revoke_role(na_ctl_user_call *c, const na_db_person *person, na_decision *decision)
{
    na_ctl_user_did(c, NA_EVENT_REVOKE_ROLE, &person->user, role_text(c));
    decision->revokes = one_role(c);
    return NULL;
}

static na_error *change_role(na_ctl_user_call *c, na_ctl_user_decision *decide)
{
    NA_TRY(na_ctl_user_check_text(c, "role", c->operands[1]));
    NA_TRY(na_ctl_user_connect(c));
    return na_ctl_user_change(c, decide);
}

int na_command_role_grant(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "a", 2))
        return na_ctl_wrong_call("role grant", NULL);
    return na_ctl_user_end(&c, "granted", change_role(&c, grant_role));
}

int na_command_role_revoke(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "a", 2))
        return na_ctl_wrong_call("role revoke", NULL);
    return na_ctl_user_end(&c, "revoked", change_role(&c, revoke_role));
}
