/* SPDX-License-Identifier: Apache-2.0 */
/* The command `user add`. */
#include <apr_strings.h>

#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/user.h"
#include "mail/address.h"

static na_error *grant(na_ctl_user_call *c, na_db_use *use, const na_db_user *user,
                       const char *role)
{
    na_ctl_user_did(c, NA_EVENT_GRANT_ROLE, user, apr_pstrcat(c->pool, "role ", role, NULL));
    return na_db_grant_role(use, user->id, role);
}

static na_error *grant_roles(na_ctl_user_call *c, na_db_use *use, const na_db_user *user)
{
    for (int i = 0; i < c->roles->nelts; i++)
        NA_TRY(grant(c, use, user, APR_ARRAY_IDX(c->roles, i, const char *)));
    return NULL;
}

/* The lock's name is that of sign-ins: not every schema has an index that keeps them unique.
 */
static na_error *create(void *data, na_db_use *use)
{
    na_ctl_user_call *c = data;
    na_db_user user = {.name = c->name,
                       .email = c->email,
                       .email_verified = apr_time_as_msec(apr_time_now())},
               other;
    int found;
    NA_TRY(na_db_lock(use, apr_pstrcat(c->pool, "email ", c->email, NULL)));
    NA_TRY(na_db_get_user_by_email(use, c->email, &other, &found));
    if (found)
        return na_error_new(c->pool, NA_ERR_CONFIGURATION,
                            "a user with this email address exists: %s", other.id);
    NA_TRY(na_db_create_user(use, &user));
    na_ctl_user_did(c, NA_EVENT_CREATE_USER, &user, NULL);
    NA_TRY(grant_roles(c, use, &user));
    return c->hash ? na_ctl_user_put_hash(c, use, &user)
                   : na_ctl_user_describe(use, &user, &c->shown);
}

static na_error *check_new(na_ctl_user_call *c)
{
    NA_TRY(na_email_normalize(c->pool, c->email, &c->email));
    if (c->name)
        NA_TRY(na_ctl_user_check_text(c, "name", c->name));
    for (int i = 0; i < c->roles->nelts; i++)
        NA_TRY(na_ctl_user_check_text(c, "role", APR_ARRAY_IDX(c->roles, i, const char *)));
    return NULL;
}

static na_error *add(na_ctl_user_call *c)
{
    NA_TRY(check_new(c));
    NA_TRY(na_ctl_user_connect(c));
    if (c->password_file)
        NA_TRY(na_ctl_user_new_hash(c, &(na_password_owner){.name = c->name, .email = c->email}));
    return na_audit_trail_transact(&c->trail, c->db, create, c);
}

int na_command_user_add(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "enphra", 0) || !c.email)
        return na_ctl_wrong_call("user add", NULL);
    return na_ctl_user_end(&c, "added", add(&c));
}
