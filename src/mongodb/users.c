/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of users and accounts. */
#include "mongodb/users.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "base/text.h"
#include "mongodb/collection.h"
#include "mongodb/value.h"

/* Users of one email address that are looked at; more can only be there without the index. */
#define ALIKE_MAX 20

/* libbson's own could repeat in child processes, which inherit its counter. */
void na_mongo_new_id(bson_oid_t *oid)
{
    apr_uint32_t now = (apr_uint32_t)time(NULL);
    na_random(oid->bytes + 4, sizeof oid->bytes - 4);
    for (int i = 0; i < 4; i++)
        oid->bytes[i] = (uint8_t)(now >> (24 - 8 * i));
}

const char *na_mongo_id_text(apr_pool_t *pool, const bson_oid_t *oid)
{
    char *text = apr_palloc(pool, NA_OID_LEN + 1);
    bson_oid_to_string(oid, text);
    return text;
}

na_error *na_mongo_wrong_id(apr_pool_t *pool)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION,
                        "invalid user ID: MongoDB's have 24 hexadecimal digits");
}

static void append_text(bson_t *document, const char *field, const char *text)
{
    if (text)
        BSON_APPEND_UTF8(document, field, text);
    else
        BSON_APPEND_NULL(document, field);
}

static void append_time(bson_t *document, const char *field, apr_int64_t milliseconds)
{
    if (milliseconds)
        BSON_APPEND_DATE_TIME(document, field, milliseconds);
    else
        BSON_APPEND_NULL(document, field);
}

/* ── users ─────────────────────────────────────────────────────────────────────────────────── */

static na_db_user read_user(apr_pool_t *pool, const bson_t *document)
{
    return (na_db_user){.id = na_value_oid(pool, document, "_id"),
                        .name = na_value_text(pool, document, "name"),
                        .email = na_value_text(pool, document, "email"),
                        .email_verified = na_value_time(document, "emailVerified"),
                        .image = na_value_text(pool, document, "image")};
}

static void append_user(bson_t *document, const na_db_user *user)
{
    append_text(document, "name", user->name);
    append_text(document, "email", user->email);
    append_time(document, "emailVerified", user->email_verified);
    append_text(document, "image", user->image);
}

na_error *na_mongo_create_user(na_db_use *use, const bson_oid_t *id, const na_db_user *user,
                               int *is_duplicate)
{
    bson_t *document = na_mongo_own(use, bson_new());
    BSON_APPEND_OID(document, "_id", id);
    append_user(document, user);
    return na_mongo_insert(use, NA_USERS, document, is_duplicate);
}

static const bson_t *id_filter(na_db_use *use, const bson_oid_t *id)
{
    return na_mongo_own(use, BCON_NEW("_id", BCON_OID(id)));
}

na_error *na_mongo_get_user_and_role(na_db_use *use, const bson_oid_t *id, na_db_user *user,
                                     apr_array_header_t *roles, int *found)
{
    const bson_t *document;
    NA_TRY(na_mongo_find_one(use, NA_USERS, id_filter(use, id), NULL, &document));
    *found = document != NULL;
    if (!*found)
        return NULL;
    *user = read_user(use->pool, document);
    if (roles)
        na_value_texts(use->pool, document, "role", roles);
    return NULL;
}

na_error *na_mongo_get_user(na_db_use *use, const bson_oid_t *id, na_db_user *user, int *found)
{
    return na_mongo_get_user_and_role(use, id, user, NULL, found);
}

typedef struct search {
    const char *email;
    na_db_user *user;
    int *found;
} search;

/* A user with an ID of another type cannot sign in here, and must not be created again. */
static na_error *take_user(void *data, na_db_use *use, const bson_t *document)
{
    const search *s = data;
    na_db_user user = read_user(use->pool, document);
    if (!user.email || strcasecmp(user.email, s->email) != 0 ||
        (*s->found && strcmp(user.email, s->email) != 0))
        return NULL;
    if (!user.id)
        return na_error_new(use->pool, NA_ERR_ACCESS_DENIED,
                            "the user with this email address has an _id that is no ObjectId");
    *s->user = user;
    *s->found = 1;
    return NULL;
}

static na_error *search_users(na_db_use *use, const bson_t *filter, const bson_t *collation,
                              const search *s)
{
    bson_t *options =
        BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit", BCON_INT64(ALIKE_MAX));
    na_mongo_own(use, options);
    if (collation)
        BSON_APPEND_DOCUMENT(options, "collation", collation);
    return na_mongo_find(use, NA_USERS, filter, options, take_user, (void *)s);
}

/* Returns a pattern that matches only the text, whatever its case. */
static const char *pattern_of(apr_pool_t *pool, const char *text)
{
    char *pattern = apr_palloc(pool, 2 * strlen(text) + 3), *to = pattern;
    *to++ = '^';
    for (; *text; text++) {
        if (strchr("\\^$.|?*+()[]{}", *text))
            *to++ = '\\';
        *to++ = *text;
    }
    *to++ = '$';
    *to = '\0';
    return pattern;
}

static na_error *search_with_collation(na_db_use *use, const search *s)
{
    const bson_t *collation =
        na_mongo_own(use, BCON_NEW("locale", BCON_UTF8("en"), "strength", BCON_INT32(2)));
    const bson_t *equal = na_mongo_own(use, BCON_NEW("email", BCON_UTF8(s->email)));
    na_error *error = search_users(use, equal, collation, s);
    if (!na_error_is(error, NA_ERR_CONFIGURATION))
        return error;
    apr_atomic_set32(&use->mongo->lacks_collations, 1);
    return use->session ? na_error_wrap(use->pool, error, NA_ERR_CONFLICT, "to be tried again")
                        : NULL;
}

/*
 * Another program can have written capitals. The index nextauth_email serves this comparison. A
 * server without collations compares each user instead. Either way it is one question, so that its
 * time does not tell whether there is such a user.
 */
na_error *na_mongo_get_user_by_email(na_db_use *use, const char *email, na_db_user *user,
                                     int *found)
{
    const search s = {email, user, found};
    *found = 0;
    if (!email || !na_is_utf8(email))
        return NULL;
    if (!apr_atomic_read32(&use->mongo->lacks_collations))
        NA_TRY(search_with_collation(use, &s));
    if (!apr_atomic_read32(&use->mongo->lacks_collations))
        return NULL;
    const bson_t *matching =
        na_mongo_own(use, BCON_NEW("email", BCON_REGEX(pattern_of(use->pool, email), "i")));
    return search_users(use, matching, NULL, &s);
}

/* A value of another type cannot be compared, and does not prevent a change. */
static void append_given(bson_t *document, const char *field, const char *text)
{
    if (text)
        BSON_APPEND_UTF8(document, field, text);
}

na_error *na_mongo_update_user(na_db_use *use, const bson_oid_t *id, const na_db_user *was,
                               const na_db_user *user, int *matched)
{
    bson_t *filter = na_mongo_own(use, BCON_NEW("_id", BCON_OID(id)));
    bson_t *update = na_mongo_own(use, bson_new()), set;
    if (was) {
        append_given(filter, "name", was->name);
        append_given(filter, "email", was->email);
        append_given(filter, "image", was->image);
    }
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    append_user(&set, user);
    bson_append_document_end(update, &set);
    return na_mongo_update(use, NA_USERS, filter, update, matched);
}

static na_error *add_user(void *users, na_db_use *use, const bson_t *document)
{
    APR_ARRAY_PUSH((apr_array_header_t *)users, na_db_user) = read_user(use->pool, document);
    return NULL;
}

/* Only ObjectIds are compared with one, so others are left out. */
na_error *na_mongo_list_users(na_db_use *use, const bson_oid_t *last, int count,
                              apr_array_header_t *users)
{
    static const bson_oid_t first = {{0}};
    const bson_t *after =
        na_mongo_own(use, BCON_NEW("_id", "{", "$gt", BCON_OID(last ? last : &first), "}"));
    const bson_t *page = na_mongo_own(use, BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit",
                                                    BCON_INT64(count)));
    return na_mongo_find(use, NA_USERS, after, page, add_user, users);
}

/* ── accounts ──────────────────────────────────────────────────────────────────────────────── */

static const bson_t *account_filter(na_db_use *use, const char *provider, const char *account_id)
{
    return na_mongo_own(use, BCON_NEW("provider", BCON_UTF8(provider), "providerAccountId",
                                      BCON_UTF8(account_id)));
}

static na_db_account read_account(apr_pool_t *pool, const bson_t *d)
{
    return (na_db_account){.user_id = na_value_oid(pool, d, "userId"),
                           .type = na_value_text(pool, d, "type"),
                           .provider = na_value_text(pool, d, "provider"),
                           .provider_account_id = na_value_text(pool, d, "providerAccountId"),
                           .refresh_token = na_value_text(pool, d, "refresh_token"),
                           .access_token = na_value_text(pool, d, "access_token"),
                           .token_type = na_value_text(pool, d, "token_type"),
                           .scope = na_value_text(pool, d, "scope"),
                           .id_token = na_value_text(pool, d, "id_token"),
                           .session_state = na_value_text(pool, d, "session_state"),
                           .expires_at = na_value_number(d, "expires_at")};
}

/* JavaScript's driver writes whole numbers in the smallest type, too. */
static void append_seconds(bson_t *document, const char *field, apr_int64_t seconds)
{
    if (seconds > 0 && seconds <= INT32_MAX)
        BSON_APPEND_INT32(document, field, (int32_t)seconds);
    else if (seconds)
        BSON_APPEND_INT64(document, field, seconds);
}

na_error *na_mongo_link_account(na_db_use *use, const na_db_account *account, int *is_duplicate)
{
    bson_oid_t id, user;
    bson_t *document = na_mongo_own(use, bson_new());
    if (!na_oid_parse(account->user_id, &user))
        return na_mongo_wrong_id(use->pool);
    na_mongo_new_id(&id);
    BSON_APPEND_OID(document, "_id", &id);
    BSON_APPEND_OID(document, "userId", &user);
    append_given(document, "type", account->type);
    append_given(document, "provider", account->provider);
    append_given(document, "providerAccountId", account->provider_account_id);
    append_given(document, "refresh_token", account->refresh_token);
    append_given(document, "access_token", account->access_token);
    append_given(document, "token_type", account->token_type);
    append_given(document, "scope", account->scope);
    append_given(document, "id_token", account->id_token);
    append_given(document, "session_state", account->session_state);
    append_seconds(document, "expires_at", account->expires_at);
    return na_mongo_insert(use, NA_ACCOUNTS, document, is_duplicate);
}

na_error *na_mongo_unlink_account(na_db_use *use, const bson_oid_t *user,
                                  const na_db_account *account)
{
    bson_t *filter = na_mongo_own(use, bson_copy(account_filter(use, account->provider,
                                                                account->provider_account_id)));
    BSON_APPEND_OID(filter, "userId", user);
    return na_mongo_delete_all(use, NA_ACCOUNTS, filter, NULL);
}

na_error *na_mongo_get_account(na_db_use *use, const char *provider, const char *account_id,
                               na_db_account *account, int *found)
{
    const bson_t *document;
    NA_TRY(na_mongo_find_one(use, NA_ACCOUNTS, account_filter(use, provider, account_id), NULL,
                             &document));
    *found = document != NULL;
    if (*found)
        *account = read_account(use->pool, document);
    return NULL;
}

static na_error *add_account(void *accounts, na_db_use *use, const bson_t *document)
{
    na_db_account account = read_account(use->pool, document);
    if (account.provider && account.provider_account_id)
        APR_ARRAY_PUSH((apr_array_header_t *)accounts, na_db_account) = account;
    return NULL;
}

na_error *na_mongo_list_accounts(na_db_use *use, const bson_oid_t *user,
                                 apr_array_header_t *accounts)
{
    const bson_t *filter = na_mongo_own(use, BCON_NEW("userId", BCON_OID(user)));
    const bson_t *sorted = na_mongo_own(use, BCON_NEW("sort", "{", "provider", BCON_INT32(1),
                                                      "providerAccountId", BCON_INT32(1), "}"));
    return na_mongo_find(use, NA_ACCOUNTS, filter, sorted, add_account, accounts);
}

na_error *na_mongo_replace_token(na_db_use *use, const char *field, const na_db_account *account,
                                 const char *was, const char *token)
{
    bson_t *filter = na_mongo_own(use, bson_copy(account_filter(use, account->provider,
                                                                account->provider_account_id)));
    BSON_APPEND_UTF8(filter, field, was);
    bson_t *update = BCON_NEW("$set", "{", field, BCON_UTF8(token), "}");
    return na_mongo_update(use, NA_ACCOUNTS, filter, na_mongo_own(use, update), NULL);
}
