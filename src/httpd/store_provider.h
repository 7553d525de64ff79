/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_STORE_PROVIDER_H
#define NA_HTTPD_STORE_PROVIDER_H

#include <httpd.h>

#include "store/store.h"

/*
 * A kind of store that NextAuthSessionStore can name. Registered with ap_register_provider under
 * this group and version, so that another module can bring one.
 */
#define NA_STORE_GROUP "nextauth-store"
#define NA_STORE_VERSION "0"

typedef enum na_store_kind {
    NA_STORE_SERVER,  /* another process or machine, which can be asked */
    NA_STORE_MEMORY,  /* memory of this server: gone with it, and no place to count attempts in */
    NA_STORE_DATABASE /* NextAuthDatabase: sessions are rows of its tables */
} na_store_kind;

typedef struct na_store_provider {
    na_store_kind kind;

    /* The directive that describes the store, for messages; NULL if there is none. */
    const char *directive;

    /*
     * While the configuration is checked: what is missing, or wrong; *notice is what an
     * administrator should know of it, or stays as it is.
     */
    na_error *(*check)(apr_pool_t *pool, const server_rec *s, const char **notice);

    /* Servers with the same identity share a store. */
    const char *(*identity)(const server_rec *s);

    /* Before the fork, once for each identity; or NULL. */
    na_error *(*prepare)(apr_pool_t *pconf, server_rec *s);

    /* In a child, once for each identity: fills name, driver and self. `pool` is the child's. */
    na_error *(*open)(apr_pool_t *pool, server_rec *s, na_store *store);

    /*
     * Of a store that answers: what an administrator should change, with a hint, or NULL if there
     * is nothing. For nextauthctl check; may be NULL.
     */
    na_error *(*advise)(apr_pool_t *pool, const na_store *store);
} na_store_provider;

#endif
