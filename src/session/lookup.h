/* SPDX-License-Identifier: Apache-2.0 */
/* Lookups of values in a registry's stores. */
#ifndef NA_SESSION_LOOKUP_H
#define NA_SESSION_LOOKUP_H

#include "session/registry.h"

/*
 * Returns the registry with the stores from index `from` on. An end is written to each of them,
 * because a new store that is emptied falls back to the contents of the older ones.
 */
na_registry na_registry_from(const na_registry *registry, int from);

/* A value that was found; data is NULL if none. */
typedef struct na_found {
    na_bytes value;
    int in_first; /* 1 if it is in the store that is written */
} na_found;

/* Sets values[i] for each key, from the first store that has it, in one call for all keys. */
na_error *na_look_up(const na_registry *registry, apr_pool_t *pool, const na_store_key *keys,
                     int count, na_found *values);

/* Returns the value that a swap in the first store must find there. */
na_bytes na_found_in_first(const na_found *was);

#endif
