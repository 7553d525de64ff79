/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a site at one of its hosts. */
#ifndef NA_AUTH_TENANT_H
#define NA_AUTH_TENANT_H

#include "auth/config.h"

/*
 * One configuration can serve many host names (na_config.is_by_host). What depends on the host is
 * derived for each: the origin and all URLs, the site that sessions belong to with its keys,
 * passkeys, and the providers of a template (tenants=). A tenant is such a configuration.
 * Immutable.
 */
typedef struct na_tenant {
    na_config config;
    na_sessions sessions;
    na_registry registry; /* of `sessions`, if they have one */
} na_tenant;

/*
 * Returns 1 if the provider or token issuer with this ID has the name: its ID, or that of its
 * template, which configurations have in place of the IDs of all tenants.
 */
int na_tenant_is_named(const na_config *config, const char *id, const char *name);

/* Sets the provider to which protected pages lead without the sign-in page. */
void na_tenant_choose_direct(na_config *config);

/*
 * Derives the configuration of `site` and its sessions for one of its origins, which must be one
 * that na_hosts_find wrote. `site` and `sessions` must live as long as `pool`.
 */
na_error *na_tenant_derive(apr_pool_t *pool, const na_config *site, const na_sessions *sessions,
                           const char *origin, na_tenant *tenant);

/*
 * A process's tenants of a site: bounded, safe for threads. A tenant that is not there is derived
 * again, so a client that asks for ever new hosts of a wildcard costs time, but no memory.
 */
typedef struct na_tenants na_tenants;

/* The arguments must live as long as `pool`. */
na_error *na_tenants_make(apr_pool_t *pool, const na_config *site, const na_sessions *sessions,
                          na_tenants **made);

/*
 * Returns the tenant of an origin, held until `pool` is destroyed; NULL if the site has providers,
 * and none of them is for the tenant.
 */
na_error *na_tenants_get(na_tenants *tenants, apr_pool_t *pool, const char *origin,
                         const na_tenant **tenant);

#endif
