/* SPDX-License-Identifier: Apache-2.0 */
/* Protected resources: APIs of this site that publish who issues their tokens (RFC 9728). */
#ifndef NA_OAUTH_RESOURCE_H
#define NA_OAUTH_RESOURCE_H

#include "oauth/issuer.h"

/* Section 3. */
#define NA_RESOURCE_WELL_KNOWN "/.well-known/oauth-protected-resource"

/*
 * Returns the path of a resource, if the audience is its URL at this origin, without a query: ""
 * for the whole site. Else NULL. Clients and authorization servers know the resource by that URL
 * (RFC 8707 section 2).
 */
const char *na_resource_path(apr_pool_t *pool, const char *audience, const char *origin);

/* Returns what follows the well-known path in `path`, "" for the whole site; else NULL. */
const char *na_resource_of_path(const char *path);

/*
 * Returns the metadata of the resource at this origin and path, for the pool; NULL if no issuer
 * with resourceMetadata=On has its URL as audience.
 */
json_t *na_resource_metadata(apr_pool_t *pool, const apr_array_header_t *issuers,
                             const char *origin, const char *path);

/*
 * Returns the URL of the metadata of the narrowest resource that a path belongs to, for which
 * `accepted` (const char *: IDs, NULL for all) has an issuer; NULL if there is none.
 */
const char *na_resource_metadata_url(apr_pool_t *pool, const apr_array_header_t *issuers,
                                     const apr_array_header_t *accepted, const char *origin,
                                     const char *path);

#endif
