/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `token add`, `token list`, and `token revoke`: personal access tokens of a user. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "auth/access_token.h"
#include "auth/token_scope.h"
#include "base/clock.h"
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "ctl/user.h"

/* A call about a user's tokens; the part that all commands about users have comes first. */
typedef struct token_call {
    na_ctl_user_call user;
    na_access_wish wish;
    const char *token; /* the new one */
    na_db_secret row;  /* of the token that is added or revoked */
} token_call;

static token_call *token_call_of(na_ctl_user_call *c)
{
    return (token_call *)c;
}

/* Tells the administrator of a token as JSON; `token` is the new one itself, or NULL. */
static json_t *token_json(apr_pool_t *pool, const na_db_secret *row, const char *token)
{
    json_t *json = na_json_own(pool, json_object());
    const struct {
        const char *name;
        apr_int64_t at;
    } times[] = {{"created", row->created_at},
                 {"lastUsed", row->used_at},
                 {"expires", row->expires_at}};
    json_object_set_new(json, "id", json_string(na_access_token_handle(pool, row)));
    json_object_set_new(json, "name", json_string(na_one_line(pool, row->name, 200)));
    json_object_set_new(json, "scope", json_string(row->scope ? row->scope : ""));
    for (int i = 0; i < 3; i++)
        if (times[i].at)
            json_object_set_new(json, times[i].name,
                                json_string(na_iso8601(pool, times[i].at * 1000)));
    if (token)
        json_object_set_new(json, "token", json_string(token));
    return json;
}

/* ── adding ────────────────────────────────────────────────────────────────────────────────── */

static na_error *add_token(na_ctl_user_call *c, const na_db_person *person, na_decision *decision)
{
    token_call *t = token_call_of(c);
    if (person->credential.disabled)
        return na_error_new(c->pool, NA_ERR_CONFIGURATION, "the user is disabled");
    t->wish.user_id = person->user.id;
    na_access_token_row(c->pool, &t->wish, apr_time_now(), &t->token, &t->row);
    apr_array_header_t *secrets = apr_array_make(c->pool, 1, sizeof(na_db_secret));
    APR_ARRAY_PUSH(secrets, na_db_secret) = t->row;
    decision->secrets = secrets;
    na_ctl_user_did(c, NA_EVENT_MAKE_TOKEN, &person->user,
                    apr_pstrcat(c->pool, na_access_token_handle(c->pool, &t->row), " ",
                                t->row.scope, NULL));
    return NULL;
}

static na_error *read_wish(token_call *t)
{
    apr_pool_t *pool = t->user.pool;
    const char *fault = na_access_token_name_fault(t->user.name);
    t->wish.name = t->user.name;
    t->wish.days = NA_ACCESS_TOKEN_DAYS;
    if (fault)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "--name: %s", fault);
    if (t->user.days && !na_ctl_number(t->user.days, 1, NA_ACCESS_TOKEN_DAYS_MAX, &t->wish.days))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "--days requires a number from 1 to %d",
                            NA_ACCESS_TOKEN_DAYS_MAX);
    return na_scope_parse(pool, t->user.scope, &t->wish.scope);
}

static na_error *add(token_call *t)
{
    NA_TRY(read_wish(t));
    NA_TRY(na_ctl_user_connect(&t->user));
    return na_ctl_user_change(&t->user, add_token);
}

int na_command_token_add(apr_pool_t *pool, int argc, char **argv)
{
    token_call t = {.user.pool = pool};
    if (!na_ctl_user_options(&t.user, argc, argv, "nao", 1) || !t.user.name || !t.user.scope)
        return na_ctl_wrong_call("token add", NULL);
    na_error *error = add(&t);
    if (error)
        return na_ctl_failed(pool, error);
    printf("%s\n", t.user.json ? na_json_dump(pool, token_json(pool, &t.row, t.token)) : t.token);
    return 0;
}

/* ── listing ───────────────────────────────────────────────────────────────────────────────── */

static const char *day_of(apr_pool_t *pool, const json_t *token, const char *name)
{
    const char *time = na_json_string(token, name);
    return time ? apr_pstrndup(pool, time, strlen("2026-01-01")) : "-";
}

static void print_tokens(apr_pool_t *pool, const json_t *tokens)
{
    json_t *token;
    size_t i;
    printf("%s%-12s  %-10s  %-10s  %-10s  %-24s  %s%s\n", na_ctl_paint(NA_CTL_BOLD), "ID",
           "CREATED", "LAST USED", "EXPIRES", "NAME", "SCOPE", na_ctl_paint(NA_CTL_PLAIN));
    json_array_foreach((json_t *)tokens, i, token)
        printf("%-12s  %-10s  %-10s  %-10s  %-24s  %s\n", na_json_string(token, "id"),
               day_of(pool, token, "created"), day_of(pool, token, "lastUsed"),
               day_of(pool, token, "expires"), na_json_string(token, "name"),
               na_json_string(token, "scope"));
}

static na_error *list_tokens(na_ctl_user_call *c, const na_db_person *person)
{
    apr_array_header_t *rows = apr_array_make(c->pool, 8, sizeof(na_db_secret));
    NA_TRY(na_db_list_secrets(c->db, c->pool, person->user.id, NA_SECRET_TOKEN, rows));
    c->shown = na_json_own(c->pool, json_array());
    for (int i = 0; i < rows->nelts; i++)
        json_array_append(c->shown,
                          token_json(c->pool, &APR_ARRAY_IDX(rows, i, na_db_secret), NULL));
    return NULL;
}

int na_command_token_list(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "", 1))
        return na_ctl_wrong_call("token list", NULL);
    na_error *error = na_ctl_user_connect(&c);
    if (!error)
        error = na_ctl_user_read(&c, list_tokens);
    if (error)
        return na_ctl_failed(pool, error);
    if (c.json)
        printf("%s\n", na_json_dump(pool, c.shown));
    else
        print_tokens(pool, c.shown);
    return 0;
}

/* ── revoking ──────────────────────────────────────────────────────────────────────────────── */

static na_error *revoke_token(na_ctl_user_call *c, const na_db_person *person,
                              na_decision *decision)
{
    apr_array_header_t *rows = apr_array_make(c->pool, 8, sizeof(na_db_secret));
    apr_array_header_t *removed = apr_array_make(c->pool, 1, sizeof(na_db_secret));
    NA_TRY(na_db_list_secrets(c->db, c->pool, person->user.id, NA_SECRET_TOKEN, rows));
    const na_db_secret *row = na_access_token_by_handle(c->pool, rows, c->operands[1]);
    if (!row)
        return na_error_new(c->pool, NA_ERR_CONFIGURATION, "the user has no token '%s'",
                            c->operands[1]);
    APR_ARRAY_PUSH(removed, na_db_secret) = *row;
    decision->removed = removed;
    na_ctl_user_did(c, NA_EVENT_REVOKE_TOKEN, &person->user,
                    apr_pstrcat(c->pool, na_access_token_handle(c->pool, row), " ",
                                row->scope ? row->scope : "", NULL));
    return NULL;
}

int na_command_token_revoke(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    if (!na_ctl_user_options(&c, argc, argv, "a", 2))
        return na_ctl_wrong_call("token revoke", NULL);
    na_error *error = na_ctl_user_connect(&c);
    return na_ctl_user_end(&c, "revoked a token of",
                           error ? error : na_ctl_user_change(&c, revoke_token));
}
