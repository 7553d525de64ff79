/* SPDX-License-Identifier: Apache-2.0 */
/* The command `user add`. */
#include <apr_strings.h>

#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/user.h"
#include "mail/address.h"

/* The ID of the user is known only now. */
static na_error *record(void *data, na_db_use *use, const na_decision *decision)
{
    na_ctl_user_call *c = data;
    const na_db_user user = {.id = decision->id, .email = c->email};
    apr_array_clear(c->trail.events);
    na_ctl_user_did(c, NA_EVENT_CREATE_USER, &user, NULL);
    for (int i = 0; i < c->roles->nelts; i++)
        na_ctl_user_did(c, NA_EVENT_GRANT_ROLE, &user,
                        apr_pstrcat(c->pool, "role ", APR_ARRAY_IDX(c->roles, i, const char *),
                                    NULL));
    return na_audit_trail_record(&c->trail, c->db, use);
}

static na_error *refuse_existing(const na_ctl_user_call *c)
{
    const na_db_who who = {.email = c->email, .current = 1};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(c->db, c->pool, &who, &person, &found));
    return found ? na_error_new(c->pool, NA_ERR_CONFIGURATION,
                                "a user with this email address exists: %s", person.user.id)
                 : NULL;
}

static na_error *create(void *data, int *held)
{
    na_ctl_user_call *c = data;
    const apr_int64_t now = apr_time_as_msec(apr_time_now());
    const na_db_user user = {.name = c->name, .email = c->email, .email_verified = now};
    na_decision decision = {.email = c->email,
                            .user = &user,
                            .does = c->hash ? NA_DB_SETS_PASSWORD : 0,
                            .hash = c->hash,
                            .now = now,
                            .grants = c->roles,
                            .record = record,
                            .data = c};
    NA_TRY(refuse_existing(c));
    NA_TRY(na_db_decide(c->db, c->pool, &decision));
    *held = decision.held;
    c->who = decision.id;
    return NULL;
}

static na_error *show(na_ctl_user_call *c, const na_db_person *person)
{
    c->shown = na_ctl_user_json(c->pool, person);
    return NULL;
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
    NA_TRY(na_audit_trail_open(&c->trail));
    NA_TRY(na_audit_trail_end(&c->trail, na_db_settle(c->pool, create, c)));
    return na_ctl_user_read(c, show);
}

int na_command_user_add(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "enphra", 0) || !c.email)
        return na_ctl_wrong_call("user add", NULL);
    return na_ctl_user_end(&c, "added", add(&c));
}
