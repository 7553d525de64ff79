/* SPDX-License-Identifier: Apache-2.0 */
/* A user for a terminal. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "ctl/print.h"
#include "ctl/user.h"

const char *na_ctl_user_field(apr_pool_t *pool, const json_t *user, const char *name)
{
    return na_ctl_field(pool, user, name, NA_CTL_USER_TEXT_MAX);
}

static const char *minute(apr_pool_t *pool, const json_t *object, const char *name)
{
    return na_ctl_minute(pool, na_ctl_user_field(pool, object, name));
}

static const char *roles_of(apr_pool_t *pool, const json_t *user)
{
    const char *all = NULL;
    size_t i;
    json_t *role;
    json_array_foreach(json_object_get(user, "roles"), i, role)
    {
        const char *one = na_one_line(pool, json_string_value(role), NA_CTL_USER_TEXT_MAX);
        all = all ? apr_pstrcat(pool, all, ", ", one, NULL) : one;
    }
    return all ? all : "-";
}

static const char *state_of(const json_t *user)
{
    return json_is_true(json_object_get(user, "disabled")) ? "disabled" : "active";
}

static int id_width(const na_db *db)
{
    return db->options->has_numbers ? 10 : 36;
}

void na_ctl_user_print_heading(const na_db *db)
{
    printf("%s%-*s  %-32s  %-8s  %-8s  %-20s  %s%s\n", na_ctl_paint(NA_CTL_BOLD), id_width(db),
           "ID", "EMAIL", "STATE", "PASSWORD", "ROLES", "NAME", na_ctl_paint(NA_CTL_PLAIN));
}

void na_ctl_user_print_row(const na_db *db, apr_pool_t *pool, const json_t *user)
{
    printf("%-*s  %-32s  %-8s  %-8s  %-20s  %s\n", id_width(db),
           na_ctl_user_field(pool, user, "id"), na_ctl_user_field(pool, user, "email"),
           state_of(user), na_ctl_user_field(pool, json_object_get(user, "password"), "hash"),
           roles_of(pool, user), na_ctl_user_field(pool, user, "name"));
}

static void print_line(const char *label, const char *text)
{
    printf("%s%-9s%s  %s\n", na_ctl_paint(NA_CTL_BOLD), label, na_ctl_paint(NA_CTL_PLAIN), text);
}

static const char *password_of(apr_pool_t *pool, const json_t *user)
{
    const json_t *password = json_object_get(user, "password");
    if (!json_is_object(password))
        return "none";
    return apr_psprintf(pool, "%s, changed %s (UTC)", na_ctl_user_field(pool, password, "hash"),
                        minute(pool, password, "changedAt"));
}

static const char *factor_of(apr_pool_t *pool, const json_t *user)
{
    const json_t *factor = json_object_get(user, "secondFactor");
    if (!json_is_object(factor))
        return "none";
    return apr_psprintf(pool, "since %s, last used %s (UTC); %d recovery codes left",
                        minute(pool, factor, "since"), minute(pool, factor, "lastUsed"),
                        (int)json_integer_value(json_object_get(factor, "recoveryCodes")));
}

static void print_user(apr_pool_t *pool, const json_t *user)
{
    size_t i;
    json_t *account;
    print_line("ID", na_ctl_user_field(pool, user, "id"));
    print_line("Email", na_ctl_user_field(pool, user, "email"));
    print_line("Verified", minute(pool, user, "emailVerified"));
    print_line("Name", na_ctl_user_field(pool, user, "name"));
    print_line("Image", na_ctl_user_field(pool, user, "image"));
    print_line("State", state_of(user));
    print_line("Password", password_of(pool, user));
    print_line("2FA", factor_of(pool, user));
    print_line("Roles", roles_of(pool, user));
    json_array_foreach(json_object_get(user, "accounts"), i, account)
        print_line("Account",
                   apr_pstrcat(pool, na_ctl_user_field(pool, account, "provider"), " ",
                               na_ctl_user_field(pool, account, "providerAccountId"), NULL));
}

int na_ctl_user_end(const na_ctl_user_call *c, const char *what, const na_error *error)
{
    if (error)
        return na_ctl_failed(c->pool, error);
    if (c->json)
        printf("%s\n", na_json_dump(c->pool, c->shown));
    else if (!what)
        print_user(c->pool, c->shown);
    else
        printf("%s: %s  %s\n", what, na_ctl_user_field(c->pool, c->shown, "id"),
               na_ctl_user_field(c->pool, c->shown, "email"));
    return 0;
}
