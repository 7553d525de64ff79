/* SPDX-License-Identifier: Apache-2.0 */
/* An administrator's acts, recorded. */
#ifndef NA_CTL_AUDIT_TRAIL_H
#define NA_CTL_AUDIT_TRAIL_H

#include <apr_tables.h>

#include "audit/chain.h"
#include "db/database.h"

/*
 * Acts of an administrator, for the audit log: collected while they are decided, recorded before
 * they are visible to others.
 */
typedef struct na_audit_trail {
    apr_pool_t *pool;
    const char *log, *key_file; /* options; NULL for the environment's, or none */
    na_audit_chain *chain;      /* NULL if only the table records them */
    apr_array_header_t *events; /* na_event */
    int recorded;               /* events that are in the log, the last one perhaps not */
    int has_table;              /* the database records them as well */
} na_audit_trail;

/* Opens the log that was named, if any, so that nothing begins that could not be recorded. */
na_error *na_audit_trail_open(na_audit_trail *trail);

/*
 * Adds an act, on a user if `id` and `email` are not NULL; the texts must live as long. `what`,
 * if not NULL, goes into the detail.
 */
void na_audit_trail_add(na_audit_trail *trail, na_event_kind kind, const char *id,
                        const char *email, const char *what);

/* Records them in this use, and then in the log: the last thing before it is committed. */
na_error *na_audit_trail_record(na_audit_trail *trail, const na_db *db, na_db_use *use);

/*
 * Ends the trail of a decision: records its failure, or warns if nothing records the acts.
 * Returns `error`.
 */
na_error *na_audit_trail_end(na_audit_trail *trail, na_error *error);

/* Makes a decision, of which they are the record. */
na_error *na_audit_trail_decide(na_audit_trail *trail, const na_db *db, na_decision *decision);

/*
 * Records acts that change nothing, wherever that is possible: a replica, or a role that only
 * reads, takes none, and a warning is printed. Errors are the log's.
 */
na_error *na_audit_trail_note(na_audit_trail *trail, const na_db *db);

#endif
