/* SPDX-License-Identifier: Apache-2.0 */
/* Directives with tenants=: each stands for one directive of each tenant. */
#ifndef NA_HTTPD_CONFIG_TENANTS_H
#define NA_HTTPD_CONFIG_TENANTS_H

#include <apr_hash.h>

#include "httpd/config/build.h"

/* Returns the value of an option as it is written; NULL if the directive lacks it. */
const char *na_option_of(const na_directive *written, const char *key);

/* Reads the option tenants= (const char *); *tenants is NULL if the directive lacks it. */
na_error *na_build_tenants(na_builder *b, const na_directive *written,
                           const apr_array_header_t **tenants);

/*
 * Returns the directive as it would be written for one tenant alone: {tenant} in its arguments is
 * replaced before values are read from files, programs, and the environment.
 */
na_directive na_build_directive_for(na_builder *b, const na_directive *written, const char *tenant);

/*
 * Notes that the tenant has this issuer and client ID or audience, which `what` names. The error is
 * that another tenant has them: users or tokens of one would be accepted as those of the other.
 */
na_error *na_build_set_apart(na_builder *b, apr_hash_t *known, const char *identity,
                             const char *what, const char *tenant);

/* Providers, or token issuers, of a site that is built. */
typedef struct na_placed {
    const char *what;            /* "provider" */
    apr_array_header_t *all;     /* const void * */
    apr_array_header_t *servers; /* const server_rec *: the one that has each */
    const na_provider *(*provider)(const void *element);
} na_placed;

/*
 * Adds what one directive makes. A virtual host's elements replace the main server's with the same
 * configured ID, in their place.
 */
na_error *na_build_place(na_builder *b, const na_placed *placed, const na_directive *written,
                         const apr_array_header_t *made);

/* Checks that the hosts keep the sessions of the tenants apart. */
na_error *na_build_finish_tenants(na_builder *b, const apr_array_header_t *written);

#endif
