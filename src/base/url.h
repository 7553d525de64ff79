/* SPDX-License-Identifier: Apache-2.0 */
/* URLs and forms. */
#ifndef NA_BASE_URL_H
#define NA_BASE_URL_H

#include <apr_tables.h>

#include "base/error.h"

typedef struct na_url {
    const char *scheme; /* "http" or "https" */
    const char *host;   /* lower case; IPv6 in brackets */
    const char *origin; /* scheme://host[:port], the default port left out */
    const char
        *path; /* what follows the origin, including query and fragment; "" if nothing does */
} na_url;

/*
 * Parses an absolute http or https URL. Refuses user information, backslashes, spaces, control and
 * non-ASCII characters, an empty or invalid host, and an invalid port. Returns 0 if refused.
 */
int na_url_parse(apr_pool_t *pool, const char *text, na_url *url);

/*
 * The part of a server's URL after its scheme: "[user[:password]@]host[:port]rest". The last @
 * counts, so that a password can have one.
 */
typedef struct na_authority {
    const char *user, *password; /* decoded; NULL if missing */
    const char *host;            /* without brackets */
    int port;                    /* 0 if missing */
    const char *rest;            /* from the first of / ? # on; "" if nothing follows */
} na_authority;

/* Errors are NA_ERR_CONFIGURATION and do not repeat the text, which can contain a password. */
na_error *na_authority_parse(apr_pool_t *pool, const char *text, na_authority *authority);

/* Returns 1 for a host name, or an IP address without brackets. */
int na_is_host(const char *host);

/* Returns 1 if `host` is an address of this machine alone: 127.0.0.0/8, or ::1 with or without
 * brackets.
 */
int na_is_loopback_address(const char *host);

/*
 * Returns 1 for such an address, for localhost, and for every name below it (RFC 6761 section 6.3).
 */
int na_is_this_machine(const char *host);

/* Returns `url` with name=value added to its query, percent-encoded, before any fragment. */
char *na_url_add(apr_pool_t *pool, const char *url, const char *name, const char *value);

/* Returns the value of a placeholder; NULL if there is none. */
typedef const char *na_url_value(apr_pool_t *pool, const void *data, const char *name);

/*
 * Returns `template` with each placeholder, such as {token.NAME} if `prefix` is "{token.", replaced
 * by its value, percent-encoded. NULL if one has no value: *missing is its name.
 */
char *na_url_fill(apr_pool_t *pool, const char *template, const char *prefix,
                  na_url_value *value_of, const void *data, const char **missing);

/* Adds all fields of a form, with memory linear in the result. */
char *na_url_add_all(apr_pool_t *pool, const char *url, const apr_table_t *fields);

/*
 * Reads a query or an application/x-www-form-urlencoded body. If several fields have one name,
 * apr_table_get() returns the first; malformed fields are omitted. At most `max_fields` are read.
 * The values are wiped with the pool, because passwords are among them.
 */
apr_table_t *na_form_parse(apr_pool_t *pool, const char *text, int max_fields);

#endif
