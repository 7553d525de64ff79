/* SPDX-License-Identifier: Apache-2.0 */
/* Claims that only this module sets. */
#ifndef NA_SESSION_RESERVED_H
#define NA_SESSION_RESERVED_H

/* Returns 1 if a claim of this name decides about the session itself, or who its user is. */
int na_claim_is_reserved(const char *name);

#endif
