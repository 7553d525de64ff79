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
    if (option == 'k' || option == 'D') /* each goes with another */
        option = option == 'k' ? 'a' : 'o';
    return strchr("dsj", option) || strchr(allowed, option);
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
                             {"scope", 'o', .text = &c->scope},
                             {"days", 'D', .text = &c->days},
                             {"yes", 'y', .flag = &c->yes},
                             {"passkeys", 'P', .flag = &c->passkeys},
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

static na_error *find_one(const na_ctl_user_call *c, const na_db_who *who, na_db_person *person,
                          int *found)
{
    return na_db_find(c->db, c->pool, who, person, found);
}

/* Finds the email address as stored, perhaps in capitals from a provider, then in our form. */
static na_error *find_by_email(const na_ctl_user_call *c, na_db_person *person, int *found)
{
    const char *email;
    const na_db_who as_written = {.email = c->who, .current = 1};
    NA_TRY(find_one(c, &as_written, person, found));
    if (*found || na_email_normalize(c->pool, c->who, &email))
        return NULL;
    const na_db_who normal = {.email = email, .current = 1};
    return find_one(c, &normal, person, found);
}

static na_error *find(const na_ctl_user_call *c, na_db_person *person)
{
    const na_db_who by_id = {.id = c->who, .current = 1};
    int found;
    NA_TRY(find_one(c, &by_id, person, &found));
    if (!found)
        NA_TRY(find_by_email(c, person, &found));
    return found ? NULL : na_error_new(c->pool, NA_ERR_CONFIGURATION, "no user '%s'", c->who);
}

na_error *na_ctl_user_read(na_ctl_user_call *c, na_ctl_user_action *act)
{
    na_db_person person;
    NA_TRY(find(c, &person));
    return act(c, &person);
}

/* ── changing ──────────────────────────────────────────────────────────────────────────────── */

void na_ctl_user_did(na_ctl_user_call *c, na_event_kind kind, const na_db_user *user,
                     const char *what)
{
    na_audit_trail_add(&c->trail, kind, user->id, user->email, what);
}

typedef struct change {
    na_ctl_user_call *call;
    na_ctl_user_decision *decide;
} change;

static na_error *find_and_decide(void *data, int *held)
{
    const change *ch = data;
    na_ctl_user_call *c = ch->call;
    na_db_person person;
    NA_TRY(find(c, &person));
    c->who = person.user.id;
    na_decision decision = {.user_id = person.user.id, .revision = &person.revision};
    apr_array_clear(c->trail.events);
    NA_TRY(ch->decide(c, &person, &decision));
    NA_TRY(na_audit_trail_decide(&c->trail, c->db, &decision));
    *held = decision.held;
    return NULL;
}

/* One who was deleted is described as before. */
static na_error *describe(na_ctl_user_call *c)
{
    const na_db_who who = {.id = c->who, .current = 1};
    na_db_person person;
    int found;
    NA_TRY(find_one(c, &who, &person, &found));
    if (!found)
        return NULL;
    c->shown = na_ctl_user_json(c->pool, &person);
    if (!c->shows_accounts)
        return NULL;
    apr_array_header_t *now = apr_array_make(c->pool, 4, sizeof(na_db_account));
    NA_TRY(na_db_list_accounts(c->db, c->pool, c->who, now));
    na_ctl_user_add_accounts(c->pool, c->shown, now);
    return NULL;
}

na_error *na_ctl_user_change(na_ctl_user_call *c, na_ctl_user_decision *decide)
{
    change ch = {c, decide};
    NA_TRY(na_audit_trail_open(&c->trail));
    NA_TRY(na_audit_trail_end(&c->trail, na_db_settle(c->pool, find_and_decide, &ch)));
    return describe(c);
}
