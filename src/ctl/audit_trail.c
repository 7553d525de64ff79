/* SPDX-License-Identifier: Apache-2.0 */
/* An administrator's acts, recorded in the audit log and the database. */
#include "ctl/audit_trail.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <apr_strings.h>

#include "audit/database.h"
#include "base/secret.h"
#include "ctl/print.h"

na_error *na_audit_trail_open(na_audit_trail *trail)
{
    char *key = NULL;
    const char *path = trail->log ? trail->log : getenv("NEXTAUTHCTL_AUDIT_LOG");
    trail->events = apr_array_make(trail->pool, 4, sizeof(na_event));
    if (!path || !*path)
        return NULL;
    if (trail->key_file)
        NA_TRY(na_secret_read(trail->pool, trail->key_file, &key));
    return na_audit_chain_open(trail->pool, path, key, &trail->chain);
}

/* Only root's environment is believed: other users can set theirs. */
static const char *os_user(apr_pool_t *pool)
{
    const struct passwd *user = getpwuid(getuid());
    const char *name = user ? user->pw_name : apr_itoa(pool, (int)getuid());
    const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    return sudo ? apr_pstrcat(pool, name, " (sudo of ", sudo, ")", NULL) : name;
}

void na_audit_trail_add(na_audit_trail *trail, na_event_kind kind, const char *id,
                        const char *email, const char *what)
{
    APR_ARRAY_PUSH(trail->events, na_event) =
        (na_event){.kind = kind,
                   .time = apr_time_now(),
                   .actor = "administrator",
                   .user = id,
                   .email = email,
                   .detail = apr_pstrcat(trail->pool, what ? what : "", what ? ", by " : "by ",
                                         os_user(trail->pool), NULL)};
}

static na_error *insert(na_audit_trail *trail, const na_db *db, na_db_use *use)
{
    na_audit_fields fields;
    for (int i = 0; i < trail->events->nelts; i++) {
        na_audit_fields_of(trail->pool, &APR_ARRAY_IDX(trail->events, i, na_event), &fields);
        NA_TRY(na_audit_insert_if_there(db, trail->pool, use, &fields, &trail->has_table));
    }
    return NULL;
}

static na_error *append(na_audit_trail *trail)
{
    na_audit_fields fields;
    for (int i = 0; trail->chain && i < trail->events->nelts; i++) {
        na_audit_fields_of(trail->pool, &APR_ARRAY_IDX(trail->events, i, na_event), &fields);
        trail->recorded++; /* also if it could not be forced to the disk */
        NA_TRY(na_audit_chain_append(trail->chain, trail->pool, &fields));
    }
    return NULL;
}

/* The log that httpd has configured is not known here. */
static void warn_if_unrecorded(const na_audit_trail *trail)
{
    if (trail->events->nelts && !trail->chain && !trail->has_table)
        fprintf(stderr, "nextauthctl: this was not recorded: use --audit-log FILE, or create the "
                        "table nextauth_audit with nextauthctl migrate\n");
}

static void record_failure(na_audit_trail *trail, const na_error *error)
{
    na_audit_fields fields;
    for (int i = 0; i < trail->recorded; i++) {
        na_event event = APR_ARRAY_IDX(trail->events, i, na_event);
        event.failure = error->code;
        event.reason = "it was not committed, contrary to the previous record";
        na_audit_fields_of(trail->pool, &event, &fields);
        if (na_audit_chain_append(trail->chain, trail->pool, &fields))
            break;
    }
}

/* An attempt that was recorded before, and undone, is recorded as such. */
na_error *na_audit_trail_record(na_audit_trail *trail, const na_db *db, na_db_use *use)
{
    if (trail->recorded)
        record_failure(trail, na_error_new(trail->pool, NA_ERR_CONFLICT, "decided again"));
    trail->recorded = 0;
    NA_TRY(insert(trail, db, use));
    return append(trail);
}

na_error *na_audit_trail_end(na_audit_trail *trail, na_error *error)
{
    if (error)
        record_failure(trail, error);
    else
        warn_if_unrecorded(trail);
    return error;
}

typedef struct recording {
    na_audit_trail *trail;
    const na_db *db;
} recording;

static na_error *record_decision(void *data, na_db_use *use, const na_decision *decision)
{
    const recording *r = data;
    return na_audit_trail_record(r->trail, r->db, use);
}

na_error *na_audit_trail_decide(na_audit_trail *trail, const na_db *db, na_decision *decision)
{
    recording r = {trail, db};
    decision->record = record_decision;
    decision->data = &r;
    return na_db_decide(db, trail->pool, decision);
}

na_error *na_audit_trail_note(na_audit_trail *trail, const na_db *db)
{
    na_error *error = insert(trail, db, NULL);
    if (error)
        na_ctl_failed(trail->pool,
                      na_error_wrap(trail->pool, error, NULL, "the database did not record this"));
    else
        warn_if_unrecorded(trail);
    return append(trail);
}
