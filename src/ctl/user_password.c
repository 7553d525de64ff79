/* SPDX-License-Identifier: Apache-2.0 */
/* The command `user set-password`, and new hashes. */
#include <string.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/password.h"
#include "ctl/print.h"
#include "ctl/user.h"
#include "password/hash.h"

na_error *na_ctl_user_new_hash(na_ctl_user_call *c, const na_password_owner *owner)
{
    na_password_rules rules = NA_PASSWORD_RULES_DEFAULT;
    char *password;
    if (c->hash_kind)
        NA_TRY(na_hash_kind_parse(c->pool, c->hash_kind, &rules.kind));
    NA_TRY(na_ctl_read_password(c->pool, c->password_file, &password));
    na_password_fault fault = na_password_judge(&rules, owner, password);
    if (fault)
        return na_error_new(c->pool, NA_ERR_CONFIGURATION, "%s",
                            na_password_fault_text(c->pool, &na_english, &rules, fault));
    return na_password_hash(c->pool, rules.kind, password, &c->hash);
}

static na_error *put_new_hash(na_ctl_user_call *c, const na_db_person *person,
                              na_decision *decision)
{
    na_ctl_user_did(c, NA_EVENT_PASSWORD_CHANGE, &person->user, NULL);
    decision->does = NA_DB_SETS_PASSWORD | NA_DB_ENDS_SESSIONS;
    decision->hash = c->hash;
    decision->now = apr_time_as_msec(apr_time_now());
    return NULL;
}

/* Hashing takes time, so it is done before anything is decided. */
static na_error *hash_for(na_ctl_user_call *c, const na_db_person *person)
{
    const na_db_user *user = &person->user;
    c->who = user->id;
    return na_ctl_user_new_hash(c, &(na_password_owner){.name = user->name, .email = user->email});
}

static na_error *set_password(na_ctl_user_call *c)
{
    NA_TRY(na_ctl_user_connect(c));
    NA_TRY(na_ctl_user_read(c, hash_for));
    return na_ctl_user_change(c, put_new_hash);
}

int na_command_user_set_password(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "pha", 1))
        return na_ctl_wrong_call("user set-password", NULL);
    if (!c.password_file && !isatty(0))
        return na_ctl_wrong_call("user set-password",
                                 "--password-file is required without a terminal");
    return na_ctl_user_end(&c, "password set", set_password(&c));
}
