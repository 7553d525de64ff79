/* SPDX-License-Identifier: Apache-2.0 */
/* Generations: numbers that distinguish a restored database from its predecessor. */
#ifndef NA_SQL_GENERATION_H
#define NA_SQL_GENERATION_H

#include "sql/database.h"

/*
 * User IDs are never reused. But if a database has lost its counter, as after a restore, numbering
 * continues from a guess. Each database therefore has a generation, a random number that is added
 * to every user's revision: sessions of another generation match no revision that a user can have.
 */

/* Writes the generation; 0 if its table does not exist. */
na_error *na_generation_read(na_db_use *use, apr_int64_t *generation);

/* Sets the generation; 0 generates a new one. Requires a transaction. */
na_error *na_generation_write(na_db_use *use, apr_int64_t generation);

/* Writes the largest user ID ever used, as far as the engine records it; 0 if IDs are text. */
na_error *na_generation_last_id(na_db_use *use, apr_int64_t *id);

/* Ensures that new IDs are greater than `id`. Requires a transaction. */
na_error *na_generation_skip_ids(na_db_use *use, apr_int64_t id);

#endif
