/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <apr_getopt.h>
#include <apr_strings.h>

#include "ctl/connect.h"
#include "ctl/user.h"
#include "mail/address.h"

/* ── the command line ──────────────────────────────────────────────────────────────────────── */

static void take_option(na_user_call *c, int option, const char *value)
{
    const struct {
        int letter;
        const char **place;
    } texts[] = {{'d', &c->url},      {'s', &c->schema},        {'e', &c->email},
                 {'n', &c->name},     {'p', &c->password_file}, {'h', &c->hash_kind},
                 {'a', &c->acts.log}, {'k', &c->acts.key_file}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].letter == option)
            *texts[i].place = value;
    if (option == 'r')
        APR_ARRAY_PUSH(c->roles, const char *) = value;
    c->json |= option == 'j';
    c->yes |= option == 'y';
}

static int is_allowed(int option, const char *allowed)
{
    return strchr("dsj", option) || strchr(allowed, option == 'k' ? 'a' : option);
}

int na_user_options(na_user_call *c, int argc, char **argv, const char *allowed, int operands)
{
    static const apr_getopt_option_t options[] = {{"database", 'd', 1, "address"},
                                                  {"schema", 's', 1, "whose tables"},
                                                  {"json", 'j', 0, "as JSON"},
                                                  {"email", 'e', 1, "the new user's"},
                                                  {"name", 'n', 1, "the new user's"},
                                                  {"password-file", 'p', 1, "FILE or -"},
                                                  {"hash", 'h', 1, "kind of hash"},
                                                  {"role", 'r', 1, "the new user's"},
                                                  {"yes", 'y', 0, "do not ask"},
                                                  {"audit-log", 'a', 1, "file"},
                                                  {"audit-key-file", 'k', 1, "the HMAC's key"},
                                                  {NULL, 0, 0, NULL}};
    apr_getopt_t *parser;
    const char *value;
    int option, right = 1;
    apr_status_t status;
    c->roles = apr_array_make(c->pool, 4, sizeof(const char *));
    c->acts.pool = c->pool;
    apr_getopt_init(&parser, c->pool, argc, (const char *const *)argv);
    parser->interleave = 1;
    while ((status = apr_getopt_long(parser, options, &option, &value)) == APR_SUCCESS) {
        right &= is_allowed(option, allowed);
        take_option(c, option, value);
    }
    c->operands = parser->argv + parser->ind;
    c->who = operands ? c->operands[0] : NULL;
    return status == APR_EOF && right && argc - parser->ind == operands;
}

int na_user_wrong_call(const char *command, const char *why)
{
    fprintf(stderr, "nextauthctl %s: %s\n", command, why ? why : "see nextauthctl --help");
    return 2;
}

na_error *na_user_check_text(const na_user_call *c, const char *what, const char *text)
{
    return *text && strlen(text) <= NA_USER_TEXT_MAX && na_is_utf8(text) && !na_has_control(text)
               ? NULL
               : na_error_new(c->pool, NA_CONFIGURATION,
                              "a %s is one line of UTF-8 of at most %d bytes", what,
                              NA_USER_TEXT_MAX);
}

na_error *na_user_connect(na_user_call *c)
{
    const na_db_options *options;
    return na_ctl_connect(c->pool, c->url, c->schema, &options, &c->db);
}

/* ── finding one ───────────────────────────────────────────────────────────────────────────── */

/* By the address as it is there, which a provider may have given in capitals, then as ours are. */
static na_error *find_by_email(na_user_call *c, na_db_use *use, na_db_user *user, int *found)
{
    const char *email;
    NA_TRY(na_db_get_user_by_email(use, c->who, user, found));
    if (*found || na_email_normalize(c->pool, c->who, &email))
        return NULL;
    return na_db_get_user_by_email(use, email, user, found);
}

static na_error *find(na_user_call *c, na_db_use *use, na_db_user *user)
{
    int found;
    NA_TRY(na_db_get_user(use, c->who, user, &found));
    if (!found)
        NA_TRY(find_by_email(c, use, user, &found));
    return found ? NULL : na_error_new(c->pool, NA_CONFIGURATION, "no user '%s'", c->who);
}

static na_error *find_and_do(na_user_call *c, na_db_use *use, na_user_action *act)
{
    na_db_user user;
    NA_TRY(find(c, use, &user));
    return act(c, use, &user);
}

na_error *na_user_read(na_user_call *c, na_user_action *act)
{
    na_db_use *use;
    NA_TRY(na_db_read(c->db, c->pool, &use));
    return na_db_end(use, find_and_do(c, use, act));
}

/* ── changing ──────────────────────────────────────────────────────────────────────────────── */

void na_user_did(na_user_call *c, na_event_kind kind, const na_db_user *user, const char *what)
{
    na_acts_add(&c->acts, kind, user->id, user->email, what);
}

static na_error *recorded(na_user_call *c, na_db_use *use, na_error *error)
{
    return error ? error : na_acts_record(&c->acts, use);
}

na_error *na_user_transact(na_user_call *c, na_user_work *work)
{
    na_db_use *use;
    NA_TRY(na_acts_open(&c->acts));
    NA_TRY(na_db_write(c->db, c->pool, &use));
    return na_acts_end(&c->acts, na_db_end(use, recorded(c, use, work(c, use))));
}

na_error *na_user_change(na_user_call *c, na_user_action *act)
{
    na_db_use *use;
    NA_TRY(na_acts_open(&c->acts));
    NA_TRY(na_db_write(c->db, c->pool, &use));
    return na_acts_end(&c->acts, na_db_end(use, recorded(c, use, find_and_do(c, use, act))));
}
