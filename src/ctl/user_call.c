/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that the commands of users and roles share: options, connection, the user. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "ctl/connect.h"
#include "ctl/options.h"
#include "ctl/user.h"
#include "mail/address.h"

/* ── the command line ──────────────────────────────────────────────────────────────────────── */

static int is_allowed(int option, const char *allowed)
{
    return strchr("dsj", option) || strchr(allowed, option == 'k' ? 'a' : option);
}

int na_ctl_user_options(na_ctl_user_call *c, int argc, char **argv, const char *allowed,
                        int operands)
{
    c->roles = apr_array_make(c->pool, 4, sizeof(const char *));
    c->trail.pool = c->pool;
    const na_option all[] = {{"database", 'd', .text = &c->url},
                             {"schema", 's', .text = &c->schema},
                             {"json", 'j', .flag = &c->json},
                             {"email", 'e', .text = &c->email},
                             {"name", 'n', .text = &c->name},
                             {"password-file", 'p', .text = &c->password_file},
                             {"hash", 'h', .text = &c->hash_kind},
                             {"role", 'r', .list = c->roles},
                             {"yes", 'y', .flag = &c->yes},
                             {"audit-log", 'a', .text = &c->trail.log},
                             {"audit-key-file", 'k', .text = &c->trail.key_file},
                             {0}};
    na_option options[sizeof all / sizeof *all] = {0};
    for (int i = 0, n = 0; all[i].name; i++)
        if (is_allowed(all[i].letter, allowed))
            options[n++] = all[i];
    int count = na_ctl_options(c->pool, argc, argv, options, &c->operands);
    c->who = operands ? c->operands[0] : NULL;
    return count == operands;
}

na_error *na_ctl_user_check_text(const na_ctl_user_call *c, const char *what, const char *text)
{
    return *text && strlen(text) <= NA_CTL_USER_TEXT_MAX && na_is_utf8(text) &&
                   !na_has_control(text)
               ? NULL
               : na_error_new(c->pool, NA_ERR_CONFIGURATION,
                              "a %s is one line of UTF-8 of at most %d bytes", what,
                              NA_CTL_USER_TEXT_MAX);
}

na_error *na_ctl_user_connect(na_ctl_user_call *c)
{
    const na_db_options *options;
    return na_ctl_connect(c->pool, c->url, c->schema, &options, &c->db);
}

/* ── finding one ───────────────────────────────────────────────────────────────────────────── */

/* Finds the email address as stored, perhaps in capitals from a provider, then in our form. */
static na_error *find_by_email(na_ctl_user_call *c, na_db_use *use, na_db_user *user, int *found)
{
    const char *email;
    NA_TRY(na_db_get_user_by_email(use, c->who, user, found));
    if (*found || na_email_normalize(c->pool, c->who, &email))
        return NULL;
    return na_db_get_user_by_email(use, email, user, found);
}

static na_error *find(na_ctl_user_call *c, na_db_use *use, na_db_user *user)
{
    int found;
    NA_TRY(na_db_get_user(use, c->who, user, &found));
    if (!found)
        NA_TRY(find_by_email(c, use, user, &found));
    return found ? NULL : na_error_new(c->pool, NA_ERR_CONFIGURATION, "no user '%s'", c->who);
}

typedef struct action {
    na_ctl_user_call *call;
    na_ctl_user_action *act;
} action;

static na_error *find_and_do(void *data, na_db_use *use)
{
    const action *a = data;
    na_db_user user;
    NA_TRY(find(a->call, use, &user));
    return a->act(a->call, use, &user);
}

na_error *na_ctl_user_read(na_ctl_user_call *c, na_ctl_user_action *act)
{
    na_db_use *use;
    action a = {c, act};
    NA_TRY(na_db_read(c->db, c->pool, &use));
    return na_db_end(use, find_and_do(&a, use));
}

/* ── changing ──────────────────────────────────────────────────────────────────────────────── */

void na_ctl_user_did(na_ctl_user_call *c, na_event_kind kind, const na_db_user *user,
                     const char *what)
{
    na_audit_trail_add(&c->trail, kind, user->id, user->email, what);
}

na_error *na_ctl_user_change(na_ctl_user_call *c, na_ctl_user_action *act)
{
    action a = {c, act};
    return na_audit_trail_transact(&c->trail, c->db, find_and_do, &a);
}
