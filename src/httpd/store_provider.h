/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of a session store, which another module can implement. */
#ifndef NA_HTTPD_STORE_PROVIDER_H
#define NA_HTTPD_STORE_PROVIDER_H

#include <httpd.h>

#include "store/store.h"

/*
 * A kind of store that NextAuthSessionStore can name. Registered with ap_register_provider under
 * this group and version, so that another module can bring one.
 */
#define NA_STORE_GROUP "nextauth-store"
#define NA_STORE_VERSION "1"

typedef enum na_store_kind {
    NA_STORE_SERVER,  /* another process or machine, to which a check can connect */
    NA_STORE_MEMORY,  /* memory of this httpd, lost when it stops; does not count attempts */
    NA_STORE_DATABASE /* NextAuthDatabase: sessions are rows of its tables */
} na_store_kind;

typedef struct na_store_provider {
    na_store_kind kind;

    /* The directive that describes the store, for messages; NULL if there is none. */
    const char *directive;

    /*
     * While the configuration is built: returns an error if something is missing or invalid. May
     * set *notice to a remark for the administrator.
     */
    na_error *(*check)(apr_pool_t *pool, const server_rec *s, const char **notice);

    /* Returns the store's identity; servers with the same one share a store. */
    const char *(*identity)(const server_rec *s);

    /* Called before the fork, once for each identity; NULL if not needed. */
    na_error *(*prepare)(apr_pool_t *pconf, server_rec *s);

    /* Called in each child process, once for each identity: sets name, driver and self. `pool` is
     * the child process's. */
    na_error *(*open)(apr_pool_t *pool, server_rec *s, na_store *store);

    /*
     * For nextauthctl check, of a store that is reachable: returns a recommendation with a hint, or
     * NULL if none. Can be NULL.
     */
    na_error *(*advise)(apr_pool_t *pool, const na_store *store);
} na_store_provider;

#endif
