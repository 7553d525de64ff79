/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up values of the user who signs in, for expressions: USER, ACCOUNT, and PROFILE. */
#ifndef NA_AUTH_SUBJECT_H
#define NA_AUTH_SUBJECT_H

#include "auth/action.h"

/* Finds a part by name, without case. Returns 0 if there is none. */
int na_part_find(const char *name, na_part *part);

/* Returns the names of a part, such as "id, name"; NULL if they depend on the provider. */
const char *na_part_names(na_part part);

int na_part_has(na_part part, const char *name);

/* Returns the object, which lives in the pool; NULL if there is none. */
json_t *na_subject_part(apr_pool_t *pool, const na_subject *subject, na_part part);

/* Returns the value, NULL if none. */
const json_t *na_subject_value(apr_pool_t *pool, const na_subject *subject, na_part part,
                               const char *path);

/* Returns the scalars of a list, or a single one, as text (const char *). */
apr_array_header_t *na_subject_list(apr_pool_t *pool, const na_subject *subject, na_part part,
                                    const char *path);

/*
 * Parses "%{PART:path}". Returns 0 if the text is anything else, including such a lookup with more
 * text around it.
 */
int na_lookup_parse(apr_pool_t *pool, const char *text, na_lookup *lookup);

#endif
