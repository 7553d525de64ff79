/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_CTL_USER_H
#define NA_CTL_USER_H

#include <jansson.h>

#include "ctl/audit_trail.h"
#include "db/adapter.h"
#include "password/rules.h"

/* What the commands `user` and `role` have in common. */

/* Most bytes of a name or role, as columns of MySQL and PostgreSQL have them. */
#define NA_CTL_USER_TEXT_MAX 255

typedef struct na_ctl_user_call {
    apr_pool_t *pool;
    const char *url, *schema, *email, *name, *password_file, *hash_kind;
    apr_array_header_t *roles; /* const char * */
    int json, yes;
    const char *const *operands;
    const char *who;  /* ID or e-mail of the one user it is about */
    const char *hash; /* of the new password; NULL: none */
    na_audit_trail trail;
    na_db *db;
    json_t *shown; /* the user, to be printed once everything is done */
} na_ctl_user_call;

/* ── user_call.c ───────────────────────────────────────────────────────────────────────────── */

/*
 * Reads the command line; 0 where it is wrong. `allowed` has the letters of the options that the
 * command takes, besides those of all: e(mail), n(ame), p(assword-file), h(ash), r(ole), y(es),
 * a(udit log).
 */
int na_ctl_user_options(na_ctl_user_call *c, int argc, char **argv, const char *allowed,
                        int operands);

/* Connects to the database. */
na_error *na_ctl_user_connect(na_ctl_user_call *c);

/* What is done with a user, in a use of the database. */
typedef na_error *na_ctl_user_action(na_ctl_user_call *c, na_db_use *use, na_db_user *user);

/* Finds the user whom the call is about, and does that with him. */
na_error *na_ctl_user_read(na_ctl_user_call *c, na_ctl_user_action *act);

/*
 * The same in a transaction. What it did (na_ctl_user_did) is recorded, in table nextauth_audit
 * where there is one and in the audit log that was named, or is not committed.
 */
na_error *na_ctl_user_change(na_ctl_user_call *c, na_ctl_user_action *act);

/* For na_audit_trail_add. */
void na_ctl_user_did(na_ctl_user_call *c, na_event_kind kind, const na_db_user *user,
                     const char *what);

na_error *na_ctl_user_check_text(const na_ctl_user_call *c, const char *what, const char *text);

/* ── user_json.c ───────────────────────────────────────────────────────────────────────────── */

/* A user as JSON, which lives in the pool of the use; the second with the accounts. */
na_error *na_ctl_user_describe(na_db_use *use, const na_db_user *user, json_t **json);
na_error *na_ctl_user_describe_with_accounts(na_db_use *use, const na_db_user *user, json_t **json);

/* ── user_print.c ──────────────────────────────────────────────────────────────────────────── */

/* A member for a terminal, "-" where there is none. */
const char *na_ctl_user_field(apr_pool_t *pool, const json_t *user, const char *name);

void na_ctl_user_print_heading(na_db_use *use);
void na_ctl_user_print_row(na_db_use *use, const json_t *user);

/* Ends a command: its exit status. `what` was done to the user; NULL: it is shown. */
int na_ctl_user_end(const na_ctl_user_call *c, const char *what, const na_error *error);

/* ── user_password.c ───────────────────────────────────────────────────────────────────────── */

/* Reads the new password, judges and hashes it into c->hash. */
na_error *na_ctl_user_new_hash(na_ctl_user_call *c, const na_password_owner *owner);

/* Gives it to the user. */
na_ctl_user_action na_ctl_user_put_hash;

#endif
