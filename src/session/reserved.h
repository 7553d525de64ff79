/* SPDX-License-Identifier: Apache-2.0 */
/* Claims that have a meaning to this module. */
#ifndef NA_SESSION_RESERVED_H
#define NA_SESSION_RESERVED_H

/*
 * Returns 1 if a claim of this name decides about the session itself, or who its user is: only this
 * module sets it.
 */
int na_claim_is_reserved(const char *name);

/* Returns 1 if a claim is of no use to applications, which do not get it. */
int na_claim_is_internal(const char *name);

/* Returns 1 if a claim describes the sign-in: personal access tokens keep it without the session.
 */
int na_claim_is_lasting(const char *name);

#endif
