/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in pools, with Jansson. */
#ifndef NA_BASE_JSON_H
#define NA_BASE_JSON_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"

/*
 * Parses foreign JSON into an object or array that lives as long as the pool. Duplicate members are
 * refused, because two readers could see two different values. `code` is the public error code.
 */
na_error *na_json_parse(apr_pool_t *pool, const char *code, const char *text, apr_size_t len,
                        json_t **json);

/*
 * Parses JSON that was encrypted with one of our keys. The last of several members of one name
 * counts, as for JSON.parse in the application that reads the same token.
 */
na_error *na_json_parse_sealed(apr_pool_t *pool, const char *code, na_bytes text, json_t **json);

/* Transfers a reference to the pool, which drops it when destroyed. Returns `json`. */
json_t *na_json_own(apr_pool_t *pool, json_t *json);

/* Returns a member that is a string; otherwise NULL. Borrowed from `object`, which can be NULL. */
const char *na_json_string(const json_t *object, const char *name);

/*
 * Sets *whole to a number without its fraction. Returns 0 if `number` is not a number, or exceeds
 * JavaScript's safe integers.
 */
int na_json_whole(const json_t *number, json_int_t *whole);

/* Sets *whole to a member that is a number. Returns 0 if it is missing or not such a number. */
int na_json_number(const json_t *object, const char *name, json_int_t *whole);

/*
 * Returns a member by dotted path ("picture.data.url"); a number is an index into an array. A dot
 * in a name is written as "\\.", and a backslash as "\\\\". A member whose whole name is `path`
 * takes precedence. NULL if it is missing or JSON null. Borrowed.
 */
const json_t *na_json_path(const json_t *json, const char *path);

/* Returns 1 if `list` is an array that has the text; it can be NULL. */
int na_json_has_text(const json_t *list, const char *text);

/* Returns a scalar as text: strings unchanged, numbers and booleans as in JSON; otherwise NULL. */
const char *na_json_scalar(apr_pool_t *pool, const json_t *json);

/* Returns compact text in the pool. `json` must be an object or array. */
char *na_json_dump(apr_pool_t *pool, const json_t *json);

#endif
