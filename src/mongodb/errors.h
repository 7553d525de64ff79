/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of operations. */
#ifndef NA_MONGODB_ERRORS_H
#define NA_MONGODB_ERRORS_H

#include "mongodb/client.h"

/*
 * Returns the error of an operation: NA_ERR_UNAVAILABLE if no server answered in time,
 * NA_ERR_CONFLICT if one refused, NA_ERR_CONFIGURATION if it lacks the feature. The use remembers
 * the first one. `reply` can be NULL.
 */
na_error *na_mongo_failed(na_db_use *use, const bson_error_t *error, const bson_t *reply,
                          const char *what);

/* Returns 1 if the error is that a unique index has the value already. */
int na_mongo_is_duplicate(const bson_error_t *error);

#endif
