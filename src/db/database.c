/* SPDX-License-Identifier: Apache-2.0 */
/* A database of users, whatever its kind: opening it, and the operations of its adapter. */
#include "db/database.h"

#include <string.h>

#include <apr_time.h>

/* ── configuration ─────────────────────────────────────────────────────────────────────────── */

na_error *na_db_options_parse(apr_pool_t *pool, const na_adapter *adapter, const char *url,
                              const char *root, na_db_options *options)
{
    *options = (na_db_options){.adapter = adapter};
    NA_TRY(adapter->parse(pool, url, root, options));
    return adapter->set_schema(pool, NULL, options);
}

na_error *na_db_options_set_schema(apr_pool_t *pool, const char *name, na_db_options *options)
{
    return options->adapter->set_schema(pool, name, options);
}

static na_error *check_replicas(apr_pool_t *pool, const na_db_options *options)
{
    return !options->replicas || options->adapter->set_replicas
               ? NULL
               : na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                 "replica= is not supported by this kind of "
                                                 "database"),
                                    "name all servers in the URL, and remove replica=");
}

na_error *na_db_options_check(apr_pool_t *pool, const na_db_options *options)
{
    NA_TRY(check_replicas(pool, options));
    return options->adapter->check(pool, options);
}

int na_db_is_same(const na_db_options *a, const na_db_options *b)
{
    return a->adapter == b->adapter && strcmp(a->engine, b->engine) == 0 &&
           strcmp(a->schema, b->schema) == 0 && strcmp(a->identity, b->identity) == 0;
}

/* ── opening ───────────────────────────────────────────────────────────────────────────────── */

na_error *na_db_open(apr_pool_t *pool, const na_db_options *options, const na_breaker *breaker,
                     na_db **opened)
{
    na_db *db = apr_pcalloc(pool, sizeof *db);
    db->adapter = options->adapter;
    db->options = options;
    *opened = db;
    return db->adapter->open(pool, options, breaker, &db->self);
}

void na_db_set_replicas(na_db *db, apr_pool_t *pool, na_db *const *replicas, int count)
{
    void **all = apr_palloc(pool, (apr_size_t)(count + 1) * sizeof *all);
    for (int i = 0; i < count; i++)
        all[i] = replicas[i]->self;
    db->replicas = replicas;
    db->replica_count = count;
    if (count)
        db->adapter->set_replicas(db->self, all, count);
}

na_error *na_db_ping(const na_db *db, apr_pool_t *pool, int *behind)
{
    *behind = 0;
    return db->adapter->ping(db->self, pool, behind);
}

na_error *na_db_check_tables(const na_db *db, apr_pool_t *pool)
{
    return db->adapter->check_tables(db->self, pool);
}

/* ── users ─────────────────────────────────────────────────────────────────────────────────── */

/* Attempts of a decision that others overtake, and the pause after the first of them. */
#define TRIES_MAX 5
#define PAUSE apr_time_from_msec(5)

/* A database is not trusted blindly: a user without an ID could be any user. */
static na_error *check_person(const na_db *db, apr_pool_t *pool, const na_db_person *person,
                              int found)
{
    return !found || (person->user.id && *person->user.id)
               ? NULL
               : na_error_new(pool, NA_ERR_UNAVAILABLE, "%s: a user has no ID", db->options->name);
}

na_error *na_db_find(const na_db *db, apr_pool_t *pool, const na_db_who *who, na_db_person *person,
                     int *found)
{
    *found = 0;
    NA_TRY(db->adapter->find(db->self, pool, who, person, found));
    return check_person(db, pool, person, *found);
}

na_error *na_db_list(const na_db *db, apr_pool_t *pool, const char *last, int count,
                     apr_array_header_t *people)
{
    return db->adapter->list(db->self, pool, last, count, people);
}

na_error *na_db_list_accounts(const na_db *db, apr_pool_t *pool, const char *user_id,
                              apr_array_header_t *accounts)
{
    return db->adapter->list_accounts(db->self, pool, user_id, accounts);
}

na_error *na_db_find_account(const na_db *db, apr_pool_t *pool, const char *provider,
                             const char *account_id, na_db_account *account, int *found)
{
    *found = 0;
    return db->adapter->find_account(db->self, pool, provider, account_id, account, found);
}

na_error *na_db_replace_tokens(const na_db *db, apr_pool_t *pool, const na_db_account *was,
                               const na_db_account *is)
{
    return db->adapter->replace_tokens(db->self, pool, was, is);
}

na_error *na_db_replace_hash(const na_db *db, apr_pool_t *pool, const char *user_id,
                             const char *was, const char *hash)
{
    return db->adapter->replace_hash(db->self, pool, user_id, was, hash);
}

static int fits(const char *text, size_t max)
{
    return !text || strlen(text) <= max;
}

static int is_secret(const na_db_secret *secret)
{
    return secret->id && *secret->id && fits(secret->id, NA_SECRET_ID_MAX) && secret->kind &&
           fits(secret->name, NA_SECRET_NAME_MAX) && fits(secret->sealed, NA_SECRET_SEALED_MAX) &&
           fits(secret->scope, NA_SECRET_SCOPE_MAX);
}

static int are_secrets(const apr_array_header_t *secrets)
{
    for (int i = 0; secrets && i < secrets->nelts; i++)
        if (!is_secret(&APR_ARRAY_IDX(secrets, i, const na_db_secret)))
            return 0;
    return 1;
}

na_error *na_db_decide(const na_db *db, apr_pool_t *pool, na_decision *decision)
{
    decision->held = 0;
    if (!decision->user_id && !decision->user)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "invalid user ID");
    if (!are_secrets(decision->secrets))
        return na_error_new(pool, NA_ERR_CONFIGURATION, "a secret is incomplete or too long");
    return db->adapter->decide(db->self, pool, decision);
}

na_error *na_db_settle(apr_pool_t *pool, na_db_attempt *attempt, void *data)
{
    for (int tries = 1; tries <= TRIES_MAX; tries++) {
        int held = 0;
        NA_TRY(attempt(data, &held));
        if (held)
            return NULL;
        apr_sleep(tries * PAUSE);
    }
    return na_error_new(pool, NA_ERR_CONFLICT, "others changed the same user again and again");
}

na_decision na_db_decision_about(const na_db_person *person)
{
    return (na_decision){.user_id = person->user.id,
                         .was = &person->user,
                         .revision = &person->revision};
}

/* ── the audit log ─────────────────────────────────────────────────────────────────────────── */

na_error *na_db_add_record(const na_db *db, apr_pool_t *pool, na_db_use *use, int if_can,
                           const na_db_record *record, int *found)
{
    return db->adapter->add_record(db->self, pool, use, if_can, record, found);
}

na_error *na_db_list_records(const na_db *db, apr_pool_t *pool, const char *user_id, int count,
                             apr_array_header_t *records)
{
    return db->adapter->list_records(db->self, pool, user_id, count, records);
}

/* ── verification tokens ───────────────────────────────────────────────────────────────────── */

na_error *na_db_add_token(const na_db *db, apr_pool_t *pool, const na_db_token *token)
{
    return db->adapter->add_token(db->self, pool, token, NA_DB_TOKENS_MAX);
}

na_error *na_db_find_token(const na_db *db, apr_pool_t *pool, const char *identifier,
                           const char *hash, na_db_token *token, int *found)
{
    *found = 0;
    return db->adapter->find_token(db->self, pool, identifier, hash, token, found);
}

na_error *na_db_use_token(const na_db *db, apr_pool_t *pool, const char *identifier,
                          const char *hash, na_db_token *token, int *found)
{
    *found = 0;
    return db->adapter->use_token(db->self, pool, identifier, hash, token, found);
}

/* ── NextAuth's table of sessions ──────────────────────────────────────────────────────────── */

na_error *na_db_find_session(const na_db *db, apr_pool_t *pool, const char *token, int role_column,
                             na_db_session *session, na_db_person *person, int *found)
{
    *found = 0;
    NA_TRY(db->adapter->find_session(db->self, pool, token, role_column, session, person, found));
    return check_person(db, pool, person, *found);
}

na_error *na_db_list_sessions(const na_db *db, apr_pool_t *pool, const char *user_id,
                              apr_array_header_t *sessions)
{
    return db->adapter->list_sessions(db->self, pool, user_id, sessions);
}

na_error *na_db_update_session(const na_db *db, apr_pool_t *pool, const char *token,
                               const char *new_token, apr_int64_t expires, int *found)
{
    *found = 0;
    return db->adapter->update_session(db->self, pool, token, new_token, expires, found);
}

na_error *na_db_delete_session(const na_db *db, apr_pool_t *pool, const char *token)
{
    return db->adapter->delete_session(db->self, pool, token);
}

/* ── authenticators ────────────────────────────────────────────────────────────────────────── */

na_error *na_db_find_authenticator(const na_db *db, apr_pool_t *pool, const char *credential_id,
                                   na_db_authenticator *authenticator, int *found)
{
    *found = 0;
    return db->adapter->find_authenticator(db->self, pool, credential_id, authenticator, found);
}

na_error *na_db_list_authenticators(const na_db *db, apr_pool_t *pool, const char *user_id,
                                    apr_array_header_t *list)
{
    return db->adapter->list_authenticators(db->self, pool, user_id, list);
}

na_error *na_db_update_counter(const na_db *db, apr_pool_t *pool, const char *credential_id,
                               apr_int64_t counter)
{
    return db->adapter->update_counter(db->self, pool, credential_id, counter);
}

/* ── secrets ───────────────────────────────────────────────────────────────────────────────── */

na_error *na_db_find_secret(const na_db *db, apr_pool_t *pool, const char *kind, const char *id,
                            na_db_secret *secret, int *found)
{
    *found = 0;
    return db->adapter->find_secret(db->self, pool, kind, id, secret, found);
}

na_error *na_db_list_secrets(const na_db *db, apr_pool_t *pool, const char *user_id,
                             const char *kind, apr_array_header_t *secrets)
{
    return db->adapter->list_secrets(db->self, pool, user_id, kind, secrets);
}

na_error *na_db_use_secret(const na_db *db, apr_pool_t *pool, const char *kind, const char *id,
                           apr_int64_t used_at)
{
    return db->adapter->use_secret(db->self, pool, kind, id, used_at);
}

/* ── what expires ──────────────────────────────────────────────────────────────────────────── */

void na_db_make_store(const na_db *db, na_store *store)
{
    store->driver = db->adapter->store;
    store->self = db->self;
}

na_error *na_db_purge(const na_db *db, apr_pool_t *pool, apr_int64_t now)
{
    return db->adapter->purge(db->self, pool, now);
}
