/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_getopt.h>
#include <apr_strings.h>

#include "auth/password_rules.h"
#include "base/clock.h"
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/connect.h"
#include "ctl/password.h"
#include "db/adapter.h"
#include "mail/address.h"

/* Users that are listed at a time: memory does not grow with their number. */
#define PAGE 500

/* Most bytes of a name or role, as columns of MySQL and PostgreSQL have them. */
#define TEXT_MAX 255

typedef struct call {
    apr_pool_t *pool;
    const char *url, *schema, *email, *name, *password_file, *hash_kind;
    apr_array_header_t *roles;
    int json, yes;
    const char *const *operands;
    const char *who;  /* ID or e-mail of the one user it is about */
    const char *hash; /* of the new password; NULL: none */
    na_db *db;
    json_t *shown; /* the user, to be printed once everything is done */
} call;

/* ── the command line ──────────────────────────────────────────────────────────────────────── */

static void take_option(call *c, int option, const char *value)
{
    if (option == 'd')
        c->url = value;
    if (option == 's')
        c->schema = value;
    if (option == 'e')
        c->email = value;
    if (option == 'n')
        c->name = value;
    if (option == 'p')
        c->password_file = value;
    if (option == 'h')
        c->hash_kind = value;
    if (option == 'r')
        APR_ARRAY_PUSH(c->roles, const char *) = value;
    c->json |= option == 'j';
    c->yes |= option == 'y';
}

/* `allowed` has the letters of the options that the command takes, besides those of all. */
static int read_options(call *c, int argc, char **argv, const char *allowed, int operands)
{
    static const apr_getopt_option_t options[] = {
        {"database", 'd', 1, "address"},    {"schema", 's', 1, "whose tables"},
        {"json", 'j', 0, "as JSON"},        {"email", 'e', 1, "the new user's"},
        {"name", 'n', 1, "the new user's"}, {"password-file", 'p', 1, "FILE or -"},
        {"hash", 'h', 1, "kind of hash"},   {"role", 'r', 1, "the new user's"},
        {"yes", 'y', 0, "do not ask"},      {NULL, 0, 0, NULL}};
    apr_getopt_t *parser;
    const char *value;
    int option, right = 1;
    apr_status_t status;
    c->roles = apr_array_make(c->pool, 4, sizeof(const char *));
    apr_getopt_init(&parser, c->pool, argc, (const char *const *)argv);
    parser->interleave = 1;
    while ((status = apr_getopt_long(parser, options, &option, &value)) == APR_SUCCESS) {
        right &= strchr("dsj", option) || strchr(allowed, option);
        take_option(c, option, value);
    }
    c->operands = parser->argv + parser->ind;
    c->who = operands ? c->operands[0] : NULL;
    return status == APR_EOF && right && argc - parser->ind == operands;
}

static int wrong_call(const char *command, const char *why)
{
    fprintf(stderr, "nextauthctl %s: %s\n", command, why ? why : "see nextauthctl --help");
    return 2;
}

static na_error *connect_to(call *c)
{
    const na_db_options *options;
    return na_ctl_connect(c->pool, c->url, c->schema, &options, &c->db);
}

static na_error *check_text(const call *c, const char *what, const char *text)
{
    return *text && strlen(text) <= TEXT_MAX && na_is_utf8(text) && !na_has_control(text)
               ? NULL
               : na_error_new(c->pool, NA_CONFIGURATION,
                              "a %s is one line of UTF-8 of at most %d bytes", what, TEXT_MAX);
}

/* ── a user as JSON ────────────────────────────────────────────────────────────────────────── */

/* JSON and terminals take no other bytes. */
static const char *utf8(const char *text)
{
    return text && na_is_utf8(text) ? text : NULL;
}

static const char *time_of(apr_pool_t *pool, apr_int64_t milliseconds)
{
    return milliseconds ? na_iso8601(pool, apr_time_from_msec(milliseconds)) : NULL;
}

static na_error *json_of_roles(na_db_use *use, const na_db_user *user, json_t *json)
{
    apr_array_header_t *roles = apr_array_make(na_db_pool(use), 4, sizeof(const char *));
    NA_TRY(na_db_roles(use, user->id, 0, roles));
    for (int i = 0; i < roles->nelts; i++)
        json_array_append_new(json, json_string(APR_ARRAY_IDX(roles, i, const char *)));
    return NULL;
}

static na_error *json_of_accounts(na_db_use *use, const na_db_user *user, json_t *json)
{
    apr_array_header_t *accounts = apr_array_make(na_db_pool(use), 4, sizeof(na_db_account));
    NA_TRY(na_db_list_accounts(use, user->id, accounts));
    for (int i = 0; i < accounts->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(accounts, i, na_db_account);
        json_array_append_new(json,
                              json_pack("{s:s?, s:s?}", "provider", utf8(account->provider),
                                        "providerAccountId", utf8(account->provider_account_id)));
    }
    return NULL;
}

/* The hash itself is shown to nobody. */
static json_t *json_of_password(na_db_use *use, const na_db_credential *credential)
{
    if (!credential->hash)
        return json_null();
    return json_pack("{s:s, s:s?}", "hash", na_hash_name(credential->hash), "changedAt",
                     time_of(na_db_pool(use), credential->changed_at));
}

/* The object lives in the pool of the use. */
static na_error *describe(na_db_use *use, const na_db_user *user, json_t **json)
{
    apr_pool_t *pool = na_db_pool(use);
    na_db_credential credential;
    json_t *roles = na_json_own(pool, json_array());
    NA_TRY(na_db_get_credential(use, user->id, &credential));
    NA_TRY(json_of_roles(use, user, roles));
    *json = json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:b, s:o, s:O}", "id", utf8(user->id),
                      "email", utf8(user->email), "name", utf8(user->name), "emailVerified",
                      time_of(pool, user->email_verified), "image", utf8(user->image), "disabled",
                      credential.disabled, "password", json_of_password(use, &credential), "roles",
                      roles);
    na_json_own(pool, *json);
    return NULL;
}

static na_error *describe_with_accounts(na_db_use *use, const na_db_user *user, json_t **json)
{
    json_t *accounts = na_json_own(na_db_pool(use), json_array());
    NA_TRY(describe(use, user, json));
    NA_TRY(json_of_accounts(use, user, accounts));
    json_object_set(*json, "accounts", accounts);
    return NULL;
}

/* ── for people ────────────────────────────────────────────────────────────────────────────── */

static const char *colour(const char *code)
{
    return isatty(1) ? code : "";
}

/* Foreign text must not command the terminal. */
static const char *field(apr_pool_t *pool, const json_t *user, const char *name)
{
    const char *text = na_json_string(user, name);
    return text && *text ? na_one_line(pool, text, TEXT_MAX) : "-";
}

/* "2026-01-01 00:00" of "2026-01-01T00:00:00.000Z". */
static const char *minute(apr_pool_t *pool, const json_t *object, const char *name)
{
    char *text = apr_pstrndup(pool, field(pool, object, name), 16);
    char *t = strchr(text, 'T');
    if (t)
        *t = ' ';
    return text;
}

static const char *roles_of(apr_pool_t *pool, const json_t *user)
{
    const char *all = NULL;
    size_t i;
    json_t *role;
    json_array_foreach(json_object_get(user, "roles"), i, role)
    {
        const char *one = na_one_line(pool, json_string_value(role), TEXT_MAX);
        all = all ? apr_pstrcat(pool, all, ", ", one, NULL) : one;
    }
    return all ? all : "-";
}

static const char *state_of(const json_t *user)
{
    return json_is_true(json_object_get(user, "disabled")) ? "disabled" : "active";
}

static int id_width(na_db_use *use)
{
    return na_schema_makes_ids(na_db_schema_of(use)) ? 10 : 36;
}

static void print_heading(na_db_use *use)
{
    printf("%s%-*s  %-32s  %-8s  %-8s  %-20s  %s%s\n", colour("\033[1m"), id_width(use), "ID",
           "E-MAIL", "STATE", "PASSWORD", "ROLES", "NAME", colour("\033[0m"));
}

static void print_row(na_db_use *use, const json_t *user)
{
    apr_pool_t *pool = na_db_pool(use);
    printf("%-*s  %-32s  %-8s  %-8s  %-20s  %s\n", id_width(use), field(pool, user, "id"),
           field(pool, user, "email"), state_of(user),
           field(pool, json_object_get(user, "password"), "hash"), roles_of(pool, user),
           field(pool, user, "name"));
}

static void print_line(const char *label, const char *text)
{
    printf("%s%-9s%s  %s\n", colour("\033[1m"), label, colour("\033[0m"), text);
}

static const char *password_of(apr_pool_t *pool, const json_t *user)
{
    const json_t *password = json_object_get(user, "password");
    if (!json_is_object(password))
        return "none";
    return apr_psprintf(pool, "%s, changed %s (UTC)", field(pool, password, "hash"),
                        minute(pool, password, "changedAt"));
}

static void print_user(apr_pool_t *pool, const json_t *user)
{
    size_t i;
    json_t *account;
    print_line("ID", field(pool, user, "id"));
    print_line("E-mail", field(pool, user, "email"));
    print_line("Verified", minute(pool, user, "emailVerified"));
    print_line("Name", field(pool, user, "name"));
    print_line("Image", field(pool, user, "image"));
    print_line("State", state_of(user));
    print_line("Password", password_of(pool, user));
    print_line("Roles", roles_of(pool, user));
    json_array_foreach(json_object_get(user, "accounts"), i, account)
        print_line("Account", apr_pstrcat(pool, field(pool, account, "provider"), " ",
                                          field(pool, account, "providerAccountId"), NULL));
}

/* Ends a command: its exit status. `what` was done to the user; NULL: it is shown. */
static int end(const call *c, const char *what, const na_error *error)
{
    if (error) {
        fprintf(stderr, "nextauthctl: %s\n",
                na_one_line(c->pool, na_error_text(c->pool, error), 1000));
        return 1;
    }
    if (c->json)
        printf("%s\n", na_json_dump(c->pool, c->shown));
    else if (!what)
        print_user(c->pool, c->shown);
    else
        printf("%s: %s  %s\n", what, field(c->pool, c->shown, "id"),
               field(c->pool, c->shown, "email"));
    return 0;
}

/* ── finding one ───────────────────────────────────────────────────────────────────────────── */

/* By the address as it is there, which a provider may have given in capitals, then as ours are. */
static na_error *find_by_email(call *c, na_db_use *use, na_db_user *user, int *found)
{
    const char *email;
    NA_TRY(na_db_get_user_by_email(use, c->who, user, found));
    if (*found || na_email_normalize(c->pool, c->who, &email))
        return NULL;
    return na_db_get_user_by_email(use, email, user, found);
}

static na_error *find(call *c, na_db_use *use, na_db_user *user)
{
    int found;
    NA_TRY(na_db_get_user(use, c->who, user, &found));
    if (!found)
        NA_TRY(find_by_email(c, use, user, &found));
    return found ? NULL : na_error_new(c->pool, NA_CONFIGURATION, "no user '%s'", c->who);
}

typedef na_error *action(call *c, na_db_use *use, na_db_user *user);

static na_error *find_and_do(call *c, na_db_use *use, action *act)
{
    na_db_user user;
    NA_TRY(find(c, use, &user));
    return act(c, use, &user);
}

static na_error *read_user(call *c, action *act)
{
    na_db_use *use;
    NA_TRY(na_db_read(c->db, c->pool, &use));
    return na_db_end(use, find_and_do(c, use, act));
}

static na_error *change_user(call *c, action *act)
{
    na_db_use *use;
    NA_TRY(na_db_write(c->db, c->pool, &use));
    return na_db_end(use, find_and_do(c, use, act));
}

/* ── user list ─────────────────────────────────────────────────────────────────────────────── */

static na_error *list_one(const call *c, na_db_use *use, const na_db_user *user, int is_first)
{
    json_t *json;
    NA_TRY(describe(use, user, &json));
    if (c->json)
        printf("%s%s", is_first ? "" : ",", na_json_dump(na_db_pool(use), json));
    else
        print_row(use, json);
    return NULL;
}

/* `last` is the id to go on after, "" at first; *count grows by as many as there were. */
static na_error *list_page(const call *c, na_db_use *use, char last[TEXT_MAX + 1], int *count)
{
    apr_array_header_t *users = apr_array_make(na_db_pool(use), PAGE, sizeof(na_db_user));
    NA_TRY(na_db_list_users(use, *last ? last : NULL, PAGE, users));
    for (int i = 0; i < users->nelts; i++) {
        const na_db_user *user = &APR_ARRAY_IDX(users, i, na_db_user);
        NA_TRY(list_one(c, use, user, ++*count == 1));
        apr_cpystrn(last, user->id, TEXT_MAX + 1);
    }
    return NULL;
}

static na_error *list_pages(const call *c, na_db_use *use, apr_pool_t *page, int *count)
{
    char last[TEXT_MAX + 1] = "";
    for (int before = -1; before != *count;) {
        before = *count;
        NA_TRY(list_page(c, use, last, count));
        apr_pool_clear(page);
    }
    return NULL;
}

static na_error *list(call *c, int *count)
{
    na_db_use *use;
    apr_pool_t *page;
    NA_TRY(connect_to(c));
    NA_TRY(na_db_read(c->db, c->pool, &use));
    apr_pool_create(&page, c->pool);
    apr_pool_t *before = na_db_set_pool(use, page);
    if (c->json)
        printf("{\"users\":[");
    else
        print_heading(use);
    na_error *error = list_pages(c, use, page, count);
    na_db_set_pool(use, before);
    return na_db_end(use, error);
}

int na_command_user_list(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    int count = 0;
    if (!read_options(&c, argc, argv, "", 0))
        return wrong_call("user list", NULL);
    na_error *error = list(&c, &count);
    if (error)
        return end(&c, NULL, error);
    if (c.json)
        printf("]}\n");
    else
        fprintf(stderr, "%d user%s\n", count, count == 1 ? "" : "s");
    return 0;
}

/* ── passwords ─────────────────────────────────────────────────────────────────────────────── */

static na_error *new_hash(call *c, const na_password_owner *owner)
{
    na_password_rules rules = NA_PASSWORD_RULES_DEFAULT;
    char *password;
    if (c->hash_kind)
        NA_TRY(na_hash_kind_parse(c->pool, c->hash_kind, &rules.kind));
    NA_TRY(na_ctl_read_password(c->pool, c->password_file, &password));
    na_password_fault fault = na_password_judge(&rules, owner, password);
    if (fault)
        return na_error_new(c->pool, NA_CONFIGURATION, "%s",
                            na_password_fault_text(c->pool, &rules, fault));
    return na_password_hash(c->pool, rules.kind, password, &c->hash);
}

static na_error *put_hash(call *c, na_db_use *use, na_db_user *user)
{
    NA_TRY(na_db_put_credential(use, user->id, c->hash, apr_time_as_msec(apr_time_now())));
    return describe(use, user, &c->shown);
}

/* Hashing takes its time: nobody waits for a transaction meanwhile. */
static na_error *hash_for(call *c, na_db_use *use, na_db_user *user)
{
    c->who = user->id;
    return new_hash(c, &(na_password_owner){.name = user->name, .email = user->email});
}

static na_error *set_password(call *c)
{
    NA_TRY(connect_to(c));
    NA_TRY(read_user(c, hash_for));
    return change_user(c, put_hash);
}

int na_command_user_set_password(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    if (!read_options(&c, argc, argv, "ph", 1))
        return wrong_call("user set-password", NULL);
    if (!c.password_file && !isatty(0))
        return wrong_call("user set-password", "--password-file is wanted without a terminal");
    return end(&c, "password set", set_password(&c));
}

/* ── user add ──────────────────────────────────────────────────────────────────────────────── */

static na_error *grant_roles(const call *c, na_db_use *use, const na_db_user *user)
{
    for (int i = 0; i < c->roles->nelts; i++)
        NA_TRY(na_db_grant_role(use, user->id, APR_ARRAY_IDX(c->roles, i, const char *)));
    return NULL;
}

/* The lock's name is that of sign-ins: not every schema has an index that keeps addresses unique.
 */
static na_error *create(call *c, na_db_use *use)
{
    na_db_user user = {.name = c->name, .email = c->email}, other;
    int found;
    NA_TRY(na_db_lock(use, apr_pstrcat(c->pool, "email ", c->email, NULL)));
    NA_TRY(na_db_get_user_by_email(use, c->email, &other, &found));
    if (found)
        return na_error_new(c->pool, NA_CONFIGURATION, "there is a user with this address: %s",
                            other.id);
    NA_TRY(na_db_create_user(use, &user));
    NA_TRY(grant_roles(c, use, &user));
    return c->hash ? put_hash(c, use, &user) : describe(use, &user, &c->shown);
}

static na_error *check_new(call *c)
{
    NA_TRY(na_email_normalize(c->pool, c->email, &c->email));
    if (c->name)
        NA_TRY(check_text(c, "name", c->name));
    for (int i = 0; i < c->roles->nelts; i++)
        NA_TRY(check_text(c, "role", APR_ARRAY_IDX(c->roles, i, const char *)));
    return NULL;
}

static na_error *add(call *c)
{
    na_db_use *use;
    NA_TRY(check_new(c));
    NA_TRY(connect_to(c));
    if (c->password_file)
        NA_TRY(new_hash(c, &(na_password_owner){.name = c->name, .email = c->email}));
    NA_TRY(na_db_write(c->db, c->pool, &use));
    return na_db_end(use, create(c, use));
}

int na_command_user_add(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    if (!read_options(&c, argc, argv, "enphr", 0) || !c.email)
        return wrong_call("user add", NULL);
    return end(&c, "added", add(&c));
}

/* ── user show, disable, enable ────────────────────────────────────────────────────────────── */

static na_error *show(call *c, na_db_use *use, na_db_user *user)
{
    return describe_with_accounts(use, user, &c->shown);
}

int na_command_user_show(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    if (!read_options(&c, argc, argv, "", 1))
        return wrong_call("user show", NULL);
    na_error *error = connect_to(&c);
    return end(&c, NULL, error ? error : read_user(&c, show));
}

/* A command that changes one user and asks nothing. */
static int run(apr_pool_t *pool, int argc, char **argv, action *act, const char *command,
               const char *done)
{
    call c = {.pool = pool};
    if (!read_options(&c, argc, argv, "", 1))
        return wrong_call(command, NULL);
    na_error *error = connect_to(&c);
    return end(&c, done, error ? error : change_user(&c, act));
}

static na_error *disable(call *c, na_db_use *use, na_db_user *user)
{
    NA_TRY(na_db_disable_user(use, user->id, 1));
    NA_TRY(na_db_change(use, NA_SQL_DELETE_USER_SESSIONS, 1, &user->id, NULL));
    return describe(use, user, &c->shown);
}

static na_error *enable(call *c, na_db_use *use, na_db_user *user)
{
    NA_TRY(na_db_disable_user(use, user->id, 0));
    return describe(use, user, &c->shown);
}

int na_command_user_disable(apr_pool_t *pool, int argc, char **argv)
{
    return run(pool, argc, argv, disable, "user disable", "disabled");
}

int na_command_user_enable(apr_pool_t *pool, int argc, char **argv)
{
    return run(pool, argc, argv, enable, "user enable", "enabled");
}

/* ── user delete ───────────────────────────────────────────────────────────────────────────── */

/* From now on it is about this user, whoever has the address later. */
static na_error *pick(call *c, na_db_use *use, na_db_user *user)
{
    c->who = user->id;
    return describe(use, user, &c->shown);
}

static int is_sure(const call *c)
{
    char answer[16];
    fprintf(stderr, "Delete %s, %s, and everything of this user? [y/N] ",
            field(c->pool, c->shown, "id"), field(c->pool, c->shown, "email"));
    return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static na_error *remove_user(call *c, na_db_use *use, na_db_user *user)
{
    return na_db_delete_user(use, user->id);
}

static na_error *delete_user(call *c)
{
    NA_TRY(connect_to(c));
    NA_TRY(read_user(c, pick));
    if (!c->yes && !is_sure(c))
        return na_error_new(c->pool, NA_CONFIGURATION, "nothing was deleted");
    return change_user(c, remove_user);
}

int na_command_user_delete(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    if (!read_options(&c, argc, argv, "y", 1))
        return wrong_call("user delete", NULL);
    if (!c.yes && !isatty(0))
        return wrong_call("user delete", "--yes is wanted without a terminal");
    return end(&c, "deleted", delete_user(&c));
}

/* ── role grant, role revoke ───────────────────────────────────────────────────────────────── */

static na_error *grant_role(call *c, na_db_use *use, na_db_user *user)
{
    NA_TRY(na_db_grant_role(use, user->id, c->operands[1]));
    return describe(use, user, &c->shown);
}

static na_error *revoke_role(call *c, na_db_use *use, na_db_user *user)
{
    NA_TRY(na_db_revoke_role(use, user->id, c->operands[1]));
    return describe(use, user, &c->shown);
}

static na_error *change_role(call *c, action *act)
{
    NA_TRY(check_text(c, "role", c->operands[1]));
    NA_TRY(connect_to(c));
    return change_user(c, act);
}

int na_command_role_grant(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    if (!read_options(&c, argc, argv, "", 2))
        return wrong_call("role grant", NULL);
    return end(&c, "granted", change_role(&c, grant_role));
}

int na_command_role_revoke(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    if (!read_options(&c, argc, argv, "", 2))
        return wrong_call("role revoke", NULL);
    return end(&c, "revoked", change_role(&c, revoke_role));
}
