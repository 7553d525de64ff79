/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which a user of the database can sign in. */
#ifndef NA_AUTH_WAYS_H
#define NA_AUTH_WAYS_H

#include "auth/action.h"
#include "db/database.h"

/* Only what the site's configuration accepts is counted. */
typedef struct na_ways {
    int password; /* 1 if the user has a password */
    int links;    /* 1 if links can be mailed to the user */
    int accounts; /* with providers; a passkey is one, too */
} na_ways;

/* Counts the ways of a user who was read for a decision; `accounts` are na_db_account. */
na_ways na_ways_of(const na_request *request, const na_db_person *person,
                   const apr_array_header_t *accounts);

int na_ways_count(const na_ways *ways);

/* Returns the provider with this ID, NULL if the site has none. */
const na_provider *na_ways_provider(const na_request *request, const char *id);

#endif
