/* SPDX-License-Identifier: Apache-2.0 */
/* How to reach a database of MongoDB, and its names. */
#ifndef NA_MONGODB_OPTIONS_H
#define NA_MONGODB_OPTIONS_H

#include <mongoc/mongoc.h>

#include "db/adapter.h"

/* Collections that Auth.js names; an application can have given them other names. */
typedef enum na_collection {
    NA_USERS,
    NA_ACCOUNTS,
    NA_SESSIONS,
    NA_TOKENS,
    NA_AUTHENTICATORS,
    NA_SHARED_COLLECTIONS,

    /* this module's own */
    NA_OWN_USERS = NA_SHARED_COLLECTIONS,
    NA_SECRETS,
    NA_STORE,
    NA_AUDIT,
    NA_LOCKS,
    NA_GENERATION,
    NA_MIGRATIONS,
    NA_COLLECTIONS
} na_collection;

/* The database and its collections, from the URL and schema=. Immutable configuration. */
typedef struct na_mongo_settings {
    const char *url; /* can contain a password */
    const char *database;
    const char *collections[NA_COLLECTIONS];
} na_mongo_settings;

/*
 * na_adapter.parse: reads a mongodb:// or mongodb+srv:// URL, without asking the network. Options
 * that would turn off the verification of certificates are refused, and so are read preferences
 * that would show sessions that were ended.
 */
na_error *na_mongo_parse(apr_pool_t *pool, const char *url, const char *root,
                         na_db_options *options);

/*
 * na_adapter.set_schema: "authjs", or other names of collections, "users=User,accounts=Account";
 * they are users, accounts, sessions, verification_tokens, and authenticators.
 */
na_error *na_mongo_set_schema(apr_pool_t *pool, const char *name, na_db_options *options);

/* na_adapter.check */
na_error *na_mongo_check(apr_pool_t *pool, const na_db_options *options);

/* Returns the URL with the limits of `options`, for a pool of clients; NULL if it is invalid. */
mongoc_uri_t *na_mongo_uri(const na_db_options *options);

#endif
