/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that tell a restored database from the one before. */
#ifndef NA_DB_GENERATION_H
#define NA_DB_GENERATION_H

#include "db/database.h"

/*
 * Ids of users are never given twice. Those that a database counts up go on where it has forgotten
 * how far they were, as after a restore; and since that is a guess, each database has a generation:
 * a random number that na_db_get_revision adds to every user's. Sessions of another generation are
 * of no revision that a user can have.
 */

/* 0 where there is no table of it. */
na_error *na_generation_read(na_db_use *use, apr_int64_t *generation);

/* In a transaction. `generation` 0: a new one. */
na_error *na_generation_write(na_db_use *use, apr_int64_t generation);

/* The largest id that a user ever got here, as far as the engine knows; 0 where ids are text. */
na_error *na_generation_last_id(na_db_use *use, apr_int64_t *id);

/* In a transaction: ids go on behind `id`. */
na_error *na_generation_skip_ids(na_db_use *use, apr_int64_t id);

#endif
