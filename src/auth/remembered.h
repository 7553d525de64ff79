/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers in which a second factor was given, and is not asked for again. */
#ifndef NA_AUTH_REMEMBERED_H
#define NA_AUTH_REMEMBERED_H

#include "auth/factors.h"

/* Returns the user's row of this browser; NULL if it is not remembered. */
const na_db_secret *na_remembered_find(const na_request *request, const na_factors *factors);

/*
 * Remembers this browser: sets its cookie, and appends its row to `rows` and to `removed` those of
 * the user that are too many (na_db_secret).
 */
void na_remembered_add(na_request *request, na_response *response, const na_factors *factors,
                       apr_array_header_t *rows, apr_array_header_t *removed);

#endif
