/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "base/crypto.h"
#include "base/json.h"
#include "sql/records.h"
#include "tap.h"

/*
 * What Auth.js expects of every adapter, method by method, and what else the adapter here gives,
 * against the database that NEXTAUTH_TEST_DATABASE names: an address and a schema. With the
 * argument "ask" it does what each line of its input says instead.
 */

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
#define THREADS 8
#define ROUNDS 10
#define LONG 4000
#define NOW APR_INT64_C(1790000000123) /* milliseconds, and not a whole second */
#define LATER APR_INT64_C(1790086400987)

static na_breaker_state health;
static na_breaker breaker = {.name = "the database", .health = &health};
static na_db_options options;
static na_db *db;

/* One operation, which calls its use `use`, in a use of its own. */
#define IN_USE(begin, operation)                                                                   \
    __extension__({                                                                                \
        na_db_use *use = NULL;                                                                     \
        na_error *begun = begin(db, pool, &use);                                                   \
        begun ? begun : na_db_end(use, operation);                                                 \
    })
#define READ(operation) IN_USE(na_db_read, operation)
#define WRITE(operation) IN_USE(na_db_write, operation)

static na_error *open_database(apr_pool_t *pool, const char *setting)
{
    char *state, *text = apr_pstrdup(pool, setting);
    const char *url = apr_strtok(text, " ", &state), *name = apr_strtok(NULL, " ", &state);
    NA_TRY(na_db_url_parse(pool, url, ".", &options));
    options.schema = na_schema_find(name ? name : "authjs");
    return options.schema ? na_db_make(pool, &options, &breaker, &db)
                          : na_error_new(pool, NA_ERR_CONFIGURATION, "no schema: %s", name);
}

/* ── what tests need ───────────────────────────────────────────────────────────────────────── */

/* Nothing is there before, however often this runs. */
static const char *unique(apr_pool_t *pool, const char *before)
{
    return apr_pstrcat(pool, before, na_random_hex(pool, 8), NULL);
}

static na_db_user new_user(apr_pool_t *pool)
{
    na_db_user user = {.name = "Ada",
                       .email = apr_pstrcat(pool, unique(pool, "ada"), "@example.org", NULL),
                       .image = "https://example.org/ada.png",
                       .email_verified = NOW};
    if (!succeeds(WRITE(na_db_create_user(use, &user)), "a user is made"))
        exit(1);
    return user;
}

static void forget(apr_pool_t *pool, const na_db_user *user)
{
    succeeds(WRITE(na_db_delete_user(use, user->id)), "the user is deleted");
}

static int equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static int same_user(const na_db_user *a, const na_db_user *b)
{
    return equal(a->id, b->id) && equal(a->name, b->name) && equal(a->email, b->email) &&
           equal(a->image, b->image) && a->email_verified == b->email_verified;
}

static int user_is(apr_pool_t *pool, const na_db_user *expected, const char *name)
{
    na_db_user user = {0};
    int found = 0;
    succeeds(READ(na_db_get_user(use, expected->id, &user, &found)), "a user is asked for");
    return ok(found && same_user(&user, expected), "%s", name);
}

static int has_user(apr_pool_t *pool, const char *id)
{
    na_db_user user;
    int found = -1;
    succeeds(READ(na_db_get_user(use, id, &user, &found)),
             apr_psprintf(pool, "a user '%s' is asked for", id));
    return found;
}

static int has_session(apr_pool_t *pool, const char *token)
{
    na_db_session session;
    na_db_user user;
    int found = -1;
    succeeds(READ(na_db_get_session_and_user(use, token, &session, &user, &found)),
             "a session is asked for");
    return found;
}

static int has_account(apr_pool_t *pool, const char *provider, const char *id)
{
    na_db_account account;
    int found = -1;
    succeeds(READ(na_db_get_account(use, provider, id, &account, &found)),
             "an account is asked for");
    return found;
}

static int uses_token(apr_pool_t *pool, const char *identifier, const char *hash)
{
    na_db_token token;
    int found = -1;
    succeeds(WRITE(na_db_use_token(use, identifier, hash, &token, &found)), "a token is used");
    return found;
}

static na_db_session add_session(apr_pool_t *pool, const na_db_user *user)
{
    na_db_session session = {unique(pool, "Session"), user->id, NOW};
    succeeds(WRITE(na_db_create_session(use, &session)), "a session is made");
    return session;
}

static na_db_account add_account(apr_pool_t *pool, const na_db_user *user)
{
    na_db_account account = {.user_id = user->id,
                             .type = "oauth",
                             .provider = "github",
                             .provider_account_id = unique(pool, "Account"),
                             .refresh_token = "refresh",
                             .access_token = "access",
                             .token_type = "bearer",
                             .scope = "user email",
                             .id_token = "id",
                             .session_state = "state",
                             .expires_at = 1790000000};
    succeeds(WRITE(na_db_link_account(use, &account)), "an account is linked");
    return account;
}

/* ── users ─────────────────────────────────────────────────────────────────────────────────── */

static void unknown_ids(apr_pool_t *pool, const char *id)
{
    const char *const wrong[] = {"999999999",
                                 "1x",
                                 "",
                                 " ",
                                 "-1",
                                 "+1",
                                 "9999999999",
                                 "100000000000000000000",
                                 "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
                                 apr_pstrcat(pool, "0", id, NULL),
                                 apr_pstrcat(pool, id, "x", NULL),
                                 apr_pstrcat(pool, id, " ", NULL),
                                 apr_pstrcat(pool, " ", id, NULL),
                                 apr_pstrcat(pool, id, ".0", NULL),
                                 apr_pstrcat(pool, id, "' OR '1'='1", NULL)};
    for (int i = 0; i < COUNT(wrong); i++) {
        is_number(has_user(pool, wrong[i]), 0, "which is nobody");
        na_db_user user = {.id = wrong[i],
                           .name = "Eve",
                           .email = apr_pstrcat(pool, unique(pool, "eve"), "@example.org", NULL)};
        na_db_session session = {unique(pool, "none"), wrong[i], NOW};
        succeeds(WRITE(na_db_update_user(use, &user)), "nor changed");
        succeeds(WRITE(na_db_delete_user(use, wrong[i])), "nor deleted");
        if (na_schema_has_uuids(options.schema) && !na_schema_is_uuid(wrong[i]))
            fails(WRITE(na_db_create_session(use, &session)), "nor has a session");
        if (na_schema_makes_ids(options.schema) &&
            strspn(wrong[i], "0123456789") < strlen(wrong[i]))
            fails(WRITE(na_db_create_session(use, &session)), "nor has a session");
        ok(!health.failures, "and no fault of the database");
    }
    na_db_user user;
    int found = -1;
    succeeds(READ(na_db_get_user(use, NULL, &user, &found)), "no id at all");
    is_number(found, 0, "is nobody, too");
}

static void users(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), found_user = {0};
    int found = 0;
    ok(ada.id && *ada.id, "createUser gives an id");
    user_is(pool, &ada, "getUser gives what was stored");
    unknown_ids(pool, ada.id);
    user_is(pool, &ada, "which all did nothing to another");

    succeeds(READ(na_db_get_user_by_email(use, ada.email, &found_user, &found)), "getUserByEmail");
    ok(found && same_user(&found_user, &ada), "finds the user");
    succeeds(READ(na_db_get_user_by_email(use, "nobody@example.org", &found_user, &found)),
             "an unknown e-mail");
    is_number(found, 0, "is nobody's");

    na_db_user other = new_user(pool), changed = ada;
    changed.name = "Ada Lovelace";
    changed.email = apr_pstrcat(pool, unique(pool, "lovelace"), "@example.org", NULL);
    changed.email_verified = LATER;
    changed.image = "";
    succeeds(WRITE(na_db_update_user(use, &changed)), "updateUser");
    user_is(pool, &changed, "changes the user");
    user_is(pool, &other, "and no other");
    changed.name = changed.image = NULL;
    changed.email_verified = 0;
    succeeds(WRITE(na_db_update_user(use, &changed)), "updateUser with NULLs");
    user_is(pool, &changed, "stores them as such");
    forget(pool, &ada);
    is_number(has_user(pool, ada.id), 0, "deleteUser deletes the user");
    user_is(pool, &other, "and no other");
    forget(pool, &other);
}

static int index_of(const char *id, const na_db_user *all, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(all[i].id, id) == 0)
            return i;
    return -1;
}

/* Returns 1 if a list says of a user what is said of the user alone. */
static int is_complete(apr_pool_t *pool, const na_db_person *person)
{
    const char *id = person->user.id;
    na_db_standing standing = {0};
    na_db_credential credential = {0};
    int found = 0;
    if (READ(na_db_get_standing(use, id, 0, &standing, &found)) || !found ||
        READ(na_db_get_credential(use, id, &credential)))
        return 0;
    const char *roles = apr_array_pstrcat(pool, person->roles, ',');
    return strcmp(roles, apr_array_pstrcat(pool, standing.roles, ',')) == 0 &&
           person->revision == standing.revision &&
           equal(person->credential.hash, credential.hash) &&
           person->credential.disabled == credential.disabled &&
           person->credential.changed_at == credential.changed_at;
}

/* Gives a user two roles, a password, and a revision. */
static void equip(apr_pool_t *pool, const char *id)
{
    succeeds(WRITE(na_db_grant_role(use, id, "editor")), "a role");
    succeeds(WRITE(na_db_grant_role(use, id, "admin")), "another one");
    succeeds(WRITE(na_db_put_credential(use, id, "hash", NOW)), "a password");
    succeeds(WRITE(na_db_disable_user(use, id, 1)), "of a disabled user");
    succeeds(WRITE(na_db_end_sessions(use, id)), "whose sessions ended");
}

static void paging(apr_pool_t *pool)
{
    na_db_user made[5];
    int seen[5] = {0}, pages = 0, full = 1, once = 0;
    const char *last = NULL;
    for (int i = 0; i < COUNT(made); i++)
        made[i] = new_user(pool);
    equip(pool, made[1].id);
    equip(pool, made[3].id);
    while (full) {
        apr_array_header_t *page = apr_array_make(pool, 2, sizeof(na_db_person));
        if (!succeeds(READ(na_db_list_people(use, last, 2, page)), "users are listed by two"))
            break;
        full = page->nelts == 2;
        pages++;
        for (int i = 0; i < page->nelts; i++) {
            const na_db_person *person = &APR_ARRAY_IDX(page, i, na_db_person);
            int which = index_of(person->user.id, made, COUNT(made));
            if (which >= 0)
                seen[which] += same_user(&person->user, &made[which]) && is_complete(pool, person);
            last = person->user.id;
        }
    }
    for (int i = 0; i < COUNT(made); i++)
        once += seen[i] == 1;
    is_number(once, COUNT(made), "each is seen once, as it is");
    ok(pages >= 3, "on several pages");
    for (int i = 0; i < COUNT(made); i++)
        forget(pool, &made[i]);
}

/* ── sessions ──────────────────────────────────────────────────────────────────────────────── */

static void sessions(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), user = {0};
    na_db_session made = add_session(pool, &ada), other = add_session(pool, &ada), read = {0};
    int found = 0;
    succeeds(READ(na_db_get_session_and_user(use, made.token, &read, &user, &found)),
             "getSessionAndUser");
    ok(found && same_user(&user, &ada), "gives the user");
    is(read.token, made.token, "and the session");
    is(read.user_id, ada.id, "of the user");
    is_number(read.expires, NOW, "with its time, to the millisecond");
    succeeds(WRITE(na_db_update_session(use, made.token, made.token, LATER)), "updateSession");
    succeeds(READ(na_db_get_session_and_user(use, made.token, &read, &user, &found)),
             "the session is read again");
    is_number(found ? read.expires : 0, LATER, "and has the new time, to the millisecond");
    succeeds(WRITE(na_db_update_session(use, made.token, made.token, 1001)),
             "a session that ended long ago");
    succeeds(READ(na_db_get_session_and_user(use, made.token, &read, &user, &found)), "is read");
    is_number(found ? read.expires : 0, 1001, "nevertheless");
    is_number(has_session(pool, unique(pool, "unknown")), 0, "an unknown session is not there");
    succeeds(WRITE(na_db_delete_expired(use, NOW)), "what ended is deleted");
    is_number(has_session(pool, made.token), 0, "the one that did");
    is_number(has_session(pool, other.token), 1, "not the one that ends just then");
    succeeds(WRITE(na_db_delete_session(use, other.token)), "deleteSession");
    is_number(has_session(pool, other.token), 0, "deletes it");
    forget(pool, &ada);
}

/* ── accounts ──────────────────────────────────────────────────────────────────────────────── */

static int same_account(const na_db_account *a, const na_db_account *b)
{
    return equal(a->user_id, b->user_id) && equal(a->type, b->type) &&
           equal(a->provider, b->provider) &&
           equal(a->provider_account_id, b->provider_account_id) &&
           equal(a->refresh_token, b->refresh_token) && equal(a->access_token, b->access_token) &&
           equal(a->token_type, b->token_type) && equal(a->scope, b->scope) &&
           equal(a->id_token, b->id_token) && equal(a->session_state, b->session_state) &&
           a->expires_at == b->expires_at;
}

static int account_is(apr_pool_t *pool, const na_db_account *expected, const char *name)
{
    na_db_account account = {0};
    int found = 0;
    succeeds(READ(na_db_get_account(use, expected->provider, expected->provider_account_id,
                                    &account, &found)),
             "getAccount");
    return ok(found && same_account(&account, expected), "%s", name);
}

static void accounts(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool), user = {0};
    na_db_account full = add_account(pool, &ada);
    na_db_account bare = {.user_id = eve.id,
                          .type = "oidc",
                          .provider = "google",
                          .provider_account_id = full.provider_account_id};
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(na_db_account));
    int found = 0;
    account_is(pool, &full, "gives all fields");
    succeeds(WRITE(na_db_link_account(use, &bare)), "linkAccount with what is required only");
    account_is(pool, &bare, "stores NULL for the rest, at another provider");
    account_is(pool, &full, "and the first is as it was");
    succeeds(READ(na_db_get_user_by_account(use, full.provider, full.provider_account_id, &user,
                                            &found)),
             "getUserByAccount");
    ok(found && same_user(&user, &ada), "gives the account's user");
    succeeds(READ(na_db_get_user_by_account(use, full.provider, "unknown", &user, &found)),
             "of an unknown account");
    is_number(found, 0, "there is none");
    succeeds(READ(na_db_list_accounts(use, ada.id, list)), "a user's accounts are listed");
    ok(list->nelts == 1 && same_account(&APR_ARRAY_IDX(list, 0, na_db_account), &full),
       "all of them, and nobody else's");
    succeeds(WRITE(na_db_unlink_account(use, full.provider, full.provider_account_id)),
             "unlinkAccount");
    is_number(has_account(pool, full.provider, full.provider_account_id), 0, "deletes it");
    account_is(pool, &bare, "and no other");
    user_is(pool, &ada, "the user stays");
    forget(pool, &ada);
    forget(pool, &eve);
}

/* ── verification tokens ───────────────────────────────────────────────────────────────────── */

static na_db_token add_token(apr_pool_t *pool, const char *identifier)
{
    na_db_token token = {identifier, unique(pool, "Token"), NOW};
    succeeds(WRITE(na_db_create_token(use, &token)), "createVerificationToken");
    return token;
}

static void tokens(apr_pool_t *pool)
{
    const char *identifier = unique(pool, "ada");
    na_db_token first = add_token(pool, identifier), second = add_token(pool, identifier), used;
    int found = 0;
    succeeds(WRITE(na_db_use_token(use, identifier, first.token, &used, &found)),
             "useVerificationToken");
    ok(found && equal(used.identifier, identifier) && equal(used.token, first.token),
       "gives the token");
    is_number(found ? used.expires : 0, NOW, "with its time, to the millisecond");
    is_number(uses_token(pool, identifier, first.token), 0, "but once");
    is_number(uses_token(pool, unique(pool, "eve"), second.token), 0, "nobody else's");
    is_number(uses_token(pool, identifier, second.token), 1, "another of the same is still there");
    first = add_token(pool, identifier);
    succeeds(WRITE(na_db_find_token(use, identifier, first.token, &used, &found)), "looking");
    ok(found && used.expires == NOW && uses_token(pool, identifier, first.token),
       "finds it and leaves it there");
    na_db_token kept[6];
    for (int i = 0; i < 6; i++) {
        kept[i] = (na_db_token){identifier, unique(pool, "Kept"), NOW + i};
        succeeds(WRITE(na_db_make_room_for_token(use, identifier)), "room for one more");
        succeeds(WRITE(na_db_create_token(use, &kept[i])), "which is made");
    }
    second = add_token(pool, unique(pool, "bob"));
    succeeds(WRITE(na_db_make_room_for_token(use, unique(pool, "eve"))), "room for somebody else");
    is_number(uses_token(pool, second.identifier, second.token), 1, "is made of nobody's");
    for (int i = 0; i < 6; i++)
        is_number(uses_token(pool, identifier, kept[i].token), i >= 6 - NA_DB_TOKENS_MAX,
                  "the newest are there, the oldest not");
    first = add_token(pool, identifier);
    succeeds(WRITE(na_db_delete_expired(use, NOW + 1)), "what ended is deleted");
    is_number(uses_token(pool, identifier, first.token), 0, "tokens, too");
}

/* ── authenticators ────────────────────────────────────────────────────────────────────────── */

static int has_authenticators(apr_pool_t *pool)
{
    const char *name = na_schema_table(options.schema, "authenticators");
    int found = 0;
    succeeds(READ(na_db_has_table(use, name, &found)), "is there a table of authenticators?");
    return found;
}

static na_db_authenticator add_authenticator(apr_pool_t *pool, const na_db_user *user)
{
    na_db_authenticator made = {.credential_id = unique(pool, "Credential"),
                                .user_id = user->id,
                                .provider_account_id = unique(pool, "Account"),
                                .public_key = "pQECAyYgASFYIA==",
                                .counter = 7,
                                .device_type = "singleDevice",
                                .transports = "usb,nfc",
                                .backed_up = 1};
    succeeds(WRITE(na_db_create_authenticator(use, &made)), "createAuthenticator");
    return made;
}

static int same_authenticator(const na_db_authenticator *a, const na_db_authenticator *b)
{
    return equal(a->credential_id, b->credential_id) && equal(a->user_id, b->user_id) &&
           equal(a->provider_account_id, b->provider_account_id) &&
           equal(a->public_key, b->public_key) && a->counter == b->counter &&
           equal(a->device_type, b->device_type) && equal(a->transports, b->transports) &&
           a->backed_up == b->backed_up;
}

static int authenticator_is(apr_pool_t *pool, const na_db_authenticator *expected, const char *name)
{
    na_db_authenticator read = {0};
    int found = 0;
    succeeds(READ(na_db_get_authenticator(use, expected->credential_id, &read, &found)),
             "getAuthenticator");
    return ok(found && same_authenticator(&read, expected), "%s", name);
}

static int count_authenticators(apr_pool_t *pool, const char *user_id)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(na_db_authenticator));
    succeeds(READ(na_db_list_authenticators(use, user_id, list)), "listAuthenticatorsByUserId");
    return list->nelts;
}

static void authenticators(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool);
    na_db_authenticator first = add_authenticator(pool, &ada), read;
    na_db_authenticator bare = {.credential_id = unique(pool, "Bare"),
                                .user_id = ada.id,
                                .provider_account_id = "",
                                .public_key = "",
                                .device_type = ""};
    int found = -1;
    authenticator_is(pool, &first, "gives all fields");
    succeeds(WRITE(na_db_create_authenticator(use, &bare)), "one with what is required only");
    authenticator_is(pool, &bare, "is as it was stored");
    succeeds(READ(na_db_get_authenticator(use, "unknown", &read, &found)), "an unknown one");
    is_number(found, 0, "is not there");
    is_number(count_authenticators(pool, ada.id), 2, "gives all of a user");
    is_number(count_authenticators(pool, "999999999"), 0, "and none of an unknown one");
    is_number(count_authenticators(pool, "no id"), 0, "whatever the id is");
    succeeds(WRITE(na_db_update_counter(use, first.credential_id, 2147483647)),
             "updateAuthenticatorCounter");
    first.counter = 2147483647;
    authenticator_is(pool, &first, "changes the counter");
    authenticator_is(pool, &bare, "and no other's");
    forget(pool, &ada);
    is_number(count_authenticators(pool, ada.id), 0, "deleteUser deletes them");
}

/* ── roles and passwords ───────────────────────────────────────────────────────────────────── */

static const char *roles_of(apr_pool_t *pool, const char *user_id)
{
    apr_array_header_t *roles = apr_array_make(pool, 2, sizeof(const char *));
    succeeds(READ(na_db_roles(use, user_id, 0, roles)), "roles are read");
    return apr_array_pstrcat(pool, roles, ',');
}

static void roles(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    is(roles_of(pool, ada.id), "", "a new user has none");
    succeeds(WRITE(na_db_grant_role(use, ada.id, "editor")), "one is granted");
    succeeds(WRITE(na_db_grant_role(use, ada.id, "admin")), "and another");
    succeeds(WRITE(na_db_grant_role(use, ada.id, "admin")), "once more");
    is(roles_of(pool, ada.id), "admin,editor", "both are there");
    is(roles_of(pool, eve.id), "", "nobody else has them");
    succeeds(WRITE(na_db_revoke_role(use, ada.id, "admin")), "one is revoked");
    succeeds(WRITE(na_db_revoke_role(use, ada.id, "never granted")), "so is what is not there");
    is(roles_of(pool, ada.id), "editor", "the other is left");
    forget(pool, &ada);
    is(roles_of(pool, ada.id), "", "deleteUser deletes them");
    forget(pool, &eve);
}

static void credential_is(apr_pool_t *pool, const na_db_user *user, const char *hash, int disabled,
                          apr_int64_t changed_at)
{
    na_db_credential read = {.disabled = -1};
    succeeds(READ(na_db_get_credential(use, user->id, &read)), "the credential is read");
    is(read.hash, hash, "the password");
    is_number(read.disabled, disabled, "whether it is disabled");
    is_number(read.changed_at, changed_at, "and when it was changed");
}

static void credentials(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    credential_is(pool, &ada, NULL, 0, 0);
    succeeds(WRITE(na_db_put_credential(use, ada.id, "$2b$one", NOW)), "a password is set");
    credential_is(pool, &ada, "$2b$one", 0, NOW);
    succeeds(WRITE(na_db_replace_credential(use, ada.id, "$2b$ONE", "$2b$two")),
             "one that it is not is replaced");
    credential_is(pool, &ada, "$2b$one", 0, NOW);
    succeeds(WRITE(na_db_replace_credential(use, ada.id, "$2b$one", "$2b$two")),
             "the one that it is");
    credential_is(pool, &ada, "$2b$two", 0, NOW);
    succeeds(WRITE(na_db_disable_user(use, ada.id, 1)), "a user is disabled");
    credential_is(pool, &ada, "$2b$two", 1, NOW);
    succeeds(WRITE(na_db_put_credential(use, ada.id, "$2b$three", LATER)), "has a new password");
    credential_is(pool, &ada, "$2b$three", 1, LATER);
    succeeds(WRITE(na_db_disable_user(use, ada.id, 0)), "and is enabled");
    credential_is(pool, &ada, "$2b$three", 0, LATER);
    succeeds(WRITE(na_db_disable_user(use, eve.id, 1)), "one without a password is disabled");
    credential_is(pool, &eve, NULL, 1, 0);
    forget(pool, &ada);
    credential_is(pool, &ada, NULL, 0, 0);
    forget(pool, &eve);
}

static void whole_users(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    na_db_session gone = add_session(pool, &ada), kept = add_session(pool, &eve);
    na_db_account account = add_account(pool, &ada), others = add_account(pool, &eve);
    succeeds(WRITE(na_db_grant_role(use, ada.id, "admin")), "with a role");
    succeeds(WRITE(na_db_put_credential(use, ada.id, "$2b$one", NOW)), "and a password");
    forget(pool, &ada);
    is_number(has_session(pool, gone.token), 0, "deleteUser deletes sessions");
    is_number(has_account(pool, account.provider, account.provider_account_id), 0, "and accounts");
    is(roles_of(pool, ada.id), "", "and roles");
    credential_is(pool, &ada, NULL, 0, 0);
    is_number(has_session(pool, kept.token), 1, "other users' sessions stay");
    account_is(pool, &others, "and their accounts");
    forget(pool, &eve);
}

/* ── text that wants to be something else ──────────────────────────────────────────────────── */

static const char *const texts[] = {
    "'; DROP TABLE users; --",
    "\"; DROP TABLE \"User\"; --",
    "' OR '1'='1",
    "\\",
    "\\'; -- \\\\",
    "it's \"quoted\" `thrice`",
    "%s%d%n%%s",
    "$1 ?1 :name @x {?id} {users}",
    "\xc3\x9cn\xc3\xaf\x63\xc3\xb6\x64\xc3\xa9 \xe6\xbc\xa2\xe5\xad\x97",
    "\xf0\x9f\x98\x80 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80",
    "A\xcc\x8a is not \xc3\x85",
    " blanks around ",
    "line\r\nbreak\tand tab",
    "/* comment */ # --",
    "NULL",
    "0",
    ""};

static void text_of_user(apr_pool_t *pool, const char *text, const char *much)
{
    na_db_user user = {.name = much, .email = text, .image = much}, read = {0};
    int found = 0;
    succeeds(WRITE(na_db_create_user(use, &user)), "a user with it is made");
    user_is(pool, &user, "and read as it is");
    succeeds(READ(na_db_get_user_by_email(use, text, &read, &found)), "it is an e-mail");
    ok(found && same_user(&read, &user), "which is found");
    user.name = user.image = text;
    succeeds(WRITE(na_db_update_user(use, &user)), "the user is changed");
    user_is(pool, &user, "and read as it is");
    succeeds(WRITE(na_db_grant_role(use, user.id, text)), "it is a role");
    is(roles_of(pool, user.id), text, "and read as such");
    succeeds(WRITE(na_db_put_credential(use, user.id, text, NOW)), "it is a password");
    credential_is(pool, &user, text, 0, NOW);
    forget(pool, &user);
}

static void text_of_account(apr_pool_t *pool, const char *text, const char *tokens_text)
{
    na_db_user user = new_user(pool), read = {0};
    na_db_account account = {.user_id = user.id,
                             .type = text,
                             .provider = text,
                             .provider_account_id = text,
                             .refresh_token = tokens_text,
                             .access_token = tokens_text,
                             .token_type = text,
                             .scope = text,
                             .id_token = tokens_text,
                             .session_state = text};
    na_db_session session = {text, user.id, NOW}, read_session;
    int found = 0;
    succeeds(WRITE(na_db_link_account(use, &account)), "an account of it is linked");
    account_is(pool, &account, "and read as it is");
    succeeds(READ(na_db_get_user_by_account(use, text, text, &read, &found)), "its user");
    ok(found && same_user(&read, &user), "is found");
    succeeds(WRITE(na_db_create_session(use, &session)), "it is a session's token");
    succeeds(READ(na_db_get_session_and_user(use, text, &read_session, &read, &found)), "which");
    ok(found && same_user(&read, &user), "is found");
    forget(pool, &user);
}

static void text_of_token(apr_pool_t *pool, const char *text)
{
    na_db_token token = {text, text, NOW};
    succeeds(WRITE(na_db_create_token(use, &token)), "it is a verification token");
    is_number(uses_token(pool, text, text), 1, "which is found");
}

static void text_of_authenticator(apr_pool_t *pool, const char *text)
{
    na_db_user user = new_user(pool);
    na_db_authenticator made = {.credential_id = text,
                                .user_id = user.id,
                                .provider_account_id = text,
                                .public_key = text,
                                .device_type = text,
                                .transports = text};
    succeeds(WRITE(na_db_create_authenticator(use, &made)), "an authenticator of it is made");
    authenticator_is(pool, &made, "and read as it is");
    forget(pool, &user);
}

/* Not 'x' only: what is cut or shifted shows. */
static const char *long_text(apr_pool_t *pool)
{
    char *text = apr_palloc(pool, LONG + 1);
    for (int i = 0; i < LONG; i++)
        text[i] = (char)('!' + i % 93);
    text[LONG] = '\0';
    return text;
}

/* Columns that are TEXT everywhere take as much; names and images do where they are TEXT, too. */
static int names_may_be_long(void)
{
    return options.engine == NA_DB_SQLITE ||
           (options.engine == NA_DB_POSTGRESQL && !na_schema_makes_ids(options.schema) &&
            !na_schema_has_uuids(options.schema));
}

static void any_text(apr_pool_t *pool, int with_authenticators)
{
    const char *much = long_text(pool);
    for (int i = 0; i < COUNT(texts); i++) {
        diag("%s", na_percent_encode(pool, texts[i]));
        text_of_user(pool, texts[i], names_may_be_long() ? much : texts[i]);
        text_of_account(pool, texts[i], texts[i]);
        text_of_token(pool, texts[i]);
        if (with_authenticators)
            text_of_authenticator(pool, texts[i]);
    }
    text_of_account(pool, "long", much);
}

/* ── exactly this, and nothing like it ─────────────────────────────────────────────────────── */

#define LIKE 7

/* What engines may take for the same: case, accents, blanks at the end. */
static void look_alikes(apr_pool_t *pool, const char *text, const char *out[LIKE])
{
    char *upper = apr_pstrdup(pool, text), *lower = apr_pstrdup(pool, text);
    for (int i = 0; text[i]; i++) {
        upper[i] = apr_toupper(text[i]);
        lower[i] = apr_tolower(text[i]);
    }
    const char *all[LIKE] = {upper,
                             lower,
                             apr_pstrcat(pool, text, " ", NULL),
                             apr_pstrcat(pool, " ", text, NULL),
                             apr_pstrcat(pool, text, "\xcc\x81", NULL),
                             apr_pstrcat(pool, text, "%", NULL),
                             apr_pstrcat(pool, text, "\xe2\x80\x8b", NULL)};
    memcpy(out, all, sizeof all);
}

static void exact_sessions(apr_pool_t *pool)
{
    const char *like[LIKE];
    na_db_user ada = new_user(pool), user;
    na_db_session session = add_session(pool, &ada), read = {0};
    int found = 0;
    look_alikes(pool, session.token, like);
    for (int i = 0; i < LIKE; i++) {
        is_number(has_session(pool, like[i]), 0, "a session's token is compared exactly");
        succeeds(WRITE(na_db_update_session(use, like[i], like[i], LATER)), "for changes");
        succeeds(WRITE(na_db_delete_session(use, like[i])), "and when it is deleted");
    }
    succeeds(READ(na_db_get_session_and_user(use, session.token, &read, &user, &found)), "so it");
    is_number(found ? read.expires : 0, NOW, "is as it was");
    forget(pool, &ada);
}

static void exact_tokens(apr_pool_t *pool)
{
    const char *like[LIKE], *whose[LIKE];
    na_db_token token = add_token(pool, unique(pool, "Ada"));
    look_alikes(pool, token.token, like);
    look_alikes(pool, token.identifier, whose);
    for (int i = 0; i < LIKE; i++) {
        is_number(uses_token(pool, token.identifier, like[i]), 0, "a token is compared exactly");
        is_number(uses_token(pool, whose[i], token.token), 0, "as is whose it is");
    }
    is_number(uses_token(pool, token.identifier, token.token), 1, "and is there still");
}

static void exact_accounts(apr_pool_t *pool)
{
    const char *like[LIKE];
    na_db_user ada = new_user(pool), user;
    na_db_account account = add_account(pool, &ada);
    int found;
    look_alikes(pool, account.provider_account_id, like);
    for (int i = 0; i < LIKE; i++) {
        found = -1;
        is_number(has_account(pool, account.provider, like[i]), 0, "accounts are told apart");
        succeeds(READ(na_db_get_user_by_account(use, account.provider, like[i], &user, &found)),
                 "their users, too");
        is_number(found, 0, "so there is none");
        succeeds(WRITE(na_db_unlink_account(use, account.provider, like[i])), "nothing is deleted");
    }
    is_number(has_account(pool, "GitHub", account.provider_account_id), 0, "so are providers");
    account_is(pool, &account, "the account is as it was");
    forget(pool, &ada);
}

/* Cases are not told apart but in MySQL's tables of this module, which writes in lower case. */
static void exact_emails(apr_pool_t *pool)
{
    const char *like[LIKE];
    na_db_user ada = new_user(pool), user;
    int ignores_case = options.engine != NA_DB_MYSQL || !na_schema_makes_ids(options.schema);
    look_alikes(pool, ada.email, like);
    for (int i = ignores_case ? 2 : 0; i < LIKE; i++) {
        int found = -1;
        if (strcmp(like[i], ada.email) == 0)
            continue;
        succeeds(READ(na_db_get_user_by_email(use, like[i], &user, &found)), "an e-mail alike");
        is_number(found, 0, "is somebody else's");
    }
    forget(pool, &ada);
}

static void exact_authenticators(apr_pool_t *pool)
{
    const char *like[LIKE];
    na_db_user ada = new_user(pool);
    na_db_authenticator made = add_authenticator(pool, &ada), read;
    look_alikes(pool, made.credential_id, like);
    for (int i = 0; i < LIKE; i++) {
        int found = -1;
        succeeds(READ(na_db_get_authenticator(use, like[i], &read, &found)), "a credential alike");
        is_number(found, 0, "is another");
        succeeds(WRITE(na_db_update_counter(use, like[i], 99)), "with a counter of its own");
    }
    authenticator_is(pool, &made, "the authenticator is as it was");
    forget(pool, &ada);
}

/* ── transactions and threads ──────────────────────────────────────────────────────────────── */

static void rolled_back(apr_pool_t *pool)
{
    na_db_use *transaction;
    na_db_user ada = {.name = "Ada", .email = unique(pool, "rolled")}, user;
    na_db_user eve = new_user(pool), changed = eve;
    int found = -1;
    changed.name = "Changed";
    if (!succeeds(na_db_write(db, pool, &transaction), "a transaction begins"))
        return;
    succeeds(na_db_create_user(transaction, &ada), "in which a user is made");
    succeeds(na_db_update_user(transaction, &changed), "and another one changed");
    na_error *reason = na_error_new(pool, NA_ERR_CALLBACK, "somebody does not like it");
    ok(na_db_end(transaction, reason) == reason, "it ends with an error");
    succeeds(READ(na_db_get_user_by_email(use, ada.email, &user, &found)), "the user is asked for");
    is_number(found, 0, "and was never made");
    user_is(pool, &eve, "nor was the other one changed");
    forget(pool, &eve);
}

/* ── statements that fail ──────────────────────────────────────────────────────────────────── */

/* What a statement may fail of: a row that is there, and a table that is not. */
static const struct {
    const char *what, *name, *text;
} failing[] = {{"a row twice", "tests_twice", NULL},
               {"no such table", "tests_nowhere", "INSERT INTO nextauth_nowhere VALUES (%s, %s)"}};

static na_error *grant(na_db_use *use, const char *id, const char *role, int how)
{
    static const char add[] = "INSERT INTO nextauth_roles (user_id, role) VALUES (%s, %s)";
    const char *arguments[] = {id, role};
    NA_TRY(na_db_change_text(use, "tests_add", add, 2, arguments, NULL));
    return na_db_change_text(use, failing[how].name, failing[how].text ? failing[how].text : add, 2,
                             arguments, NULL);
}

static int has_role(apr_pool_t *pool, const char *id, const char *role)
{
    apr_array_header_t *roles = apr_array_make(pool, 4, sizeof(const char *));
    succeeds(READ(na_db_roles(use, id, 0, roles)), "roles are asked for");
    for (int i = 0; i < roles->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(roles, i, const char *), role) == 0)
            return 1;
    return 0;
}

typedef struct failing_work {
    const char *id;
    int how;   /* of failing */
    int tries; /* that were made */
} failing_work;

static na_error *ignore_failure(void *data, na_db_use *use)
{
    failing_work *w = data;
    NA_TRY(na_db_grant_role(use, w->id, apr_psprintf(na_db_pool(use), "try-%d", ++w->tries)));
    if (w->tries == 1)
        grant(use, w->id, "ignored", w->how);
    return NULL;
}

/* Who ignores that is told at the end, and it can be done again. */
static void ignored_failures(apr_pool_t *pool, int how)
{
    na_db_user ada = new_user(pool);
    failing_work work = {ada.id, how, 0};
    na_error *error = WRITE(ignore_failure(&work, use));
    ok(na_error_is(error, NA_ERR_CONFLICT) && error->cause,
       "%s: what was rolled back is no success", failing[how].what);
    ok(!has_role(pool, ada.id, "try-1") && !has_role(pool, ada.id, "ignored"), "nothing is left");
    work.tries = 0;
    succeeds(na_db_transact(db, pool, ignore_failure, &work), "it is tried again");
    ok(work.tries == 2 && has_role(pool, ada.id, "try-2") && !has_role(pool, ada.id, "try-1"),
       "and the second try is what there is");
    forget(pool, &ada);
}

static na_error *fail(void *data, na_db_use *use)
{
    const failing_work *w = data;
    return grant(use, w->id, "tried", w->how);
}

static na_error *succeed(void *data, na_db_use *use)
{
    const failing_work *w = data;
    return na_db_grant_role(use, w->id, "granted");
}

static na_error *go_on(na_db_use *use, failing_work *w)
{
    NA_TRY(na_db_grant_role(use, w->id, "before"));
    for (int i = 0; i < 2; i++)
        ok(na_db_try(use, fail, w) != NULL, "%s: what may fail does", failing[w->how].what);
    NA_TRY(na_db_try(use, succeed, w));
    return na_db_grant_role(use, w->id, "after");
}

static void contained_failures(apr_pool_t *pool, int how)
{
    na_db_user ada = new_user(pool);
    failing_work work = {ada.id, how, 0};
    na_error *reason = na_error_new(pool, NA_ERR_CALLBACK, "somebody does not like it");
    succeeds(WRITE(go_on(use, &work)), "the transaction goes on");
    ok(has_role(pool, ada.id, "before") && has_role(pool, ada.id, "after"), "all else is done");
    ok(has_role(pool, ada.id, "granted"), "so is what might have failed, and did not");
    ok(!has_role(pool, ada.id, "tried"), "what failed is undone, all of it");
    forget(pool, &ada);
    ada = new_user(pool);
    work.id = ada.id;
    ok(WRITE((go_on(use, &work), reason)) == reason, "another error ends it");
    ok(!has_role(pool, ada.id, "before") && !has_role(pool, ada.id, "granted"), "with all of it");
    forget(pool, &ada);
}

static na_error *lose(void *data, na_db_use *use)
{
    NA_TRY(na_db_execute(use, "ROLLBACK"));
    return na_error_new(na_db_pool(use), NA_ERR_CALLBACK, "as in a deadlock");
}

static na_error *go_on_without(na_db_use *use, failing_work *w)
{
    NA_TRY(na_db_grant_role(use, w->id, "before"));
    ok(na_db_try(use, lose, w) != NULL, "the whole transaction is lost on the way");
    return NULL;
}

static void lost_transaction(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool);
    failing_work work = {ada.id, 0, 0};
    ok(WRITE(go_on_without(use, &work)) != NULL, "which is no success");
    health = (na_breaker_state){0}; /* not every engine can tell that from a server that is gone */
    is_number(has_role(pool, ada.id, "before"), 0, "nothing is left");
    forget(pool, &ada);
}

static void failures(apr_pool_t *pool)
{
    for (int how = 0; how < COUNT(failing); how++) {
        ignored_failures(pool, how);
        contained_failures(pool, how);
    }
    lost_transaction(pool);
}

typedef na_error *task(apr_pool_t *pool, void *data, int *result);

typedef struct worker {
    apr_pool_t *pool;
    task *task;
    void *data;
    int result;
    na_error *error;
} worker;

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *data)
{
    worker *self = data;
    self->error = self->task(self->pool, self->data, &self->result);
    return NULL;
}

/* All at once; `pool` keeps what they give. */
static void together(apr_pool_t *pool, worker workers[THREADS], task *what, void *data)
{
    apr_status_t status;
    apr_thread_t *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.task = what, .data = data};
        apr_pool_create(&workers[i].pool, NULL);
        apr_thread_create(&threads[i], NULL, work, &workers[i], pool);
    }
    for (int i = 0; i < THREADS; i++)
        apr_thread_join(&status, threads[i]);
}

static void dismiss(worker workers[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        apr_pool_destroy(workers[i].pool);
}

static na_error *use_it(apr_pool_t *pool, void *data, int *result)
{
    const na_db_token *token = data;
    na_db_token used;
    return WRITE(na_db_use_token(use, token->identifier, token->token, &used, result));
}

static void one_token_for_many(apr_pool_t *pool)
{
    worker workers[THREADS];
    for (int round = 0; round < ROUNDS; round++) {
        na_db_token token = add_token(pool, unique(pool, "raced"));
        int found = 0;
        together(pool, workers, use_it, &token);
        for (int i = 0; i < THREADS; i++) {
            succeeds(workers[i].error, "a thread uses the token");
            found += workers[i].result;
        }
        is_number(found, 1, "of all that use one at once, one finds it");
        dismiss(workers);
    }
}

static na_error *add_one(na_db_use *use, const char *id)
{
    na_db_user user;
    int found;
    NA_TRY(na_db_lock(use, "a counter of tests"));
    NA_TRY(na_db_get_user(use, id, &user, &found));
    user.name = apr_itoa(na_db_pool(use), atoi(user.name) + 1);
    return na_db_update_user(use, &user);
}

static na_error *count(apr_pool_t *pool, void *data, int *result)
{
    for (int i = 0; i < ROUNDS; i++)
        NA_TRY(WRITE(add_one(use, data)));
    return NULL;
}

static void locks(apr_pool_t *pool)
{
    worker workers[THREADS];
    na_db_user counter = new_user(pool);
    counter.name = "0";
    succeeds(WRITE(na_db_update_user(use, &counter)), "a counter is made");
    together(pool, workers, count, (void *)counter.id);
    for (int i = 0; i < THREADS; i++)
        succeeds(workers[i].error, "a thread counts under a lock");
    counter.name = apr_itoa(pool, THREADS * ROUNDS);
    user_is(pool, &counter, "none of them loses a count");
    dismiss(workers);
    forget(pool, &counter);
}

#define SCARCE_MS 300
#define HELD_MS 500

static na_error *hold(apr_pool_t *pool, void *data, int *result)
{
    na_db_use *use;
    na_db_user user;
    NA_TRY(na_db_read(data, pool, &use));
    apr_sleep(HELD_MS * 1000);
    return na_db_end(use, na_db_get_user(use, "1", &user, result));
}

static void scarcity(apr_pool_t *pool)
{
    worker workers[THREADS];
    na_db_options scarce = options;
    na_db *narrow;
    int done = 0, busy = 0;
    scarce.max_connections = 2;
    scarce.timeout_ms = SCARCE_MS;
    if (!succeeds(na_db_make(pool, &scarce, &breaker, &narrow), "a database of two connections"))
        return;
    apr_time_t start = apr_time_now();
    together(pool, workers, hold, narrow);
    for (int i = 0; i < THREADS; i++) {
        done += !workers[i].error;
        busy += na_error_is(workers[i].error, NA_ERR_BUSY);
    }
    ok(done >= 2 && done + busy == THREADS,
       "as many as there are work, others are told it is busy");
    ok(busy > 0 && apr_time_now() - start < apr_time_from_sec(5), "and nobody hangs");
    is_number(health.failures, 0, "which does not speak against the database");
    dismiss(workers);
    together(pool, workers, hold, narrow);
    done = 0;
    for (int i = 0; i < THREADS; i++)
        done += !workers[i].error;
    ok(done >= 2, "connections are given back, and used again");
    dismiss(workers);
}

/* ── one line, one operation ───────────────────────────────────────────────────────────────── */

typedef struct field {
    const char *name;
    size_t offset;
    int is_number;
} field;

#define TEXT(type, name, member)                                                                   \
    {                                                                                              \
        name, offsetof(type, member), 0                                                            \
    }
#define NUMBER(type, name, member)                                                                 \
    {                                                                                              \
        name, offsetof(type, member), 1                                                            \
    }

static const field user_fields[] = {TEXT(na_db_user, "id", id),
                                    TEXT(na_db_user, "name", name),
                                    TEXT(na_db_user, "email", email),
                                    TEXT(na_db_user, "image", image),
                                    NUMBER(na_db_user, "emailVerified", email_verified),
                                    {NULL, 0, 0}};
static const field account_fields[] = {TEXT(na_db_account, "userId", user_id),
                                       TEXT(na_db_account, "type", type),
                                       TEXT(na_db_account, "provider", provider),
                                       TEXT(na_db_account, "providerAccountId",
                                            provider_account_id),
                                       TEXT(na_db_account, "refresh_token", refresh_token),
                                       TEXT(na_db_account, "access_token", access_token),
                                       TEXT(na_db_account, "token_type", token_type),
                                       TEXT(na_db_account, "scope", scope),
                                       TEXT(na_db_account, "id_token", id_token),
                                       TEXT(na_db_account, "session_state", session_state),
                                       NUMBER(na_db_account, "expires_at", expires_at),
                                       {NULL, 0, 0}};
static const field session_fields[] = {TEXT(na_db_session, "sessionToken", token),
                                       TEXT(na_db_session, "userId", user_id),
                                       NUMBER(na_db_session, "expires", expires),
                                       {NULL, 0, 0}};
static const field token_fields[] = {TEXT(na_db_token, "identifier", identifier),
                                     TEXT(na_db_token, "token", token),
                                     NUMBER(na_db_token, "expires", expires),
                                     {NULL, 0, 0}};

static void from_json(const json_t *json, const field *fields, void *out)
{
    for (; fields->name; fields++) {
        char *at = (char *)out + fields->offset;
        const json_t *value = json_object_get(json, fields->name);
        if (fields->is_number)
            *(apr_int64_t *)at = json_integer_value(value);
        else
            *(const char **)at = json_string_value(value);
    }
}

static json_t *to_json(const field *fields, const void *in)
{
    json_t *json = json_object();
    for (; fields->name; fields++) {
        const char *at = (const char *)in + fields->offset;
        const char *text = fields->is_number ? NULL : *(const char *const *)at;
        apr_int64_t number = fields->is_number ? *(const apr_int64_t *)at : 0;
        json_object_set_new(json, fields->name,
                            text     ? json_string(text)
                            : number ? json_integer(number)
                                     : json_null());
    }
    return json;
}

/* An operation as it was asked for, and what its answer is: JSON's null where nothing is found. */
typedef struct question {
    const json_t *asked;
    na_db_user user;
    na_db_account account;
    na_db_session session;
    na_db_token token;
    int found;
    json_t *answer;
} question;

static json_t *if_found(const question *q, const field *fields, const void *in)
{
    return q->found ? to_json(fields, in) : json_null();
}

static na_error *answer_user(question *q, na_error *error)
{
    NA_TRY(error);
    q->answer = if_found(q, user_fields, &q->user);
    return NULL;
}

static na_error *create_user(na_db_use *use, question *q)
{
    q->found = 1;
    return answer_user(q, na_db_create_user(use, &q->user));
}

static na_error *get_user(na_db_use *use, question *q)
{
    return answer_user(q, na_db_get_user(use, q->user.id, &q->user, &q->found));
}

static na_error *get_user_by_email(na_db_use *use, question *q)
{
    return answer_user(q, na_db_get_user_by_email(use, q->user.email, &q->user, &q->found));
}

static na_error *get_user_by_account(na_db_use *use, question *q)
{
    return answer_user(q, na_db_get_user_by_account(use, q->account.provider,
                                                    q->account.provider_account_id, &q->user,
                                                    &q->found));
}

static na_error *update_user(na_db_use *use, question *q)
{
    return na_db_update_user(use, &q->user);
}

static na_error *delete_user(na_db_use *use, question *q)
{
    return na_db_delete_user(use, q->user.id);
}

static na_error *link_account(na_db_use *use, question *q)
{
    return na_db_link_account(use, &q->account);
}

static na_error *unlink_account(na_db_use *use, question *q)
{
    return na_db_unlink_account(use, q->account.provider, q->account.provider_account_id);
}

static na_error *get_account(na_db_use *use, question *q)
{
    NA_TRY(na_db_get_account(use, q->account.provider, q->account.provider_account_id, &q->account,
                             &q->found));
    q->answer = if_found(q, account_fields, &q->account);
    return NULL;
}

static na_error *create_session(na_db_use *use, question *q)
{
    return na_db_create_session(use, &q->session);
}

static na_error *get_session(na_db_use *use, question *q)
{
    NA_TRY(na_db_get_session_and_user(use, q->session.token, &q->session, &q->user, &q->found));
    q->answer = q->found ? json_pack("{s:o, s:o}", "session", to_json(session_fields, &q->session),
                                     "user", to_json(user_fields, &q->user))
                         : json_null();
    return NULL;
}

static na_error *update_session(na_db_use *use, question *q)
{
    return na_db_update_session(use, q->session.token, q->session.token, q->session.expires);
}

static na_error *delete_session(na_db_use *use, question *q)
{
    return na_db_delete_session(use, q->session.token);
}

static na_error *create_token(na_db_use *use, question *q)
{
    return na_db_create_token(use, &q->token);
}

static na_error *use_token(na_db_use *use, question *q)
{
    NA_TRY(na_db_use_token(use, q->token.identifier, q->token.token, &q->token, &q->found));
    q->answer = if_found(q, token_fields, &q->token);
    return NULL;
}

static const struct {
    const char *name;
    int writes;
    na_error *(*run)(na_db_use *use, question *q);
} operations[] = {
    {"createUser", 1, create_user},           {"getUser", 0, get_user},
    {"getUserByEmail", 0, get_user_by_email}, {"getUserByAccount", 0, get_user_by_account},
    {"updateUser", 1, update_user},           {"deleteUser", 1, delete_user},
    {"linkAccount", 1, link_account},         {"unlinkAccount", 1, unlink_account},
    {"getAccount", 0, get_account},           {"createSession", 1, create_session},
    {"getSessionAndUser", 0, get_session},    {"updateSession", 1, update_session},
    {"deleteSession", 1, delete_session},     {"createVerificationToken", 1, create_token},
    {"useVerificationToken", 1, use_token}};

/* As many connections as there may be, all of them prepared for something. */
static na_error *open_all(apr_pool_t *pool)
{
    na_db_use *uses[64];
    na_error *error = NULL;
    na_db_user user;
    int found, opened = 0;
    for (; !error && opened < options.max_connections; opened += !error)
        error = na_db_read(db, pool, &uses[opened]);
    for (int i = 0; i < opened; i++)
        error = na_db_end(uses[i], error ? error : na_db_get_user(uses[i], "1", &user, &found));
    return error;
}

static na_error *obey(apr_pool_t *pool, question *q)
{
    const char *name = na_json_string(q->asked, "do");
    from_json(q->asked, user_fields, &q->user);
    from_json(q->asked, account_fields, &q->account);
    from_json(q->asked, session_fields, &q->session);
    from_json(q->asked, token_fields, &q->token);
    if (strcmp(name, "openAll") == 0)
        return open_all(pool);
    for (int i = 0; i < COUNT(operations); i++)
        if (strcmp(name, operations[i].name) == 0)
            return operations[i].writes ? WRITE(operations[i].run(use, q))
                                        : READ(operations[i].run(use, q));
    return na_error_new(pool, NA_ERR_CONFIGURATION, "no operation: %s", name);
}

/* {"do": a method of Auth.js's adapters, and its fields}: a line of JSON each, and one back. */
static int answer_lines(apr_pool_t *parent)
{
    static char line[1 << 16];
    apr_pool_t *pool;
    apr_pool_create(&pool, parent);
    while (fgets(line, sizeof line, stdin)) {
        json_t *asked = na_json_own(pool, json_loads(line, 0, NULL));
        question q = {.asked = asked};
        na_error *error = obey(pool, &q);
        json_t *answer = q.answer && !error ? q.answer : json_null();
        json_t *all = json_pack("{s:o, s:s*}", "answer", answer, "error",
                                error ? na_error_text(pool, error) : NULL);
        puts(na_json_dump(pool, na_json_own(pool, all)));
        fflush(stdout);
        apr_pool_clear(pool);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *setting = getenv("NEXTAUTH_TEST_DATABASE");
    if (!setting)
        skip_all("NEXTAUTH_TEST_DATABASE names no database");
    apr_pool_t *pool = tap_start();
    if (argc > 1 && strcmp(argv[1], "ask") == 0)
        return open_database(pool, setting) ? 2 : answer_lines(pool);
    if (!succeeds(open_database(pool, setting), "a database is made"))
        return tap_done();
    int with_authenticators = has_authenticators(pool);
    users(pool);
    paging(pool);
    sessions(pool);
    accounts(pool);
    tokens(pool);
    roles(pool);
    credentials(pool);
    whole_users(pool);
    any_text(pool, with_authenticators);
    exact_sessions(pool);
    exact_tokens(pool);
    exact_accounts(pool);
    exact_emails(pool);
    if (with_authenticators) {
        authenticators(pool);
        exact_authenticators(pool);
    }
    rolled_back(pool);
    failures(pool);
    one_token_for_many(pool);
    locks(pool);
    scarcity(pool);
    return tap_done();
}
