/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_CTL_AUDIT_TRAIL_H
#define NA_CTL_AUDIT_TRAIL_H

#include <apr_tables.h>

#include "audit/chain.h"
#include "db/database.h"

/*
 * The administrator's acts, for the audit log: collected while they are done, recorded before they
 * are committed.
 */
typedef struct na_audit_trail {
    apr_pool_t *pool;
    const char *log, *key_file; /* the options' values; NULL: the environment's, none */
    na_audit_chain *chain;      /* NULL: the table alone */
    apr_array_header_t *events; /* na_event */
    int recorded;               /* of them, in the log, the last perhaps not */
    int has_table;              /* the database has them, too */
} na_audit_trail;

/* Opens the log that was named, if any: what could not be recorded is not begun. */
na_error *na_audit_trail_open(na_audit_trail *trail);

/*
 * An act, upon a user where `id` and `email` are not NULL; the texts must live as long. `what`
 * (NULL: nothing) goes into the detail.
 */
void na_audit_trail_add(na_audit_trail *trail, na_event_kind kind, const char *id,
                        const char *email, const char *what);

/* Records them in this transaction, and then in the log: the last thing before it is committed. */
na_error *na_audit_trail_record(na_audit_trail *trail, na_db_use *use);

/*
 * What came of the transaction: where it failed, the log is told that; where nothing records the
 * acts, whoever acted. Returns `error`.
 */
na_error *na_audit_trail_end(na_audit_trail *trail, na_error *error);

/* All of that around a transaction of `work`, which adds its acts; it is made once. */
na_error *na_audit_trail_transact(na_audit_trail *trail, na_db *db, na_db_work *work, void *data);

/*
 * Records acts that change nothing, each where that can be done: a replica, or a role that only
 * reads, takes none, which is told to whoever acts. An error is the log's.
 */
na_error *na_audit_trail_note(na_audit_trail *trail, na_db *db);

#endif
