/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that tell a restored database from the one before. */
#ifndef NA_DB_GENERATION_H
#define NA_DB_GENERATION_H

#include "db/database.h"

/*
 * User IDs are never reused. If a database has lost its counter, as after a restore, numbering
 * continues from a guess. Each database therefore has a generation, a random number that
 * na_db_get_revision adds to every user's revision: sessions of another generation match no
 * revision that a user can have.
 */

/* Returns 0 if there is no table of it. */
na_error *na_generation_read(na_db_use *use, apr_int64_t *generation);

/* Writes the generation, a new one if 0. Requires a transaction. */
na_error *na_generation_write(na_db_use *use, apr_int64_t generation);

/* Writes the largest user ID ever used, as far as the engine knows; 0 if IDs are text. */
na_error *na_generation_last_id(na_db_use *use, apr_int64_t *id);

/* Continues IDs after `id`. Requires a transaction. */
na_error *na_generation_skip_ids(na_db_use *use, apr_int64_t id);

#endif
