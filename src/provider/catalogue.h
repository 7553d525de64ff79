/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in providers, and those of files. */
#ifndef NA_PROVIDER_CATALOGUE_H
#define NA_PROVIDER_CATALOGUE_H

#include <apr_tables.h>

#include "base/error.h"
#include "provider/provider.h"

/* Entries by provider ID: options as in NextAuthProvider. Owned by the pool that it was loaded
 * with. */
typedef struct na_catalogue na_catalogue;

/* A row of a listing. */
typedef struct na_catalogue_entry {
    const char *id, *name, *type;
    const char *requires; /* further options, comma-separated: issuer, tenant; "" if none */
    const char *console;  /* URL where clients are registered; NULL if not known, also for `trap` */
    const char *trap;     /* what is commonly missed there */
} na_catalogue_entry;

/* Loads the built-in providers, of conf/providers.json; parsed once for each pool. */
na_error *na_catalogue_load(apr_pool_t *pool, na_catalogue **catalogue);

/*
 * Adds entries of a file in the same format; an entry replaces a built-in one of the same ID. The
 * error, NA_ERR_CONFIGURATION, names the entry and the option.
 */
na_error *na_catalogue_add(apr_pool_t *pool, na_catalogue *catalogue, const char *text);

/*
 * Return the IDs (const char *) in alphabetical order: of all entries, or of those that have a
 * client ID and a secret.
 */
const apr_array_header_t *na_catalogue_ids(apr_pool_t *pool, const na_catalogue *catalogue);
const apr_array_header_t *na_catalogue_client_ids(apr_pool_t *pool, const na_catalogue *catalogue);

/* Describes an entry; `id` must be one of na_catalogue_ids(). */
na_error *na_catalogue_describe(apr_pool_t *pool, const na_catalogue *catalogue, const char *id,
                                na_catalogue_entry *described);

/* Writes a provider of the catalogue with its defaults; NULL if `id` is not in it. */
na_error *na_provider_from_catalogue(apr_pool_t *pool, const na_catalogue *catalogue,
                                     const char *id, na_provider **provider);

#endif
