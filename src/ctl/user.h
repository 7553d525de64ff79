/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that the commands `user` and `role` share. */
#ifndef NA_CTL_USER_H
#define NA_CTL_USER_H

#include <jansson.h>

#include "ctl/audit_trail.h"
#include "db/database.h"
#include "password/rules.h"

/* Most bytes of a name or role: columns of MySQL and PostgreSQL have as many. */
#define NA_CTL_USER_TEXT_MAX 255

typedef struct na_ctl_user_call {
    apr_pool_t *pool;
    const char *url, *schema, *email, *name, *password_file, *hash_kind, *scope, *days;
    apr_array_header_t *roles; /* const char * */
    int json, yes, passkeys;
    int shows_accounts; /* 1 if c->shown has the user's accounts as well */
    const char *const *operands;
    const char *who;  /* ID or email address of the one user it is about */
    const char *hash; /* of the new password; NULL if none */
    na_audit_trail trail;
    na_db *db;
    json_t *shown; /* the user, to be printed once everything is done */
} na_ctl_user_call;

/* ── user_call.c ───────────────────────────────────────────────────────────────────────────── */

/*
 * Reads the command line. Returns 0 on a usage error. `allowed` has the letters of the options that
 * the command takes, besides those of all: e(mail), n(ame), p(assword-file), h(ash), r(ole), y(es),
 * a(udit log), o (scope and days of a token), P (passkeys).
 */
int na_ctl_user_options(na_ctl_user_call *c, int argc, char **argv, const char *allowed,
                        int operands);

/* Connects to the database. */
na_error *na_ctl_user_connect(na_ctl_user_call *c);

/* Does something with a user who was read. */
typedef na_error *na_ctl_user_action(na_ctl_user_call *c, const na_db_person *person);

/* Decides what is done to a user who was read. It is called again if others change the user. */
typedef na_error *na_ctl_user_decision(na_ctl_user_call *c, const na_db_person *person,
                                       na_decision *decision);

/* Finds the user that the command is about, and calls `act`. */
na_error *na_ctl_user_read(na_ctl_user_call *c, na_ctl_user_action *act);

/*
 * Finds the user and does what `decide` decides, and then describes the user in c->shown. Its acts
 * (na_ctl_user_did) are recorded, in table nextauth_audit if it exists and in the audit log that
 * was named, or it is not done.
 */
na_error *na_ctl_user_change(na_ctl_user_call *c, na_ctl_user_decision *decide);

/* Adds an act on the user to the trail. */
void na_ctl_user_did(na_ctl_user_call *c, na_event_kind kind, const na_db_user *user,
                     const char *what);

na_error *na_ctl_user_check_text(const na_ctl_user_call *c, const char *what, const char *text);

/* ── user_unlink.c ─────────────────────────────────────────────────────────────────────────── */

/* Adds to the trail that an account was unlinked from the user. */
void na_ctl_user_did_unlink(na_ctl_user_call *c, const na_db_user *user,
                            const na_db_account *account);

/* ── user_json.c ───────────────────────────────────────────────────────────────────────────── */

/* Returns a user as JSON. */
json_t *na_ctl_user_json(apr_pool_t *pool, const na_db_person *person);

/* Adds the user's accounts (na_db_account). */
void na_ctl_user_add_accounts(apr_pool_t *pool, json_t *user, const apr_array_header_t *accounts);

/* Adds the state of the second factor, from the user's secrets (na_db_secret). */
void na_ctl_user_add_factor(apr_pool_t *pool, json_t *user, const apr_array_header_t *secrets);

/* ── user_print.c ──────────────────────────────────────────────────────────────────────────── */

/* Returns a member for a terminal, "-" if it is missing. */
const char *na_ctl_user_field(apr_pool_t *pool, const json_t *user, const char *name);

void na_ctl_user_print_heading(const na_db *db);
void na_ctl_user_print_row(const na_db *db, apr_pool_t *pool, const json_t *user);

/* Ends a command. `what` was done to the user; NULL shows the user. Returns the exit status. */
int na_ctl_user_end(const na_ctl_user_call *c, const char *what, const na_error *error);

/* ── user_password.c ───────────────────────────────────────────────────────────────────────── */

/* Reads the new password, checks it against the rules, and hashes it into c->hash. */
na_error *na_ctl_user_new_hash(na_ctl_user_call *c, const na_password_owner *owner);

#endif
