/* SPDX-License-Identifier: Apache-2.0 */
/* Roles, password, and revision of each user, in documents of this module. */
#ifndef NA_MONGODB_ACCESS_H
#define NA_MONGODB_ACCESS_H

#include "mongodb/use.h"

/*
 * One document of nextauth_users for each user of whom there is any, with the user's own _id, so
 * that one operation changes all of it: { roles: [text], hash, changedAt: date, disabled: boolean,
 * revision: whole number }.
 */

/* Sets credential, revision and roles of a person; *stored is the revision in the document. */
na_error *na_mongo_read_access(na_db_use *use, const bson_oid_t *id, na_db_person *person,
                               apr_int64_t *stored);

/* Sets what a document says, NULL if the user has none. */
void na_mongo_take_access(apr_pool_t *pool, const bson_t *document, apr_int64_t generation,
                          na_db_person *person);

/*
 * Does what a decision changes in the document, if the stored revision is still `stored`; raises it
 * if `raises`. *held is 0 if it differs.
 */
na_error *na_mongo_change_access(na_db_use *use, const bson_oid_t *id, const na_decision *decision,
                                 apr_int64_t stored, int raises, int *held);

/* Writes a stronger hash in place of `was`. */
na_error *na_mongo_change_hash(na_db_use *use, const bson_oid_t *id, const char *was,
                               const char *hash);

/* The number that distinguishes a restored database from its predecessor; 0 if there is none. */
na_error *na_mongo_get_generation(na_db_use *use, apr_int64_t *generation);
na_error *na_mongo_put_generation(na_db_use *use, apr_int64_t generation);

#endif
