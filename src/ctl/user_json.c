/* SPDX-License-Identifier: Apache-2.0 */
/* A user as JSON. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "ctl/user.h"
#include "password/hash.h"

/* JSON and terminals accept no other bytes. */
static const char *utf8(const char *text)
{
    return text && na_is_utf8(text) ? text : NULL;
}

static const char *time_of(apr_pool_t *pool, apr_int64_t milliseconds)
{
    return milliseconds ? na_iso8601(pool, apr_time_from_msec(milliseconds)) : NULL;
}

static json_t *json_of_roles(const apr_array_header_t *roles)
{
    json_t *json = json_array();
    for (int i = 0; i < roles->nelts; i++)
        json_array_append_new(json, json_string(APR_ARRAY_IDX(roles, i, const char *)));
    return json;
}

/* The hash itself is never shown. */
static json_t *json_of_password(apr_pool_t *pool, const na_db_credential *credential)
{
    if (!credential->hash)
        return json_null();
    return json_pack("{s:s, s:s?}", "hash", na_hash_name(pool, credential->hash), "changedAt",
                     time_of(pool, credential->changed_at));
}

json_t *na_ctl_user_json(apr_pool_t *pool, const na_db_person *person)
{
    const na_db_user *user = &person->user;
    json_t *json = json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:b, s:o, s:o}", "id", utf8(user->id),
                             "email", utf8(user->email), "name", utf8(user->name), "emailVerified",
                             time_of(pool, user->email_verified), "image", utf8(user->image),
                             "disabled", person->credential.disabled, "password",
                             json_of_password(pool, &person->credential), "roles",
                             json_of_roles(person->roles));
    return na_json_own(pool, json);
}

void na_ctl_user_add_accounts(apr_pool_t *pool, json_t *user, const apr_array_header_t *accounts)
{
    json_t *all = json_array();
    for (int i = 0; i < accounts->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(accounts, i, na_db_account);
        json_array_append_new(all,
                              json_pack("{s:s?, s:s?}", "provider", utf8(account->provider),
                                        "providerAccountId", utf8(account->provider_account_id)));
    }
    json_object_set_new(user, "accounts", all);
}

static int is_of_kind(const na_db_secret *secret, const char *kind)
{
    return strcmp(secret->kind, kind) == 0;
}

/* Null without a second factor. Neither keys nor hashes are shown. */
void na_ctl_user_add_factor(apr_pool_t *pool, json_t *user, const apr_array_header_t *secrets)
{
    const na_db_secret *totp = NULL;
    int codes = 0, browsers = 0;
    for (int i = 0; i < secrets->nelts; i++) {
        const na_db_secret *secret = &APR_ARRAY_IDX(secrets, i, na_db_secret);
        if (is_of_kind(secret, NA_SECRET_TOTP))
            totp = secret;
        codes += is_of_kind(secret, NA_SECRET_RECOVERY) && !secret->counter;
        browsers += is_of_kind(secret, NA_SECRET_BROWSER);
    }
    json_object_set_new(user, "secondFactor",
                        totp ? json_pack("{s:s?, s:s?, s:i, s:i}", "since",
                                         time_of(pool, totp->created_at), "lastUsed",
                                         time_of(pool, totp->used_at), "recoveryCodes", codes,
                                         "rememberedBrowsers", browsers)
                             : json_null());
}
