/* SPDX-License-Identifier: Apache-2.0 */
/* The interface that every kind of database implements: one adapter for users and their sessions.
 */
#ifndef NA_DB_ADAPTER_H
#define NA_DB_ADAPTER_H

#include <apr_tables.h>

#include "base/breaker.h"
#include "store/store.h"

/*
 * Auth.js's adapter, and what this module needs besides, over a database that applications share.
 * An adapter knows one kind of database. Callers know no statements, transactions or connections:
 * each operation is atomic by itself. What reads, decides and changes is one operation, na_decide,
 * which says what it relies on: if that no longer holds, nothing is changed, and the caller reads
 * and decides again.
 *
 * NULL text is a missing value; times are milliseconds since 1970, 0 for a missing value.
 * Everything that is returned lives in the pool that was passed in. IDs of users are text, and each
 * user has exactly one: an adapter finds nothing for "01" if the ID is 1, nor for another case.
 *
 * Errors have the code NA_ERR_UNAVAILABLE if the database does not respond (the breaker counts
 * them), NA_ERR_BUSY if it has no connection free, if others hold what an operation changes for
 * longer than the timeout, or if only a replica responded that lacks the row, NA_ERR_CONFLICT if
 * concurrent changes prevented an operation after several tries, NA_ERR_NO_TABLES if it has not
 * been migrated, and NA_ERR_CONFIGURATION for a caller's mistake.
 * Many threads call an adapter at once.
 */
typedef struct na_adapter na_adapter;

/* The version of this header, for adapters in other shared objects. */
#define NA_ADAPTER_VERSION 2

/* ── rows, as Auth.js has them ─────────────────────────────────────────────────────────────── */

typedef struct na_db_user {
    const char *id;
    const char *name, *email, *image;
    apr_int64_t email_verified;
} na_db_user;

typedef struct na_db_account {
    const char *user_id;
    const char *type, *provider, *provider_account_id;
    const char *refresh_token, *access_token, *token_type, *scope, *id_token, *session_state;
    apr_int64_t expires_at; /* seconds */
} na_db_account;

typedef struct na_db_session {
    const char *token, *user_id;
    apr_int64_t expires;
} na_db_session;

typedef struct na_db_token {
    const char *identifier, *token; /* the token's hash */
    apr_int64_t expires;
} na_db_token;

typedef struct na_db_authenticator {
    const char *credential_id, *user_id, *provider_account_id, *public_key; /* base64 */
    apr_int64_t counter;
    const char *device_type, *transports;
    int backed_up;
} na_db_authenticator;

/* ── rows of this module ───────────────────────────────────────────────────────────────────── */

/* A user's password hash, and whether sign-in is disabled. All zero if the user has no row. */
typedef struct na_db_credential {
    const char *hash; /* NULL if no password */
    int disabled;
    apr_int64_t changed_at;
} na_db_credential;

/*
 * A user, and everything that decides what the user may do. A session belongs to a revision of its
 * user and ends with it. Whatever takes something away from a user (a password, an account, a
 * session) raises the revision, so the revision is also the version that na_decide compares: the
 * other values are never older than it. A revision includes the database's generation (na_db_ids).
 */
typedef struct na_db_person {
    na_db_user user;
    na_db_credential credential;
    apr_int64_t revision;
    apr_array_header_t *roles; /* const char *, each once */
} na_db_person;

/*
 * A secret by which a user is known, besides password and accounts: a row of nextauth_secrets. Its
 * ID is the hash of what a client shows, or random; never the secret itself.
 */
typedef struct na_db_secret {
    const char *id;
    const char *user_id;
    const char *kind;   /* NA_SECRET_TOTP, … */
    const char *name;   /* the user's name for it */
    const char *sealed; /* encrypted data */
    const char *scope;  /* of a token; of a passkey, its user handle */
    apr_int64_t counter;
    apr_int64_t created_at, used_at, expires_at;
} na_db_secret;

#define NA_SECRET_TOTP "totp"         /* sealed key; the counter is the last step that was used */
#define NA_SECRET_RECOVERY "recovery" /* code; the counter is 1 once it was used */
#define NA_SECRET_BROWSER "browser"   /* remembered browser */
#define NA_SECRET_TOKEN "token"       /* personal access token */
#define NA_SECRET_PASSKEY "passkey"   /* name and times of an authenticator */

/* Most bytes of a secret's values. */
#define NA_SECRET_ID_MAX 64
#define NA_SECRET_NAME_MAX 200
#define NA_SECRET_SEALED_MAX 8192
#define NA_SECRET_SCOPE_MAX 2048

/* A record of the audit log; `id` is random. NULL if the event has no such value. */
typedef struct na_db_record {
    const char *id;
    apr_int64_t occurred_at;
    const char *event, *outcome, *reason, *user_id, *email, *provider, *actor, *detail, *address,
        *user_agent, *request_id;
} na_db_record;

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

/* Which user to read, and how: exactly one of `id`, `email` and `provider` is not NULL. */
typedef struct na_db_who {
    const char *id;
    const char *email; /* whatever its case: applications can have written capitals */
    const char *provider, *account_id;
    int current;     /* 1 for a decision: never from a replica */
    int role_column; /* 1 to read the role that applications keep in the user's own row as well */
} na_db_who;

/* ── deciding ──────────────────────────────────────────────────────────────────────────────── */

/* A change in progress, opaque to all but the adapter. */
typedef struct na_db_use na_db_use;

/* Bits of na_decision.does. */
#define NA_DB_SETS_PASSWORD 1u   /* to na_decision.hash, NULL removes it; forgets browsers */
#define NA_DB_DISABLES 2u        /* sign-in of the user */
#define NA_DB_ENABLES 4u         /* it again */
#define NA_DB_ENDS_SESSIONS 8u   /* raises the revision, and deletes rows of the sessions' table */
#define NA_DB_ENDS_LOGINS 16u    /* deletes all means to sign in except `kept`, and ends sessions */
#define NA_DB_DELETES 32u        /* the user and everything of the user */
#define NA_DB_DROPS_PASSKEYS 64u /* deletes all authenticators of the user */

/*
 * A decision about one user: what it relies on, and what is then done. All of it is done, or
 * nothing is. Members that
 * are NULL or zero require and do nothing.
 */
typedef struct na_decision na_decision;
struct na_decision {
    /* The user it is about; NULL if it creates one. A user who does not exist is not created. */
    const char *user_id;

    /* ── what must hold ── */
    const na_db_user *was;       /* the user's row is as it was read */
    const apr_int64_t *revision; /* and the user's revision */
    /*
     * No other user has this email address (whatever its case), and none is given it meanwhile:
     * decisions about one address wait for each other.
     */
    const char *email;
    const na_db_account *owned; /* this account belongs to the user */
    const na_db_token *token;   /* this token is there; it is used up, so that one caller gets it */
    /*
     * This secret of the user (kind and ID) is there, had not expired at `used_at`, and its counter
     * is less than this one, which is then written with `used_at`: of several callers with the same
     * counter, one gets it.
     */
    const na_db_secret *spent;

    /* ── what is done ── */
    const na_db_user *user; /* the row that is created or written, except its ID */
    /*
     * Links an account that no user has, which must hold, too. A row that was left behind when an
     * application deleted its user is replaced.
     */
    const na_db_account *link;
    const apr_array_header_t *unlink; /* na_db_account: accounts of the user */
    unsigned does;                    /* NA_DB_SETS_PASSWORD | … */
    const char *hash;
    apr_int64_t now;                   /* for the time of the new password */
    const na_db_account *kept;         /* for NA_DB_ENDS_LOGINS */
    const apr_array_header_t *grants;  /* const char *: roles, which the user can have already */
    const apr_array_header_t *revokes; /* const char *: roles, which the user can lack */
    const apr_array_header_t *ended;   /* const char *: identifiers of which all tokens end */
    const na_db_session *session;      /* begins in NextAuth's table of sessions */
    const apr_array_header_t *removed; /* na_db_secret: kind, and ID or NULL for all of the kind */
    const apr_array_header_t *secrets; /* na_db_secret: added, after others were removed */
    const char *dropped;               /* credential ID of an authenticator of the user */
    const na_db_authenticator *authenticator; /* added */

    /*
     * Called once everything holds and what came of it is known, before the change is visible to
     * others: an error undoes it. It can be called again if the database has to repeat the change.
     * NULL if nothing is recorded.
     */
    na_error *(*record)(void *data, na_db_use *use, const na_decision *decision);
    void *data;

    /* ── what came of it ── */
    int held;                 /* 0 if something did not hold, and nothing was done */
    const char *id;           /* the user's, also of a new one */
    apr_int64_t revision_now; /* after the change */
    int accounts_ended, password_ended, sessions_ended; /* by NA_DB_ENDS_LOGINS */
};

/* ── whole tables, for backups ─────────────────────────────────────────────────────────────── */

/* In the order of backups: users before rows that refer to them, the store last. */
typedef enum na_db_table {
    NA_TABLE_USERS,
    NA_TABLE_ACCOUNTS,
    NA_TABLE_SESSIONS,
    NA_TABLE_TOKENS,
    NA_TABLE_AUTHENTICATORS,
    NA_TABLE_ROLES,
    NA_TABLE_CREDENTIALS,
    NA_TABLE_REVISIONS,
    NA_TABLE_SECRETS,
    NA_TABLE_STORE,
    NA_TABLES
} na_db_table;

/* A value of a column, whose kind the table of columns tells (backup_tables.h). */
typedef struct na_db_value {
    int is_null;
    const char *text;   /* text and users' IDs */
    apr_int64_t number; /* numbers, 0 or 1, and times */
} na_db_value;

/* A row has as many values as the table has columns, in their order. */
typedef const na_db_value *na_db_row;

/*
 * What keeps IDs from being used twice. User IDs are never reused, but if a database has lost its
 * counter, as after a restore, numbering continues from a guess. Each database therefore has a
 * generation, a random multiple of NA_GENERATION_STEP that is part of every user's revision:
 * sessions of another generation match no revision that a user can have.
 */
typedef struct na_db_ids {
    apr_int64_t generation; /* 0 if it has none */
    apr_int64_t last_id;    /* the largest ID ever used; 0 if IDs are not numbers */
} na_db_ids;

#define NA_GENERATION_STEP ((apr_int64_t)1 << 20)

/* ── migrations ────────────────────────────────────────────────────────────────────────────── */

/* A step of the database's definition. Steps are numbered from 1 without gaps, and never change. */
typedef struct na_db_step {
    int version;
    const char *name;
    apr_int64_t at; /* when it was applied; 0 if it was not, or for a step of the list */
} na_db_step;

/* ── configuration ─────────────────────────────────────────────────────────────────────────── */

/* How to reach a database. Immutable configuration, once it is checked. */
typedef struct na_db_options {
    const na_adapter *adapter;
    const void *settings;               /* the adapter's own */
    const char *identity;               /* of the database; can contain a password: never shown */
    const char *name;                   /* for messages; no secrets */
    const char *engine;                 /* "postgresql", "mysql", "sqlite", "mongodb" */
    const char *schema;                 /* schema= as it is written, or the default */
    const char *file;                   /* the path, if the database is a file; NULL otherwise */
    const apr_array_header_t *replicas; /* const na_db_options *; NULL if none */
    int max_connections;                /* of one process */
    long timeout_ms; /* for a free connection; for an operation if the database supports it */
    int protects;    /* 1 to encrypt tokens and to write session IDs as hashes */
    int has_numbers; /* 1 if the database generates users' IDs, as whole numbers */
} na_db_options;

/* ── the operations ────────────────────────────────────────────────────────────────────────── */

/*
 * `self` is what `open` made. Functions that look for one row set *found to 0 if there is none;
 * what they would have written is then undefined.
 */
struct na_adapter {
    int version; /* NA_ADAPTER_VERSION */

    /* ── configuration: no connection is made ── */

    /*
     * Reads a URL into `options`, except the schema, with defaults for the rest. A relative path is
     * relative to `root`. Messages never show the URL.
     */
    na_error *(*parse)(apr_pool_t *pool, const char *url, const char *root, na_db_options *options);

    /* Sets the schema that a setting names, or NULL for the default. The error lists all. */
    na_error *(*set_schema)(apr_pool_t *pool, const char *name, na_db_options *options);

    /* Checks options once all are set: that they fit together, and that the driver is installed. */
    na_error *(*check)(apr_pool_t *pool, const na_db_options *options);

    /* ── opening ── */

    /*
     * Opens a database in a child process, after the fork: connections are opened when needed, at
     * most max_connections. It is closed with the pool; the options and the breaker live as long.
     * Every operation below asks the breaker before (na_breaker_admit), and settles it.
     */
    na_error *(*open)(apr_pool_t *pool, const na_db_options *options, const na_breaker *breaker,
                      void **self);

    /*
     * While the database does not respond, reads use the first of `replicas` that does. Replicas
     * are never written, and not read while the database works, because they lag behind. NULL if
     * the URL itself names them: replica= is then an error of the configuration.
     */
    void (*set_replicas)(void *self, void *const *replicas, int count);

    /* Checks that the database responds and has its tables. *behind is 1 if only a replica did. */
    na_error *(*ping)(void *self, apr_pool_t *pool, int *behind);

    /* Checks all tables, and that columns are wide enough, for nextauthctl check --connect. */
    na_error *(*check_tables)(void *self, apr_pool_t *pool);

    /* ── users ── */

    /*
     * Finds a user. An account's user was still so when the revision was read. Takes as long for an
     * unknown user as for a known one, because both ask the same.
     */
    na_error *(*find)(void *self, apr_pool_t *pool, const na_db_who *who, na_db_person *person,
                      int *found);

    /* Appends up to `count` users (na_db_person) with IDs after `last` (NULL for the first). */
    na_error *(*list)(void *self, apr_pool_t *pool, const char *last, int count,
                      apr_array_header_t *people);

    /* Appends the accounts (na_db_account) of a user, in the order of provider and ID. */
    na_error *(*list_accounts)(void *self, apr_pool_t *pool, const char *user_id,
                               apr_array_header_t *accounts);

    /* Finds an account, whether its user exists or not. */
    na_error *(*find_account)(void *self, apr_pool_t *pool, const char *provider,
                              const char *account_id, na_db_account *account, int *found);

    /*
     * Replaces those of an account's three tokens that differ between `was` and `is`. One that an
     * application has written meanwhile is kept.
     */
    na_error *(*replace_tokens)(void *self, apr_pool_t *pool, const na_db_account *was,
                                const na_db_account *is);

    /* Writes a stronger hash of the same password, unless the password was changed meanwhile. */
    na_error *(*replace_hash)(void *self, apr_pool_t *pool, const char *user_id, const char *was,
                              const char *hash);

    /* Does what was decided about a user, if everything holds that it relies on. */
    na_error *(*decide)(void *self, apr_pool_t *pool, na_decision *decision);

    /* ── the audit log ── */

    /*
     * Writes a record: as a part of a decision that is being recorded (`use`), or by itself (NULL).
     * With `if_can`, a failure does not undo the decision, but it is returned all the same.
     * *found is 0 if the database has no audit log, because it has not been migrated.
     */
    na_error *(*add_record)(void *self, apr_pool_t *pool, na_db_use *use, int if_can,
                            const na_db_record *record, int *found);

    /* Appends the newest records (na_db_record) about a user, at most `count`. */
    na_error *(*list_records)(void *self, apr_pool_t *pool, const char *user_id, int count,
                              apr_array_header_t *records);

    /* ── verification tokens ── */

    /* Adds a token, and deletes the identifier's oldest ones so that at most `most` remain. */
    na_error *(*add_token)(void *self, apr_pool_t *pool, const na_db_token *token, int most);

    /* Finds a token without using it; never from a replica. */
    na_error *(*find_token)(void *self, apr_pool_t *pool, const char *identifier, const char *hash,
                            na_db_token *token, int *found);

    /* Implements useVerificationToken: only one of several concurrent calls finds the token. */
    na_error *(*use_token)(void *self, apr_pool_t *pool, const char *identifier, const char *hash,
                           na_db_token *token, int *found);

    /* ── NextAuth's table of sessions; na_decision.session begins one ── */

    na_error *(*find_session)(void *self, apr_pool_t *pool, const char *token, int role_column,
                              na_db_session *session, na_db_person *person, int *found);

    /* Appends a user's sessions (na_db_session). */
    na_error *(*list_sessions)(void *self, apr_pool_t *pool, const char *user_id,
                               apr_array_header_t *sessions);

    /* Implements updateSession: replaces `token` by `new_token`, which is usually the same. */
    na_error *(*update_session)(void *self, apr_pool_t *pool, const char *token,
                                const char *new_token, apr_int64_t expires, int *found);

    na_error *(*delete_session)(void *self, apr_pool_t *pool, const char *token);

    /* ── authenticators; na_decision.authenticator adds one ── */

    na_error *(*find_authenticator)(void *self, apr_pool_t *pool, const char *credential_id,
                                    na_db_authenticator *authenticator, int *found);
    na_error *(*list_authenticators)(void *self, apr_pool_t *pool, const char *user_id,
                                     apr_array_header_t *list);
    na_error *(*update_counter)(void *self, apr_pool_t *pool, const char *credential_id,
                                apr_int64_t counter);

    /* ── secrets; na_decision adds, spends, and removes them ── */

    /* Finds a secret, whether it has expired or not; never from a replica. */
    na_error *(*find_secret)(void *self, apr_pool_t *pool, const char *kind, const char *id,
                             na_db_secret *secret, int *found);

    /* Appends a user's secrets (na_db_secret) of a kind, or all if NULL; the newest first. */
    na_error *(*list_secrets)(void *self, apr_pool_t *pool, const char *user_id, const char *kind,
                              apr_array_header_t *secrets);

    /* Writes when a secret was last used, if it is there. */
    na_error *(*use_secret)(void *self, apr_pool_t *pool, const char *kind, const char *id,
                            apr_int64_t used_at);

    /* ── what expires ── */

    /*
     * The database as a store of session records and rate limits; its functions get `self`. They
     * fail with NA_ERR_BUSY instead of NA_ERR_UNAVAILABLE: the database has its own breaker, and
     * the store's would also stop reads while only writes fail.
     */
    const na_store_driver *store;

    /* Deletes sessions, tokens, secrets, and entries of the store that expired before `now`. */
    na_error *(*purge)(void *self, apr_pool_t *pool, apr_int64_t now);

    /* ── migrations ── */

    int steps; /* known to this version */

    /* Returns the name of a known step. */
    const char *(*step_name)(int version);

    /*
     * Returns what a step does (const char *), as an administrator would type it, without a
     * connection: to apply it if `up`, otherwise to take it back. Empty if the step is for another
     * schema.
     */
    apr_array_header_t *(*plan)(apr_pool_t *pool, const na_db_options *options, int version,
                                int up);

    /* Appends the applied steps (na_db_step) in order; none if the database has no list. */
    na_error *(*applied)(void *self, apr_pool_t *pool, apr_array_header_t *steps);

    /*
     * Does the next step on the way to `target`: *version is its number, 0 if the target is
     * reached, and *up 0 if it was taken back. A step that fails leaves nothing behind, or can be
     * run again. Of several concurrent runs, one does each step.
     */
    na_error *(*migrate)(void *self, apr_pool_t *pool, int target, int *version, int *up);

    /* ── backup and restore: long uses, each ended exactly once ── */

    /* Begin a snapshot, which blocks no others, or a change that is all or nothing. */
    na_error *(*begin_backup)(void *self, apr_pool_t *pool, na_db_use **use);
    na_error *(*begin_restore)(void *self, apr_pool_t *pool, na_db_use **use);

    /* Sets *found to 0 if the table does not exist. An error if Auth.js requires it. */
    na_error *(*has_table)(na_db_use *use, apr_pool_t *pool, na_db_table table, int *found);

    na_error *(*count_rows)(na_db_use *use, apr_pool_t *pool, na_db_table table,
                            apr_int64_t *count);

    /*
     * Appends a page of rows (na_db_row). *cursor is NULL for the first page, and again after the
     * last one; it lives in the pool of its page, which is kept until the next page is read.
     */
    na_error *(*read_rows)(na_db_use *use, apr_pool_t *pool, na_db_table table, const void **cursor,
                           apr_array_header_t *rows);

    na_error *(*empty_table)(na_db_use *use, apr_pool_t *pool, na_db_table table);

    /*
     * Inserts rows (na_db_row) of one table. Users come with their IDs. If a row is refused,
     * *refused is its number in `rows`.
     */
    na_error *(*insert_rows)(na_db_use *use, apr_pool_t *pool, na_db_table table,
                             const apr_array_header_t *rows, int *refused);

    /* Returns 1 if a user of the database can have this ID. */
    int (*accepts_id)(const na_db_options *options, const char *id);

    /* Makes an ID for a user whose own is not accepted. *last_id is the last number made. */
    const char *(*new_id)(const na_db_options *options, apr_pool_t *pool, apr_int64_t *last_id);

    /* Finds an email address that several users have, ignoring case; NULL if none. */
    na_error *(*find_shared_email)(na_db_use *use, apr_pool_t *pool, const char **email);

    na_error *(*read_ids)(na_db_use *use, apr_pool_t *pool, na_db_ids *ids);

    /* Sets the generation, and ensures that new IDs are greater than last_id. */
    na_error *(*write_ids)(na_db_use *use, apr_pool_t *pool, const na_db_ids *ids);

    /* Ends a backup or a restore, which is undone if `error` is not NULL. */
    na_error *(*end)(na_db_use *use, na_error *error);
};

#endif
