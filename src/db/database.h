/* SPDX-License-Identifier: Apache-2.0 */
/* A database of users, whatever its kind: opening it, and the operations of its adapter. */
#ifndef NA_DB_DATABASE_H
#define NA_DB_DATABASE_H

#include "db/adapter.h"

/*
 * A database that a process has opened, after the fork. Safe for threads; closed with its pool. The
 * operations are those of adapter.h, of the same name, which says what each does; what is common to
 * all kinds of databases is done here.
 */
typedef struct na_db na_db;

struct na_db {
    const na_adapter *adapter;
    void *self;
    const na_db_options *options;
    na_db *const *replicas;
    int replica_count;
};

/* ── configuration ─────────────────────────────────────────────────────────────────────────── */

/*
 * Returns the database's options, with the defaults of its adapter, and the schema of this name
 * (NULL for the default). Messages never show the URL.
 */
na_error *na_db_options_parse(apr_pool_t *pool, const na_adapter *adapter, const char *url,
                              const char *root, na_db_options *options);
na_error *na_db_options_set_schema(apr_pool_t *pool, const char *name, na_db_options *options);
na_error *na_db_options_check(apr_pool_t *pool, const na_db_options *options);

/* Returns 1 if both name the same tables of the same database. */
int na_db_is_same(const na_db_options *a, const na_db_options *b);

/* ── opening ───────────────────────────────────────────────────────────────────────────────── */

na_error *na_db_open(apr_pool_t *pool, const na_db_options *options, const na_breaker *breaker,
                     na_db **opened);

/* The array must live as long as the database, and the pool. */
void na_db_set_replicas(na_db *db, apr_pool_t *pool, na_db *const *replicas, int count);

na_error *na_db_ping(const na_db *db, apr_pool_t *pool, int *behind);
na_error *na_db_check_tables(const na_db *db, apr_pool_t *pool);

/* Returns 1 if tokens are encrypted, and session IDs written as hashes. */
static inline int na_db_protects(const na_db *db)
{
    return db->options->protects;
}

/* ── users ─────────────────────────────────────────────────────────────────────────────────── */

na_error *na_db_find(const na_db *db, apr_pool_t *pool, const na_db_who *who, na_db_person *person,
                     int *found);
na_error *na_db_list(const na_db *db, apr_pool_t *pool, const char *last, int count,
                     apr_array_header_t *people);
na_error *na_db_list_accounts(const na_db *db, apr_pool_t *pool, const char *user_id,
                              apr_array_header_t *accounts);
na_error *na_db_find_account(const na_db *db, apr_pool_t *pool, const char *provider,
                             const char *account_id, na_db_account *account, int *found);
na_error *na_db_replace_tokens(const na_db *db, apr_pool_t *pool, const na_db_account *was,
                               const na_db_account *is);
na_error *na_db_replace_hash(const na_db *db, apr_pool_t *pool, const char *user_id,
                             const char *was, const char *hash);
na_error *na_db_decide(const na_db *db, apr_pool_t *pool, na_decision *decision);

/*
 * Reads and decides again and again, until what was decided holds. `attempt` must tolerate what a
 * previous attempt left in `data`; it sets *held, to na_decision.held, or to 1 if nothing had to be
 * changed. The error is NA_ERR_CONFLICT if others change the same user all the time.
 */
typedef na_error *na_db_attempt(void *data, int *held);

na_error *na_db_settle(apr_pool_t *pool, na_db_attempt *attempt, void *data);

/* Begins a decision about a user: that the user's row and revision are as they were read. */
na_decision na_db_decision_about(const na_db_person *person);

/* ── the audit log ─────────────────────────────────────────────────────────────────────────── */

na_error *na_db_add_record(const na_db *db, apr_pool_t *pool, na_db_use *use, int if_can,
                           const na_db_record *record, int *found);

na_error *na_db_list_records(const na_db *db, apr_pool_t *pool, const char *user_id, int count,
                             apr_array_header_t *records);

/* ── verification tokens ───────────────────────────────────────────────────────────────────── */

/* Most tokens of one identifier that are kept. */
#define NA_DB_TOKENS_MAX 3

na_error *na_db_add_token(const na_db *db, apr_pool_t *pool, const na_db_token *token);
na_error *na_db_find_token(const na_db *db, apr_pool_t *pool, const char *identifier,
                           const char *hash, na_db_token *token, int *found);
na_error *na_db_use_token(const na_db *db, apr_pool_t *pool, const char *identifier,
                          const char *hash, na_db_token *token, int *found);

/* ── NextAuth's table of sessions ──────────────────────────────────────────────────────────── */

na_error *na_db_find_session(const na_db *db, apr_pool_t *pool, const char *token, int role_column,
                             na_db_session *session, na_db_person *person, int *found);
na_error *na_db_list_sessions(const na_db *db, apr_pool_t *pool, const char *user_id,
                              apr_array_header_t *sessions);
na_error *na_db_update_session(const na_db *db, apr_pool_t *pool, const char *token,
                               const char *new_token, apr_int64_t expires, int *found);
na_error *na_db_delete_session(const na_db *db, apr_pool_t *pool, const char *token);

/* ── authenticators ────────────────────────────────────────────────────────────────────────── */

na_error *na_db_find_authenticator(const na_db *db, apr_pool_t *pool, const char *credential_id,
                                   na_db_authenticator *authenticator, int *found);
na_error *na_db_list_authenticators(const na_db *db, apr_pool_t *pool, const char *user_id,
                                    apr_array_header_t *list);
na_error *na_db_update_counter(const na_db *db, apr_pool_t *pool, const char *credential_id,
                               apr_int64_t counter);

/* ── secrets ───────────────────────────────────────────────────────────────────────────────── */

na_error *na_db_find_secret(const na_db *db, apr_pool_t *pool, const char *kind, const char *id,
                            na_db_secret *secret, int *found);
na_error *na_db_list_secrets(const na_db *db, apr_pool_t *pool, const char *user_id,
                             const char *kind, apr_array_header_t *secrets);
na_error *na_db_use_secret(const na_db *db, apr_pool_t *pool, const char *kind, const char *id,
                           apr_int64_t used_at);

/* ── what expires ──────────────────────────────────────────────────────────────────────────── */

/* Sets driver and self of a store in the database, which must live as long. */
void na_db_make_store(const na_db *db, na_store *store);

na_error *na_db_purge(const na_db *db, apr_pool_t *pool, apr_int64_t now);

#endif
