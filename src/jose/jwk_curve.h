/* SPDX-License-Identifier: Apache-2.0 */
/* The curves of EC keys. */
#ifndef NA_JOSE_JWK_CURVE_H
#define NA_JOSE_JWK_CURVE_H

#include <apr.h>

/* A curve of RFC 7518 section 6.2.1.1. */
typedef struct na_curve {
    const char *crv;
    const char *group; /* OpenSSL's name */
    apr_size_t field_len;
} na_curve;

/* Finds a curve by either name; NULL if the name is unknown or NULL. */
const na_curve *na_curve_find(const char *name);

#endif
