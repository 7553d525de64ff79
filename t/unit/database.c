/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "db/database.h"
#include "sql/adapters.h"
#include "sql/records.h"
#include "tap.h"
#include "threads_kit.h"

/*
 * What Auth.js expects of every adapter, method by method, and what else the adapter here gives,
 * against the database that NEXTAUTH_TEST_DATABASE names: an address and a schema. With the
 * argument "ask" it does what each line of its input says instead.
 */

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
#define ROUNDS 10
#define LONG 4000
#define NOW APR_INT64_C(1790000000123) /* milliseconds, and not a whole second */
#define LATER APR_INT64_C(1790086400987)

static na_breaker_state health;
static na_breaker breaker = {.name = "the database", .health = &health};
static na_db_options options;
static na_db *db;

/* ── Auth.js's methods that are decisions here ─────────────────────────────────────────────── */

/* What is decided about nobody is not done. */
static na_error *decide(apr_pool_t *pool, na_decision *decision)
{
    NA_TRY(na_db_decide(db, pool, decision));
    return decision->held ? NULL
                          : na_error_new(pool, NA_ERR_CONFIGURATION, "no such user, or not so now");
}

/* The methods of Auth.js that change nothing if the user is not there say nothing either. */
static na_error *decide_if_held(apr_pool_t *pool, na_decision *decision)
{
    return na_db_decide(db, pool, decision);
}

static na_error *create_user(apr_pool_t *pool, na_db_user *user)
{
    na_decision decision = {.user = user};
    NA_TRY(decide(pool, &decision));
    user->id = decision.id;
    return NULL;
}

static na_error *find_person(apr_pool_t *pool, const na_db_who *who, na_db_user *user, int *found)
{
    na_db_person person;
    NA_TRY(na_db_find(db, pool, who, &person, found));
    if (*found)
        *user = person.user;
    return NULL;
}

static na_error *get_user(apr_pool_t *pool, const char *id, na_db_user *user, int *found)
{
    const na_db_who who = {.id = id};
    return find_person(pool, &who, user, found);
}

static na_error *get_user_by_email(apr_pool_t *pool, const char *email, na_db_user *user,
                                   int *found)
{
    const na_db_who who = {.email = email};
    return find_person(pool, &who, user, found);
}

static na_error *get_user_by_account(apr_pool_t *pool, const char *provider, const char *account_id,
                                     na_db_user *user, int *found)
{
    const na_db_who who = {.provider = provider, .account_id = account_id};
    return find_person(pool, &who, user, found);
}

static na_error *update_user(apr_pool_t *pool, const na_db_user *user)
{
    na_decision decision = {.user_id = user->id, .user = user};
    return decide_if_held(pool, &decision);
}

static na_error *delete_user(apr_pool_t *pool, const char *id)
{
    na_decision decision = {.user_id = id, .does = NA_DB_DELETES};
    return decide_if_held(pool, &decision);
}

static na_error *link_account(apr_pool_t *pool, const na_db_account *account)
{
    na_decision decision = {.user_id = account->user_id, .link = account};
    return decide(pool, &decision);
}

static na_error *unlink_account(apr_pool_t *pool, const char *provider, const char *account_id)
{
    apr_array_header_t *accounts = apr_array_make(pool, 1, sizeof(na_db_account));
    na_db_account account;
    int found;
    NA_TRY(na_db_find_account(db, pool, provider, account_id, &account, &found));
    if (!found)
        return NULL;
    APR_ARRAY_PUSH(accounts, na_db_account) = account;
    na_decision decision = {.user_id = account.user_id, .unlink = accounts};
    return decide(pool, &decision);
}

static na_error *create_session(apr_pool_t *pool, const na_db_session *session)
{
    na_decision decision = {.user_id = session->user_id, .session = session};
    return decide(pool, &decision);
}

static na_error *get_session_and_user(apr_pool_t *pool, const char *token, na_db_session *session,
                                      na_db_user *user, int *found)
{
    na_db_person person;
    NA_TRY(na_db_find_session(db, pool, token, 0, session, &person, found));
    if (*found)
        *user = person.user;
    return NULL;
}

static na_error *update_session(apr_pool_t *pool, const char *token, const char *new_token,
                                apr_int64_t expires)
{
    int found;
    return na_db_update_session(db, pool, token, new_token, expires, &found);
}

static const apr_array_header_t *one(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *array = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(array, const char *) = text;
    return array;
}

static na_error *grant_role(apr_pool_t *pool, const char *id, const char *role)
{
    na_decision decision = {.user_id = id, .grants = one(pool, role)};
    return decide(pool, &decision);
}

static na_error *revoke_role(apr_pool_t *pool, const char *id, const char *role)
{
    na_decision decision = {.user_id = id, .revokes = one(pool, role)};
    return decide(pool, &decision);
}

static na_error *put_credential(apr_pool_t *pool, const char *id, const char *hash, apr_int64_t now)
{
    na_decision decision = {.user_id = id, .does = NA_DB_SETS_PASSWORD, .hash = hash, .now = now};
    return decide(pool, &decision);
}

static na_error *disable_user(apr_pool_t *pool, const char *id, int disabled)
{
    na_decision decision = {.user_id = id, .does = disabled ? NA_DB_DISABLES : NA_DB_ENABLES};
    return decide(pool, &decision);
}

/* All zero if there is no such user. */
static na_db_person person_of(apr_pool_t *pool, const char *id)
{
    const na_db_who who = {.id = id, .current = 1};
    na_db_person person;
    int found = 0;
    succeeds(na_db_find(db, pool, &who, &person, &found), "a user is read");
    return found ? person : (na_db_person){.roles = apr_array_make(pool, 1, sizeof(const char *))};
}

static na_error *open_database(apr_pool_t *pool, const char *setting)
{
    char *state, *text = apr_pstrdup(pool, setting);
    const char *url = apr_strtok(text, " ", &state), *name = apr_strtok(NULL, " ", &state);
    const na_adapter *adapter;
    NA_TRY(na_adapter_of_url(pool, url, &adapter));
    NA_TRY(na_db_options_parse(pool, adapter, url, ".", &options));
    NA_TRY(na_db_options_set_schema(pool, name, &options));
    NA_TRY(na_db_options_check(pool, &options));
    return na_db_open(pool, &options, &breaker, &db);
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
    if (!succeeds(create_user(pool, &user), "a user is made"))
        exit(1);
    return user;
}

static void forget(apr_pool_t *pool, const na_db_user *user)
{
    succeeds(delete_user(pool, user->id), "the user is deleted");
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
    succeeds(get_user(pool, expected->id, &user, &found), "a user is asked for");
    return ok(found && same_user(&user, expected), "%s", name);
}

static int has_user(apr_pool_t *pool, const char *id)
{
    na_db_user user;
    int found = -1;
    succeeds(get_user(pool, id, &user, &found), apr_psprintf(pool, "a user '%s' is asked for", id));
    return found;
}

static int has_session(apr_pool_t *pool, const char *token)
{
    na_db_session session;
    na_db_user user;
    int found = -1;
    succeeds(get_session_and_user(pool, token, &session, &user, &found), "a session is asked for");
    return found;
}

static int has_account(apr_pool_t *pool, const char *provider, const char *id)
{
    na_db_account account;
    int found = -1;
    succeeds(na_db_find_account(db, pool, provider, id, &account, &found),
             "an account is asked for");
    return found;
}

static int uses_token(apr_pool_t *pool, const char *identifier, const char *hash)
{
    na_db_token token;
    int found = -1;
    succeeds(na_db_use_token(db, pool, identifier, hash, &token, &found), "a token is used");
    return found;
}

static na_db_session add_session(apr_pool_t *pool, const na_db_user *user)
{
    na_db_session session = {unique(pool, "Session"), user->id, NOW};
    succeeds(create_session(pool, &session), "a session is made");
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
    succeeds(link_account(pool, &account), "an account is linked");
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
        succeeds(update_user(pool, &user), "nor changed");
        succeeds(delete_user(pool, wrong[i]), "nor deleted");
        fails(create_session(pool, &session), "nor has a session");
        ok(!health.failures, "and no fault of the database");
    }
    na_db_user user;
    int found = -1;
    succeeds(get_user(pool, "", &user, &found), "no id at all");
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

    succeeds(get_user_by_email(pool, ada.email, &found_user, &found), "getUserByEmail");
    ok(found && same_user(&found_user, &ada), "finds the user");
    succeeds(get_user_by_email(pool, "nobody@example.org", &found_user, &found),
             "an unknown e-mail");
    is_number(found, 0, "is nobody's");

    na_db_user other = new_user(pool), changed = ada;
    changed.name = "Ada Lovelace";
    changed.email = apr_pstrcat(pool, unique(pool, "lovelace"), "@example.org", NULL);
    changed.email_verified = LATER;
    changed.image = "";
    succeeds(update_user(pool, &changed), "updateUser");
    user_is(pool, &changed, "changes the user");
    user_is(pool, &other, "and no other");
    changed.name = changed.image = NULL;
    changed.email_verified = 0;
    succeeds(update_user(pool, &changed), "updateUser with NULLs");
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
    const na_db_person alone = person_of(pool, person->user.id);
    return strcmp(apr_array_pstrcat(pool, person->roles, ','),
                  apr_array_pstrcat(pool, alone.roles, ',')) == 0 &&
           person->revision == alone.revision &&
           equal(person->credential.hash, alone.credential.hash) &&
           person->credential.disabled == alone.credential.disabled &&
           person->credential.changed_at == alone.credential.changed_at;
}

/* Gives a user two roles, a password, and a revision. */
static void equip(apr_pool_t *pool, const char *id)
{
    na_decision ending = {.user_id = id, .does = NA_DB_ENDS_SESSIONS};
    succeeds(grant_role(pool, id, "editor"), "a role");
    succeeds(grant_role(pool, id, "admin"), "another one");
    succeeds(put_credential(pool, id, "hash", NOW), "a password");
    succeeds(disable_user(pool, id, 1), "of a disabled user");
    succeeds(decide(pool, &ending), "whose sessions ended");
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
        if (!succeeds(na_db_list(db, pool, last, 2, page), "users are listed by two"))
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
    succeeds(get_session_and_user(pool, made.token, &read, &user, &found), "getSessionAndUser");
    ok(found && same_user(&user, &ada), "gives the user");
    is(read.token, made.token, "and the session");
    is(read.user_id, ada.id, "of the user");
    is_number(read.expires, NOW, "with its time, to the millisecond");
    succeeds(update_session(pool, made.token, made.token, LATER), "updateSession");
    succeeds(get_session_and_user(pool, made.token, &read, &user, &found),
             "the session is read again");
    is_number(found ? read.expires : 0, LATER, "and has the new time, to the millisecond");
    succeeds(update_session(pool, made.token, made.token, 1001), "a session that ended long ago");
    succeeds(get_session_and_user(pool, made.token, &read, &user, &found), "is read");
    is_number(found ? read.expires : 0, 1001, "nevertheless");
    is_number(has_session(pool, unique(pool, "unknown")), 0, "an unknown session is not there");
    succeeds(na_db_purge(db, pool, NOW), "what ended is deleted");
    is_number(has_session(pool, made.token), 0, "the one that did");
    is_number(has_session(pool, other.token), 1, "not the one that ends just then");
    succeeds(na_db_delete_session(db, pool, other.token), "deleteSession");
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
    succeeds(na_db_find_account(db, pool, expected->provider, expected->provider_account_id,
                                &account, &found),
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
    succeeds(link_account(pool, &bare), "linkAccount with what is required only");
    account_is(pool, &bare, "stores NULL for the rest, at another provider");
    account_is(pool, &full, "and the first is as it was");
    succeeds(get_user_by_account(pool, full.provider, full.provider_account_id, &user, &found),
             "getUserByAccount");
    ok(found && same_user(&user, &ada), "gives the account's user");
    succeeds(get_user_by_account(pool, full.provider, "unknown", &user, &found),
             "of an unknown account");
    is_number(found, 0, "there is none");
    succeeds(na_db_list_accounts(db, pool, ada.id, list), "a user's accounts are listed");
    ok(list->nelts == 1 && same_account(&APR_ARRAY_IDX(list, 0, na_db_account), &full),
       "all of them, and nobody else's");
    succeeds(unlink_account(pool, full.provider, full.provider_account_id), "unlinkAccount");
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
    succeeds(na_db_add_token(db, pool, &token), "createVerificationToken");
    return token;
}

static void tokens(apr_pool_t *pool)
{
    const char *identifier = unique(pool, "ada");
    na_db_token first = add_token(pool, identifier), second = add_token(pool, identifier), used;
    int found = 0;
    succeeds(na_db_use_token(db, pool, identifier, first.token, &used, &found),
             "useVerificationToken");
    ok(found && equal(used.identifier, identifier) && equal(used.token, first.token),
       "gives the token");
    is_number(found ? used.expires : 0, NOW, "with its time, to the millisecond");
    is_number(uses_token(pool, identifier, first.token), 0, "but once");
    is_number(uses_token(pool, unique(pool, "eve"), second.token), 0, "nobody else's");
    is_number(uses_token(pool, identifier, second.token), 1, "another of the same is still there");
    first = add_token(pool, identifier);
    succeeds(na_db_find_token(db, pool, identifier, first.token, &used, &found), "looking");
    ok(found && used.expires == NOW && uses_token(pool, identifier, first.token),
       "finds it and leaves it there");
    na_db_token kept[6];
    for (int i = 0; i < 6; i++) {
        kept[i] = (na_db_token){identifier, unique(pool, "Kept"), NOW + i};
        succeeds(na_db_add_token(db, pool, &kept[i]), "one more is made");
    }
    second = add_token(pool, unique(pool, "bob"));
    is_number(uses_token(pool, second.identifier, second.token), 1, "nobody else's is deleted");
    for (int i = 0; i < 6; i++)
        is_number(uses_token(pool, identifier, kept[i].token), i >= 6 - NA_DB_TOKENS_MAX,
                  "the newest are there, the oldest not");
    first = add_token(pool, identifier);
    succeeds(na_db_purge(db, pool, NOW + 1), "what ended is deleted");
    is_number(uses_token(pool, identifier, first.token), 0, "tokens, too");
}

/* ── authenticators ────────────────────────────────────────────────────────────────────────── */

/* Not every schema has a table of authenticators, and this module makes none in others. */
static int has_authenticators(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool);
    apr_array_header_t *list = apr_array_make(pool, 1, sizeof(na_db_authenticator));
    na_error *error = na_db_list_authenticators(db, pool, ada.id, list);
    health = (na_breaker_state){0};
    forget(pool, &ada);
    return !error;
}

static int add(apr_pool_t *pool, const na_db_authenticator *authenticator, const char *name)
{
    na_decision decision = {.user_id = authenticator->user_id, .authenticator = authenticator};
    return succeeds(na_db_decide(db, pool, &decision), name) && decision.held;
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
    add(pool, &made, "createAuthenticator");
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
    succeeds(na_db_find_authenticator(db, pool, expected->credential_id, &read, &found),
             "getAuthenticator");
    return ok(found && same_authenticator(&read, expected), "%s", name);
}

static int count_authenticators(apr_pool_t *pool, const char *user_id)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(na_db_authenticator));
    succeeds(na_db_list_authenticators(db, pool, user_id, list), "listAuthenticatorsByUserId");
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
    add(pool, &bare, "one with what is required only");
    authenticator_is(pool, &bare, "is as it was stored");
    succeeds(na_db_find_authenticator(db, pool, "unknown", &read, &found), "an unknown one");
    is_number(found, 0, "is not there");
    is_number(count_authenticators(pool, ada.id), 2, "gives all of a user");
    is_number(count_authenticators(pool, "999999999"), 0, "and none of an unknown one");
    is_number(count_authenticators(pool, "no id"), 0, "whatever the id is");
    succeeds(na_db_update_counter(db, pool, first.credential_id, 2147483647),
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
    return apr_array_pstrcat(pool, person_of(pool, user_id).roles, ',');
}

static void roles(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    is(roles_of(pool, ada.id), "", "a new user has none");
    succeeds(grant_role(pool, ada.id, "editor"), "one is granted");
    succeeds(grant_role(pool, ada.id, "admin"), "and another");
    succeeds(grant_role(pool, ada.id, "admin"), "once more");
    is(roles_of(pool, ada.id), "admin,editor", "both are there");
    is(roles_of(pool, eve.id), "", "nobody else has them");
    succeeds(revoke_role(pool, ada.id, "admin"), "one is revoked");
    succeeds(revoke_role(pool, ada.id, "never granted"), "so is what is not there");
    is(roles_of(pool, ada.id), "editor", "the other is left");
    forget(pool, &ada);
    is(roles_of(pool, ada.id), "", "deleteUser deletes them");
    forget(pool, &eve);
}

static void credential_is(apr_pool_t *pool, const na_db_user *user, const char *hash, int disabled,
                          apr_int64_t changed_at)
{
    const na_db_credential read = person_of(pool, user->id).credential;
    is(read.hash, hash, "the password");
    is_number(read.disabled, disabled, "whether it is disabled");
    is_number(read.changed_at, changed_at, "and when it was changed");
}

static void credentials(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    credential_is(pool, &ada, NULL, 0, 0);
    succeeds(put_credential(pool, ada.id, "$2b$one", NOW), "a password is set");
    credential_is(pool, &ada, "$2b$one", 0, NOW);
    succeeds(na_db_replace_hash(db, pool, ada.id, "$2b$ONE", "$2b$two"),
             "one that it is not is replaced");
    credential_is(pool, &ada, "$2b$one", 0, NOW);
    succeeds(na_db_replace_hash(db, pool, ada.id, "$2b$one", "$2b$two"), "the one that it is");
    credential_is(pool, &ada, "$2b$two", 0, NOW);
    succeeds(disable_user(pool, ada.id, 1), "a user is disabled");
    credential_is(pool, &ada, "$2b$two", 1, NOW);
    succeeds(put_credential(pool, ada.id, "$2b$three", LATER), "has a new password");
    credential_is(pool, &ada, "$2b$three", 1, LATER);
    succeeds(disable_user(pool, ada.id, 0), "and is enabled");
    credential_is(pool, &ada, "$2b$three", 0, LATER);
    succeeds(disable_user(pool, eve.id, 1), "one without a password is disabled");
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
    succeeds(grant_role(pool, ada.id, "admin"), "with a role");
    succeeds(put_credential(pool, ada.id, "$2b$one", NOW), "and a password");
    forget(pool, &ada);
    is_number(has_session(pool, gone.token), 0, "deleteUser deletes sessions");
    is_number(has_account(pool, account.provider, account.provider_account_id), 0, "and accounts");
    is(roles_of(pool, ada.id), "", "and roles");
    credential_is(pool, &ada, NULL, 0, 0);
    is_number(has_session(pool, kept.token), 1, "other users' sessions stay");
    account_is(pool, &others, "and their accounts");
    forget(pool, &eve);
}

/* ── decisions ─────────────────────────────────────────────────────────────────────────────── */

/* Nothing is done, and that is no error. */
static void lapses(apr_pool_t *pool, na_decision decision, const char *name)
{
    succeeds(na_db_decide(db, pool, &decision), apr_psprintf(pool, "deciding although %s", name));
    ok(!decision.held, "%s: nothing is done", name);
}

static na_error *refuse(void *data, na_db_use *use, const na_decision *decision)
{
    return data;
}

static void conditions(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool), changed = ada, other = ada;
    na_db_account account = add_account(pool, &eve), own = add_account(pool, &ada);
    apr_int64_t revision = person_of(pool, ada.id).revision, stale = revision + 1;
    apr_array_header_t *others = apr_array_make(pool, 1, sizeof(na_db_account));
    APR_ARRAY_PUSH(others, na_db_account) = account;
    const na_db_token token = add_token(pool, unique(pool, "ada"));
    const na_db_token none = {token.identifier, unique(pool, "none"), NOW};
    const na_db_session session = {unique(pool, "Session"), ada.id, LATER};
    char *capitals = apr_pstrdup(pool, eve.email);
    for (char *c = capitals; *c; c++)
        *c = apr_toupper(*c);
    other.name = "somebody else";
    changed.name = "changed";
    na_decision all = {.user_id = ada.id, .user = &changed, .session = &session, .token = &token};
    na_decision d = all;
    d.was = &other;
    lapses(pool, d, "the row differs");
    d = all;
    d.revision = &stale;
    lapses(pool, d, "the revision differs");
    d = all;
    d.email = eve.email;
    lapses(pool, d, "another user has the email address");
    d.email = strcmp(options.engine, "mysql") ? capitals : eve.email;
    lapses(pool, d, "another user has it in another case");
    d = all;
    d.owned = &account;
    lapses(pool, d, "the account is another user's");
    d = all;
    d.link = &account;
    lapses(pool, d, "the account to link is another user's");
    d.link = &own;
    lapses(pool, d, "the account to link is linked");
    d = all;
    d.unlink = others;
    lapses(pool, d, "the account to unlink is another user's");
    d = all;
    d.token = &none;
    lapses(pool, d, "the token is not there");
    d = all;
    d.user_id = "999999999";
    lapses(pool, d, "the user is not there");
    d = (na_decision){.email = ada.email, .user = &ada, .token = &token};
    lapses(pool, d, "a new user's email address is taken");
    d = all;
    d.record = refuse;
    d.data = na_error_new(pool, NA_ERR_CALLBACK, "it cannot be recorded");
    ok(na_db_decide(db, pool, &d) == d.data, "what is not recorded is an error");
    ok(!d.held, "and not done");
    user_is(pool, &ada, "the user is as before");
    is_number(has_session(pool, session.token), 0, "no session began");
    account_is(pool, &account, "the account is as before");
    d = all;
    d.was = &ada;
    d.revision = &revision;
    d.email = ada.email;
    d.owned = &own;
    succeeds(na_db_decide(db, pool, &d), "deciding when all holds");
    ok(d.held && equal(d.id, ada.id) && d.revision_now == revision, "all of it is done");
    user_is(pool, &changed, "the user is changed");
    is_number(has_session(pool, session.token), 1, "the session began");
    is_number(uses_token(pool, token.identifier, token.token), 0, "the token is used up");
    lapses(pool, all, "the token was used");
    forget(pool, &ada);
    forget(pool, &eve);
}

/* Some schemas allow a user one account alone. */
static void ended_logins(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    na_db_account first = add_account(pool, &ada), kept = add_account(pool, &eve);
    na_db_session session = add_session(pool, &ada), theirs = add_session(pool, &eve);
    succeeds(put_credential(pool, ada.id, "$2b$one", NOW), "with a password");
    apr_int64_t revision = person_of(pool, ada.id).revision;
    na_decision d = {.user_id = ada.id,
                     .does = NA_DB_ENDS_LOGINS | NA_DB_SETS_PASSWORD,
                     .hash = "$2b$two",
                     .now = LATER};
    succeeds(decide(pool, &d), "all means to sign in end, and a password is set");
    is_number(d.accounts_ended, 1, "the accounts are counted");
    is_number(d.password_ended, 1, "the password");
    is_number(d.sessions_ended, 1, "and the sessions");
    ok(d.revision_now != revision, "there is a new revision");
    is_number(person_of(pool, ada.id).revision, d.revision_now, "which is the user's");
    is_number(has_account(pool, first.provider, first.provider_account_id), 0, "the account ended");
    is_number(has_session(pool, session.token), 0, "so did the session");
    credential_is(pool, &ada, "$2b$two", 0, LATER);
    account_is(pool, &kept, "another user's account did not");
    is_number(has_session(pool, theirs.token), 1, "nor the session");
    d = (na_decision){.user_id = eve.id, .does = NA_DB_ENDS_LOGINS, .kept = &kept};
    succeeds(decide(pool, &d), "all means to sign in end but one");
    is_number(d.accounts_ended, 0, "which is not counted");
    account_is(pool, &kept, "and kept");
    is_number(has_session(pool, theirs.token), 0, "sessions end in any case");
    d = (na_decision){.user_id = ada.id, .does = NA_DB_ENDS_SESSIONS};
    session = add_session(pool, &ada);
    revision = person_of(pool, ada.id).revision;
    succeeds(decide(pool, &d), "sessions end");
    ok(d.revision_now > revision, "with the revision");
    is_number(has_session(pool, session.token), 0, "and their rows");
    forget(pool, &ada);
    forget(pool, &eve);
}

static void ended_tokens(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool);
    const na_db_token gone = add_token(pool, unique(pool, "ada"));
    const na_db_token kept = add_token(pool, unique(pool, "eve"));
    na_decision d = {.user_id = ada.id, .ended = one(pool, gone.identifier)};
    succeeds(decide(pool, &d), "an identifier's tokens end");
    is_number(uses_token(pool, gone.identifier, gone.token), 0, "they do");
    is_number(uses_token(pool, kept.identifier, kept.token), 1, "another's do not");
    forget(pool, &ada);
}

static void whole_people(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool);
    na_db_account account = add_account(pool, &ada);
    const na_db_session session = add_session(pool, &ada);
    const na_db_who ways[] = {{.id = ada.id},
                              {.email = ada.email},
                              {.provider = account.provider,
                               .account_id = account.provider_account_id}};
    succeeds(put_credential(pool, ada.id, "$2b$one", NOW), "with a password");
    succeeds(grant_role(pool, ada.id, "editor"), "a role");
    succeeds(grant_role(pool, ada.id, "admin"), "and another");
    na_decision d = {.user_id = ada.id, .does = NA_DB_ENDS_SESSIONS};
    succeeds(decide(pool, &d), "and a revision");
    for (int i = 0; i <= COUNT(ways); i++) {
        na_db_session read = {.token = unique(pool, "Again"), .user_id = ada.id, .expires = NOW};
        na_db_person person = {.roles = NULL};
        int found = 0;
        if (i == COUNT(ways))
            succeeds(create_session(pool, &read), "a session begins");
        succeeds(i < COUNT(ways)
                     ? na_db_find(db, pool, &ways[i], &person, &found)
                     : na_db_find_session(db, pool, read.token, 0, &read, &person, &found),
                 "a user is found");
        if (!ok(found && same_user(&person.user, &ada), "as it is"))
            continue;
        is(apr_array_pstrcat(pool, person.roles, ','), "admin,editor", "with both roles");
        is(person.credential.hash, "$2b$one", "the password");
        is_number(person.revision, d.revision_now, "and the revision");
    }
    is_number(has_session(pool, session.token), 0, "the first session ended");
    forget(pool, &ada);
}

static void records_of_user(apr_pool_t *pool)
{
    const char *id = unique(pool, "recorded");
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(na_db_record));
    for (int i = 0; i < 3; i++) {
        const na_db_record record = {.id = na_random_uuid(pool),
                                     .occurred_at = NOW + i,
                                     .event = apr_itoa(pool, i),
                                     .outcome = "success",
                                     .user_id = id,
                                     .detail = "it's \"quoted\""};
        int found;
        succeeds(na_db_add_record(db, pool, NULL, 0, &record, &found), "a record of a user");
    }
    succeeds(na_db_list_records(db, pool, id, 2, list), "records are listed");
    if (!is_number(list->nelts, 2, "as many as were asked for"))
        return;
    const na_db_record *first = &APR_ARRAY_IDX(list, 0, na_db_record);
    is(first->event, "2", "the newest first");
    ok(first->occurred_at == NOW + 2 && equal(first->detail, "it's \"quoted\"") && !first->email,
       "as they were written");
    is(APR_ARRAY_IDX(list, 1, na_db_record).event, "1", "then the one before");
    apr_array_clear(list);
    succeeds(na_db_list_records(db, pool, unique(pool, "other"), 2, list), "another user's");
    is_number(list->nelts, 0, "are others");
}

static void records(apr_pool_t *pool)
{
    const na_db_record record = {.id = na_random_uuid(pool),
                                 .occurred_at = NOW,
                                 .event = "test",
                                 .outcome = "success",
                                 .detail = "it's \"quoted\""};
    int found = 0;
    succeeds(na_db_add_record(db, pool, NULL, 0, &record, &found), "a record is written");
    is_number(found, 1, "where the database has an audit log");
    fails(na_db_add_record(db, pool, NULL, 0, &record, &found), "none is written twice");
    health = (na_breaker_state){0};
    records_of_user(pool);
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
    succeeds(create_user(pool, &user), "a user with it is made");
    user_is(pool, &user, "and read as it is");
    succeeds(get_user_by_email(pool, text, &read, &found), "it is an e-mail");
    ok(found && same_user(&read, &user), "which is found");
    user.name = user.image = text;
    succeeds(update_user(pool, &user), "the user is changed");
    user_is(pool, &user, "and read as it is");
    succeeds(grant_role(pool, user.id, text), "it is a role");
    is(roles_of(pool, user.id), text, "and read as such");
    succeeds(put_credential(pool, user.id, text, NOW), "it is a password");
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
    succeeds(link_account(pool, &account), "an account of it is linked");
    account_is(pool, &account, "and read as it is");
    succeeds(get_user_by_account(pool, text, text, &read, &found), "its user");
    ok(found && same_user(&read, &user), "is found");
    succeeds(create_session(pool, &session), "it is a session's token");
    succeeds(get_session_and_user(pool, text, &read_session, &read, &found), "which");
    ok(found && same_user(&read, &user), "is found");
    forget(pool, &user);
}

static void text_of_token(apr_pool_t *pool, const char *text)
{
    na_db_token token = {text, text, NOW};
    succeeds(na_db_add_token(db, pool, &token), "it is a verification token");
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
    add(pool, &made, "an authenticator of it is made");
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
    return strcmp(options.engine, "sqlite") == 0 || strcmp(options.engine, "mongodb") == 0 ||
           (strcmp(options.engine, "postgresql") == 0 && strncmp(options.schema, "authjs", 6) != 0);
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
        succeeds(update_session(pool, like[i], like[i], LATER), "for changes");
        succeeds(na_db_delete_session(db, pool, like[i]), "and when it is deleted");
    }
    succeeds(get_session_and_user(pool, session.token, &read, &user, &found), "so it");
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
        succeeds(get_user_by_account(pool, account.provider, like[i], &user, &found),
                 "their users, too");
        is_number(found, 0, "so there is none");
        succeeds(unlink_account(pool, account.provider, like[i]), "nothing is deleted");
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
    int ignores_case =
        strcmp(options.engine, "mysql") != 0 || strcmp(options.schema, "authjs") != 0;
    look_alikes(pool, ada.email, like);
    for (int i = ignores_case ? 2 : 0; i < LIKE; i++) {
        int found = -1;
        if (strcmp(like[i], ada.email) == 0)
            continue;
        succeeds(get_user_by_email(pool, like[i], &user, &found), "an e-mail alike");
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
        succeeds(na_db_find_authenticator(db, pool, like[i], &read, &found), "a credential alike");
        is_number(found, 0, "is another");
        succeeds(na_db_update_counter(db, pool, like[i], 99), "with a counter of its own");
    }
    authenticator_is(pool, &made, "the authenticator is as it was");
    forget(pool, &ada);
}

/* ── authenticators and secrets of a decision ──────────────────────────────────────────────── */

static const apr_array_header_t *secret_list(apr_pool_t *pool, const na_db_secret *secret)
{
    apr_array_header_t *secrets = apr_array_make(pool, 1, sizeof(na_db_secret));
    APR_ARRAY_PUSH(secrets, na_db_secret) = *secret;
    return secrets;
}

static int knows_authenticator(apr_pool_t *pool, const char *credential_id)
{
    na_db_authenticator read;
    int found = -1;
    succeeds(na_db_find_authenticator(db, pool, credential_id, &read, &found), "one is asked for");
    return found;
}

static void decided_authenticators(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    na_db_authenticator made = {.credential_id = unique(pool, "Decided"),
                                .user_id = ada.id,
                                .provider_account_id = unique(pool, "Account"),
                                .public_key = "pQECAyYgASFYIA==",
                                .device_type = "multiDevice"};
    na_db_secret named = {.id = unique(pool, "passkey"), .kind = NA_SECRET_PASSKEY, .name = "Key"};
    na_db_account account = add_account(pool, &ada);
    na_decision adds = {.user_id = ada.id,
                        .authenticator = &made,
                        .secrets = secret_list(pool, &named),
                        .owned = &account};
    succeeds(decide(pool, &adds), "a decision adds an authenticator and its name");
    authenticator_is(pool, &made, "which is the user's");
    na_decision theirs = {.user_id = eve.id, .dropped = made.credential_id};
    succeeds(decide(pool, &theirs), "another user drops it");
    authenticator_is(pool, &made, "and it is still there");
    na_decision drops = {.user_id = ada.id,
                         .dropped = made.credential_id,
                         .removed = secret_list(pool, &named)};
    succeeds(decide(pool, &drops), "its user drops it");
    is_number(knows_authenticator(pool, made.credential_id), 0, "and it is gone");
    succeeds(decide(pool, &adds), "it is added again");
    na_decision ends = {.user_id = ada.id, .does = NA_DB_ENDS_LOGINS};
    succeeds(decide(pool, &ends), "all means to sign in end");
    is_number(knows_authenticator(pool, made.credential_id), 0, "it is one of them");
    forget(pool, &ada);
    forget(pool, &eve);
}

/* ── secrets ───────────────────────────────────────────────────────────────────────────────── */

static na_db_secret add_secret(apr_pool_t *pool, const na_db_user *user, const char *kind,
                               apr_int64_t created_at, apr_int64_t expires_at)
{
    na_db_secret secret = {.id = unique(pool, "Secret"),
                           .user_id = user->id,
                           .kind = kind,
                           .name = "Ada\xe2\x80\x99s phone",
                           .sealed = "sealed",
                           .scope = "GET /svn/",
                           .counter = 7,
                           .created_at = created_at,
                           .expires_at = expires_at};
    na_decision d = {.user_id = user->id, .secrets = secret_list(pool, &secret)};
    succeeds(decide(pool, &d), "a secret is added");
    return secret;
}

static int same_secret(const na_db_secret *a, const na_db_secret *b)
{
    return equal(a->id, b->id) && equal(a->user_id, b->user_id) && equal(a->kind, b->kind) &&
           equal(a->name, b->name) && equal(a->sealed, b->sealed) && equal(a->scope, b->scope) &&
           a->counter == b->counter && a->created_at == b->created_at && a->used_at == b->used_at &&
           a->expires_at == b->expires_at;
}

static int secret_is(apr_pool_t *pool, const na_db_secret *expected, const char *name)
{
    na_db_secret read = {0};
    int found = 0;
    succeeds(na_db_find_secret(db, pool, expected->kind, expected->id, &read, &found),
             "a secret is asked for");
    return ok(found && same_secret(&read, expected), "%s", name);
}

static int has_secret(apr_pool_t *pool, const char *kind, const char *id)
{
    na_db_secret read;
    int found = -1;
    succeeds(na_db_find_secret(db, pool, kind, id, &read, &found), "a secret is asked for");
    return found;
}

/* The IDs of a user's secrets, in their order. */
static const char *secrets_of(apr_pool_t *pool, const char *user_id, const char *kind)
{
    apr_array_header_t *secrets = apr_array_make(pool, 4, sizeof(na_db_secret));
    const char *ids = "";
    succeeds(na_db_list_secrets(db, pool, user_id, kind, secrets), "secrets are listed");
    for (int i = 0; i < secrets->nelts; i++)
        ids = apr_pstrcat(pool, ids, APR_ARRAY_IDX(secrets, i, na_db_secret).id, " ", NULL);
    return ids;
}

static void secrets(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    na_db_secret first = add_secret(pool, &ada, NA_SECRET_TOTP, NOW, 0);
    na_db_secret second = add_secret(pool, &ada, NA_SECRET_TOKEN, NOW + 1, LATER);
    na_db_secret other = add_secret(pool, &eve, NA_SECRET_TOKEN, NOW, LATER);
    na_db_secret bare = {.id = unique(pool, "Bare"), .user_id = ada.id, .kind = NA_SECRET_RECOVERY};
    na_decision adds = {.user_id = ada.id, .secrets = secret_list(pool, &bare)};
    secret_is(pool, &first, "has all that was written");
    secret_is(pool, &second, "with its end");
    succeeds(decide(pool, &adds), "one with what is required only");
    secret_is(pool, &bare, "is as it was added");
    is_number(has_secret(pool, NA_SECRET_TOKEN, first.id), 0, "one of another kind is not found");
    is_number(has_secret(pool, NA_SECRET_TOTP, "unknown"), 0, "nor an unknown one");
    is(secrets_of(pool, ada.id, NULL),
       apr_pstrcat(pool, second.id, " ", first.id, " ", bare.id, " ", NULL), "the newest is first");
    is(secrets_of(pool, ada.id, NA_SECRET_TOKEN), apr_pstrcat(pool, second.id, " ", NULL),
       "a list of one kind");
    is(secrets_of(pool, "999999999", NULL), "", "nobody has none");
    is(secrets_of(pool, "no id", NULL), "", "whatever the ID is");
    succeeds(na_db_use_secret(db, pool, NA_SECRET_TOKEN, second.id, NOW + 5), "one is used");
    second.used_at = NOW + 5;
    secret_is(pool, &second, "its time is written, and nothing else");
    succeeds(na_db_use_secret(db, pool, NA_SECRET_TOKEN, "unknown", NOW), "an unknown one is used");
    succeeds(na_db_purge(db, pool, LATER), "before they have ended");
    is_number(has_secret(pool, NA_SECRET_TOKEN, second.id), 1, "nothing is deleted");
    succeeds(na_db_purge(db, pool, LATER + 1), "then");
    is_number(has_secret(pool, NA_SECRET_TOKEN, second.id), 0, "what ended is deleted");
    is_number(has_secret(pool, NA_SECRET_TOKEN, other.id), 0, "whoever had it");
    secret_is(pool, &first, "what never ends is not");
    forget(pool, &ada);
    is_number(has_secret(pool, NA_SECRET_TOTP, first.id), 0, "a user's are deleted with the user");
    forget(pool, &eve);
}

static void wrong_secrets(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool);
    char *text = apr_palloc(pool, NA_SECRET_SEALED_MAX + 2);
    memset(text, 'x', NA_SECRET_SEALED_MAX + 1);
    text[NA_SECRET_SEALED_MAX + 1] = '\0';
    const na_db_secret wrong[] = {{.id = "a"},
                                  {.kind = NA_SECRET_TOTP},
                                  {.kind = NA_SECRET_TOTP, .id = ""},
                                  {.kind = NA_SECRET_TOTP,
                                   .id = apr_pstrmemdup(pool, text, NA_SECRET_ID_MAX + 1)},
                                  {.kind = NA_SECRET_TOTP,
                                   .id = "a",
                                   .name = apr_pstrmemdup(pool, text, NA_SECRET_NAME_MAX + 1)},
                                  {.kind = NA_SECRET_TOTP,
                                   .id = "a",
                                   .scope = apr_pstrmemdup(pool, text, NA_SECRET_SCOPE_MAX + 1)},
                                  {.kind = NA_SECRET_TOTP, .id = "a", .sealed = text}};
    for (int i = 0; i < COUNT(wrong); i++) {
        na_decision d = {.user_id = ada.id, .secrets = secret_list(pool, &wrong[i])};
        fails(decide(pool, &d), "a secret that is incomplete or too long");
        is(secrets_of(pool, ada.id, NULL), "", "is not added");
    }
    na_db_secret largest = {.id = apr_pstrmemdup(pool, text, NA_SECRET_ID_MAX),
                            .kind = NA_SECRET_TOTP,
                            .user_id = ada.id,
                            .name = apr_pstrmemdup(pool, text, NA_SECRET_NAME_MAX),
                            .scope = apr_pstrmemdup(pool, text, NA_SECRET_SCOPE_MAX),
                            .sealed = text + 1};
    na_decision d = {.user_id = ada.id, .secrets = secret_list(pool, &largest)};
    succeeds(decide(pool, &d), "the longest");
    secret_is(pool, &largest, "is added");
    forget(pool, &ada);
}

static void spent_secrets(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    na_db_secret secret = add_secret(pool, &ada, NA_SECRET_TOTP, NOW, LATER), spent = secret;
    na_decision d = {.user_id = ada.id, .spent = &spent};
    spent.used_at = NOW;
    lapses(pool, d, "its counter is this one already");
    spent.counter = 6;
    lapses(pool, d, "its counter is greater");
    spent.counter = 8;
    spent.used_at = LATER;
    lapses(pool, d, "it has expired");
    spent.used_at = NOW + 1;
    spent.kind = NA_SECRET_RECOVERY;
    lapses(pool, d, "it is of another kind");
    spent.kind = NA_SECRET_TOTP;
    spent.user_id = eve.id;
    lapses(pool, d, "it is another user's");
    d.user_id = eve.id;
    lapses(pool, d, "it is not that user's");
    d.user_id = spent.user_id = ada.id;
    secret_is(pool, &secret, "it is as it was");
    const na_db_token none = {"nobody", "none", NOW};
    d.token = &none;
    lapses(pool, d, "something else does not hold");
    secret_is(pool, &secret, "it is not spent");
    d.token = NULL;
    succeeds(decide(pool, &d), "it is spent");
    secret.counter = 8;
    secret.used_at = NOW + 1;
    secret_is(pool, &secret, "counter and time are written");
    lapses(pool, d, "it was spent");
    forget(pool, &ada);
    forget(pool, &eve);
}

static void removed_secrets(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), eve = new_user(pool);
    na_db_secret first = add_secret(pool, &ada, NA_SECRET_TOKEN, NOW, 0);
    na_db_secret second = add_secret(pool, &ada, NA_SECRET_TOKEN, NOW, 0);
    na_db_secret third = add_secret(pool, &ada, NA_SECRET_TOTP, NOW, 0);
    na_db_secret browser = add_secret(pool, &ada, NA_SECRET_BROWSER, NOW, 0);
    na_db_secret theirs = add_secret(pool, &eve, NA_SECRET_TOKEN, NOW, 0);
    const na_db_secret all = {.kind = NA_SECRET_TOKEN};
    na_decision d = {.user_id = ada.id, .removed = secret_list(pool, &theirs)};
    succeeds(decide(pool, &d), "removing another user's");
    secret_is(pool, &theirs, "does nothing");
    d.removed = secret_list(pool, &first);
    succeeds(decide(pool, &d), "one is removed");
    is_number(has_secret(pool, NA_SECRET_TOKEN, first.id), 0, "it is gone");
    secret_is(pool, &second, "others are not");
    d.removed = secret_list(pool, &all);
    d.secrets = secret_list(pool, &first);
    succeeds(decide(pool, &d), "all of a kind are replaced");
    is(secrets_of(pool, ada.id, NA_SECRET_TOKEN), apr_pstrcat(pool, first.id, " ", NULL),
       "by one that is added");
    secret_is(pool, &third, "other kinds are kept");
    secret_is(pool, &theirs, "and other users'");
    succeeds(put_credential(pool, ada.id, "$2b$new", NOW), "a password is set");
    is_number(has_secret(pool, NA_SECRET_BROWSER, browser.id), 0, "browsers are forgotten");
    secret_is(pool, &third, "second factors are not");
    d = (na_decision){.user_id = ada.id, .does = NA_DB_ENDS_LOGINS};
    succeeds(decide(pool, &d), "all means to sign in end");
    is(secrets_of(pool, ada.id, NULL), "", "with all secrets");
    secret_is(pool, &theirs, "but not another user's");
    forget(pool, &ada);
    forget(pool, &eve);
}

/* ── threads ───────────────────────────────────────────────────────────────────────────────── */

static na_error *use_it(apr_pool_t *pool, void *data, int *result)
{
    const na_db_token *token = data;
    na_db_token used;
    return na_db_use_token(db, pool, token->identifier, token->token, &used, result);
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

static na_error *spend_it(apr_pool_t *pool, void *data, int *result)
{
    const na_db_secret *secret = data;
    na_decision d = {.user_id = secret->user_id, .spent = secret};
    NA_TRY(na_db_decide(db, pool, &d));
    *result = d.held;
    return NULL;
}

static void one_secret_for_many(apr_pool_t *pool)
{
    worker workers[THREADS];
    na_db_user ada = new_user(pool);
    na_db_secret secret = add_secret(pool, &ada, NA_SECRET_TOTP, NOW, 0);
    secret.used_at = NOW;
    for (int round = 0; round < ROUNDS; round++) {
        int held = 0;
        secret.counter++;
        together(pool, workers, spend_it, &secret);
        for (int i = 0; i < THREADS; i++) {
            succeeds(workers[i].error, "a thread spends the secret");
            held += workers[i].result;
        }
        is_number(held, 1, "of all that spend it at once, one does");
        dismiss(workers);
    }
    secret_is(pool, &secret, "its counter is the last one");
    forget(pool, &ada);
}

static na_error *add_one(void *data, int *held)
{
    const worker *self = data;
    const na_db_who who = {.id = self->data, .current = 1};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(db, self->pool, &who, &person, &found));
    na_decision decision = na_db_decision_about(&person);
    na_db_user user = person.user;
    user.name = apr_itoa(self->pool, atoi(user.name) + 1);
    decision.user = &user;
    NA_TRY(na_db_decide(db, self->pool, &decision));
    *held = decision.held;
    return NULL;
}

/* Others can be faster as often as it is tried, or as long as it waits. */
static na_error *count(apr_pool_t *pool, void *data, int *result)
{
    worker self = {.pool = pool, .data = data};
    for (int done = 0; done < ROUNDS;) {
        na_error *error = na_db_settle(pool, add_one, &self);
        if (error && !na_error_is(error, NA_ERR_CONFLICT) && !na_error_is(error, NA_ERR_BUSY))
            return error;
        done += !error;
    }
    return NULL;
}

static void counts(apr_pool_t *pool)
{
    worker workers[THREADS];
    na_db_user counter = new_user(pool);
    counter.name = "0";
    succeeds(update_user(pool, &counter), "a counter is made");
    together(pool, workers, count, (void *)counter.id);
    for (int i = 0; i < THREADS; i++)
        succeeds(workers[i].error, "a thread counts what it has read");
    counter.name = apr_itoa(pool, THREADS * ROUNDS);
    user_is(pool, &counter, "none of them loses a count");
    dismiss(workers);
    forget(pool, &counter);
}

static na_error *take_address(apr_pool_t *pool, void *data, int *result)
{
    const na_db_user user = {.name = "Ada", .email = data};
    na_decision decision = {.email = data, .user = &user};
    NA_TRY(na_db_decide(db, pool, &decision));
    *result = decision.held;
    return NULL;
}

static void one_address_for_many(apr_pool_t *pool)
{
    worker workers[THREADS];
    for (int round = 0; round < ROUNDS; round++) {
        const char *email = apr_pstrcat(pool, unique(pool, "raced"), "@example.org", NULL);
        na_db_user user = {0};
        int made = 0, found;
        together(pool, workers, take_address, (void *)email);
        for (int i = 0; i < THREADS; i++) {
            succeeds(workers[i].error, "a thread decides about an email address");
            made += workers[i].result;
        }
        is_number(made, 1, "of all that want it at once, one gets it");
        dismiss(workers);
        succeeds(get_user_by_email(pool, email, &user, &found), "its user");
        forget(pool, &user);
    }
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

static na_error *do_create_user(apr_pool_t *pool, question *q)
{
    q->found = 1;
    return answer_user(q, create_user(pool, &q->user));
}

static na_error *do_get_user(apr_pool_t *pool, question *q)
{
    return answer_user(q, get_user(pool, q->user.id, &q->user, &q->found));
}

static na_error *do_get_user_by_email(apr_pool_t *pool, question *q)
{
    return answer_user(q, get_user_by_email(pool, q->user.email, &q->user, &q->found));
}

static na_error *do_get_user_by_account(apr_pool_t *pool, question *q)
{
    return answer_user(q, get_user_by_account(pool, q->account.provider,
                                              q->account.provider_account_id, &q->user, &q->found));
}

static na_error *do_update_user(apr_pool_t *pool, question *q)
{
    return update_user(pool, &q->user);
}

static na_error *do_delete_user(apr_pool_t *pool, question *q)
{
    return delete_user(pool, q->user.id);
}

static na_error *do_link_account(apr_pool_t *pool, question *q)
{
    return link_account(pool, &q->account);
}

static na_error *do_unlink_account(apr_pool_t *pool, question *q)
{
    return unlink_account(pool, q->account.provider, q->account.provider_account_id);
}

static na_error *do_get_account(apr_pool_t *pool, question *q)
{
    NA_TRY(na_db_find_account(db, pool, q->account.provider, q->account.provider_account_id,
                              &q->account, &q->found));
    q->answer = if_found(q, account_fields, &q->account);
    return NULL;
}

static na_error *do_create_session(apr_pool_t *pool, question *q)
{
    return create_session(pool, &q->session);
}

static na_error *do_get_session(apr_pool_t *pool, question *q)
{
    NA_TRY(get_session_and_user(pool, q->session.token, &q->session, &q->user, &q->found));
    q->answer = q->found ? json_pack("{s:o, s:o}", "session", to_json(session_fields, &q->session),
                                     "user", to_json(user_fields, &q->user))
                         : json_null();
    return NULL;
}

static na_error *do_update_session(apr_pool_t *pool, question *q)
{
    return update_session(pool, q->session.token, q->session.token, q->session.expires);
}

static na_error *do_delete_session(apr_pool_t *pool, question *q)
{
    return na_db_delete_session(db, pool, q->session.token);
}

static na_error *do_create_token(apr_pool_t *pool, question *q)
{
    return na_db_add_token(db, pool, &q->token);
}

static na_error *do_use_token(apr_pool_t *pool, question *q)
{
    NA_TRY(na_db_use_token(db, pool, q->token.identifier, q->token.token, &q->token, &q->found));
    q->answer = if_found(q, token_fields, &q->token);
    return NULL;
}

static const struct {
    const char *name;
    na_error *(*run)(apr_pool_t *pool, question *q);
} operations[] = {
    {"createUser", do_create_user},           {"getUser", do_get_user},
    {"getUserByEmail", do_get_user_by_email}, {"getUserByAccount", do_get_user_by_account},
    {"updateUser", do_update_user},           {"deleteUser", do_delete_user},
    {"linkAccount", do_link_account},         {"unlinkAccount", do_unlink_account},
    {"getAccount", do_get_account},           {"createSession", do_create_session},
    {"getSessionAndUser", do_get_session},    {"updateSession", do_update_session},
    {"deleteSession", do_delete_session},     {"createVerificationToken", do_create_token},
    {"useVerificationToken", do_use_token}};

/* As many connections as there may be, all of them prepared for something: SQL alone has them. */
static na_error *open_all(apr_pool_t *pool)
{
    na_db_use *uses[64];
    na_error *error = NULL;
    na_db_user user;
    int found, opened = 0;
    for (; !error && opened < options.max_connections; opened += !error)
        error = na_sql_read(db->self, pool, &uses[opened]);
    for (int i = 0; i < opened; i++)
        error = na_sql_end(uses[i], error ? error : na_sql_get_user(uses[i], "1", &user, &found));
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
            return operations[i].run(pool, q);
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
    whole_people(pool);
    conditions(pool);
    ended_logins(pool);
    ended_tokens(pool);
    records(pool);
    any_text(pool, with_authenticators);
    exact_sessions(pool);
    exact_tokens(pool);
    exact_accounts(pool);
    exact_emails(pool);
    if (with_authenticators) {
        authenticators(pool);
        exact_authenticators(pool);
        decided_authenticators(pool);
    }
    secrets(pool);
    wrong_secrets(pool);
    spent_secrets(pool);
    removed_secrets(pool);
    one_secret_for_many(pool);
    one_token_for_many(pool);
    one_address_for_many(pool);
    counts(pool);
    return tap_done();
}
