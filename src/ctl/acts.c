/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/acts.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/secret.h"
#include "ctl/print.h"
#include "audit/database.h"

na_error *na_acts_open(na_acts *acts)
{
    char *key = NULL;
    const char *path = acts->log ? acts->log : getenv("NEXTAUTHCTL_AUDIT_LOG");
    acts->events = apr_array_make(acts->pool, 4, sizeof(na_event));
    if (!path || !*path)
        return NULL;
    if (acts->key_file)
        NA_TRY(na_secret_read(acts->pool, acts->key_file, &key));
    return na_audit_chain_open(acts->pool, path, key, &acts->chain);
}

/* Only root's environment is believed: others could say there what they like. */
static const char *os_user(apr_pool_t *pool)
{
    const struct passwd *user = getpwuid(getuid());
    const char *name = user ? user->pw_name : apr_itoa(pool, (int)getuid());
    const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    return sudo ? apr_pstrcat(pool, name, " (sudo of ", sudo, ")", NULL) : name;
}

void na_acts_add(na_acts *acts, na_event_kind kind, const char *id, const char *email,
                 const char *what)
{
    APR_ARRAY_PUSH(acts->events, na_event) =
        (na_event){.kind = kind,
                   .time = apr_time_now(),
                   .actor = "administrator",
                   .user = id,
                   .email = email,
                   .detail = apr_pstrcat(acts->pool, what ? what : "", what ? ", by " : "by ",
                                         os_user(acts->pool), NULL)};
}

static na_error *insert(na_acts *acts, na_db_use *use)
{
    na_audit_fields fields;
    for (int i = 0; i < acts->events->nelts; i++) {
        na_audit_fields_of(acts->pool, &APR_ARRAY_IDX(acts->events, i, na_event), &fields);
        NA_TRY(na_audit_insert_if_there(use, &fields, &acts->has_table));
    }
    return NULL;
}

static na_error *append(na_acts *acts)
{
    na_audit_fields fields;
    for (int i = 0; acts->chain && i < acts->events->nelts; i++) {
        na_audit_fields_of(acts->pool, &APR_ARRAY_IDX(acts->events, i, na_event), &fields);
        acts->recorded++; /* one that could not be forced to the disk is there, too */
        NA_TRY(na_audit_chain_append(acts->chain, acts->pool, &fields));
    }
    return NULL;
}

na_error *na_acts_record(na_acts *acts, na_db_use *use)
{
    NA_TRY(insert(acts, use));
    return append(acts);
}

/* What httpd has configured is not known here, and not written to. */
static void tell_if_unrecorded(const na_acts *acts)
{
    if (acts->events->nelts && !acts->chain && !acts->has_table)
        fprintf(stderr, "nextauthctl: nothing records this: --audit-log FILE names the audit log, "
                        "nextauthctl migrate makes table nextauth_audit\n");
}

static void record_failure(na_acts *acts, const na_error *error)
{
    na_audit_fields fields;
    for (int i = 0; i < acts->recorded; i++) {
        na_event event = APR_ARRAY_IDX(acts->events, i, na_event);
        event.failure = error->code;
        event.reason = "it was not committed, against the record before";
        na_audit_fields_of(acts->pool, &event, &fields);
        if (na_audit_chain_append(acts->chain, acts->pool, &fields))
            break;
    }
}

na_error *na_acts_end(na_acts *acts, na_error *error)
{
    if (error)
        record_failure(acts, error);
    else
        tell_if_unrecorded(acts);
    return error;
}

static na_error *work_and_record(na_acts *acts, na_db_use *use, na_db_work *work, void *data)
{
    NA_TRY(work(data, use));
    return na_acts_record(acts, use);
}

na_error *na_acts_transact(na_acts *acts, na_db *db, na_db_work *work, void *data)
{
    na_db_use *use;
    NA_TRY(na_acts_open(acts));
    NA_TRY(na_db_write(db, acts->pool, &use));
    return na_acts_end(acts, na_db_end(use, work_and_record(acts, use, work, data)));
}

na_error *na_acts_note(na_acts *acts, na_db *db)
{
    na_db_use *use;
    na_error *error = na_db_write(db, acts->pool, &use);
    if (!error)
        error = na_db_end(use, insert(acts, use));
    if (error)
        na_ctl_failed(acts->pool,
                      na_error_wrap(acts->pool, error, NULL, "the database does not record this"));
    else
        tell_if_unrecorded(acts);
    return append(acts);
}
