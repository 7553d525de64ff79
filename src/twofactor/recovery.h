/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery codes: what a user types once who has lost the second factor. */
#ifndef NA_TWOFACTOR_RECOVERY_H
#define NA_TWOFACTOR_RECOVERY_H

#include <apr_pools.h>

/* Codes of one set. */
#define NA_RECOVERY_CODES 10

/* Returns a new code of 80 random bits, in four groups: "ABCD-EFGH-IJKL-MNOP". */
const char *na_recovery_new_code(apr_pool_t *pool);

/* Returns 1 if the text has the form of a recovery code, not of a one-time password. */
int na_recovery_is_code(const char *typed);

/*
 * Returns the hash of a code as it is stored, in hex; NULL if the text is not a code. Blanks,
 * dashes, and case do not matter. The hash belongs to one user, and does not depend on the site's
 * secret: codes are for the day when nothing else works. 80 bits are too many to be found by
 * trying.
 */
const char *na_recovery_hash(apr_pool_t *pool, const char *user_id, const char *typed);

#endif
