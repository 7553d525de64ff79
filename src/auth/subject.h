/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the user who signs in, for expressions: USER, ACCOUNT and PROFILE. */
#ifndef NA_AUTH_SUBJECT_H
#define NA_AUTH_SUBJECT_H

#include "auth/action.h"

/* 0 where no part has the name, whatever its case. */
int na_part_find(const char *name, na_part *part);

/* The names that a part has: "id, name"; NULL where that is the provider's to say. */
const char *na_part_names(na_part part);

int na_part_has(na_part part, const char *name);

/* NULL where there is no such value. */
const json_t *na_subject_value(apr_pool_t *pool, const na_subject *subject, na_part part,
                               const char *path);

/* The scalars of a list, or of a single one, as text (const char *). */
apr_array_header_t *na_subject_list(apr_pool_t *pool, const na_subject *subject, na_part part,
                                    const char *path);

/*
 * Reads "%{PART:path}". 0 where the text is anything else; with more around it, it is an
 * expression.
 */
int na_lookup_parse(apr_pool_t *pool, const char *text, na_lookup *lookup);

#endif
