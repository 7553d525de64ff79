/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up values of the user who signs in, for expressions. */
#include "auth/subject.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/json.h"

typedef json_t *make_part(const na_subject *subject);

static json_t *user_of(const na_subject *subject)
{
    const na_user *user = &subject->user;
    return json_pack("{s:s, s:s*, s:s*, s:s*}", "id", user->id, "name", user->name, "email",
                     user->email, "image", user->image);
}

/* Returns the account as NextAuth passes it to callbacks. */
static json_t *account_of(const na_subject *subject)
{
    const na_tokens none = {0}, *tokens = subject->tokens ? subject->tokens : &none;
    json_t *account =
        json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*}", "access_token", tokens->access_token,
                  "refresh_token", tokens->refresh_token, "id_token", tokens->id_token,
                  "token_type", tokens->token_type, "session_state", tokens->session_state);
    if (account && tokens->expires_at)
        json_object_set_new(account, "expires_at", json_integer(tokens->expires_at));
    if (account && subject->account)
        json_object_update(account, (json_t *)subject->account);
    return account;
}

static json_t *profile_of(const na_subject *subject)
{
    return json_incref((json_t *)subject->profile);
}

#define NAMES_MAX 12

static const struct {
    const char *name;
    make_part *make;
    const char *list;
    const char *names[NAMES_MAX];
} parts[] = {
    [NA_PART_USER] = {"USER", user_of, "id, name, email, image", {"id", "name", "email", "image"}},
    [NA_PART_ACCOUNT] = {"ACCOUNT",
                         account_of,
                         "provider, type, providerAccountId, scope, access_token, refresh_token, "
                         "id_token, token_type, session_state, expires_at",
                         {"provider", "type", "providerAccountId", "scope", "access_token",
                          "refresh_token", "id_token", "token_type", "session_state",
                          "expires_at"}},
    [NA_PART_PROFILE] = {"PROFILE", profile_of, NULL, {NULL}},
};

int na_part_find(const char *name, na_part *part)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcasecmp(name, parts[i].name) != 0)
            continue;
        *part = (na_part)i;
        return 1;
    }
    return 0;
}

const char *na_part_names(na_part part)
{
    return parts[part].list;
}

int na_part_has(na_part part, const char *name)
{
    for (int i = 0; i < NAMES_MAX && parts[part].names[i]; i++)
        if (strcmp(parts[part].names[i], name) == 0)
            return 1;
    return !parts[part].list;
}

json_t *na_subject_part(apr_pool_t *pool, const na_subject *subject, na_part part)
{
    return na_json_own(pool, parts[part].make(subject));
}

const json_t *na_subject_value(apr_pool_t *pool, const na_subject *subject, na_part part,
                               const char *path)
{
    return na_json_path(na_subject_part(pool, subject, part), path);
}

apr_array_header_t *na_subject_list(apr_pool_t *pool, const na_subject *subject, na_part part,
                                    const char *path)
{
    const json_t *value = na_subject_value(pool, subject, part, path);
    apr_array_header_t *values = apr_array_make(pool, 4, sizeof(const char *));
    const char *text = na_json_scalar(pool, value);
    if (text)
        APR_ARRAY_PUSH(values, const char *) = text;
    for (size_t i = 0; i < json_array_size(value); i++)
        if ((text = na_json_scalar(pool, json_array_get(value, i))))
            APR_ARRAY_PUSH(values, const char *) = text;
    return values;
}

int na_lookup_parse(apr_pool_t *pool, const char *text, na_lookup *lookup)
{
    size_t len = strlen(text), name_len = strcspn(text, ":");
    if (strncmp(text, "%{", 2) != 0 || name_len < 3 || len < name_len + 3 || text[len - 1] != '}' ||
        strchr(text, '}') != text + len - 1)
        return 0;
    lookup->path = apr_pstrmemdup(pool, text + name_len + 1, len - name_len - 2);
    return na_part_find(apr_pstrmemdup(pool, text + 2, name_len - 2), &lookup->part);
}
