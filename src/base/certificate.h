/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates with which this server authenticates as a TLS client. */
#ifndef NA_BASE_CERTIFICATE_H
#define NA_BASE_CERTIFICATE_H

#include <apr_time.h>

#include "base/error.h"

/* PEM texts: the certificate, which others of its chain can follow, and its private key. */
typedef struct na_certificate {
    const char *chain;
    const char *key;
} na_certificate;

/*
 * Checks that both can be read and belong together; NA_ERR_CONFIGURATION if not. *ends is when the
 * certificate expires.
 */
na_error *na_certificate_check(apr_pool_t *pool, const na_certificate *certificate,
                               apr_time_t *ends);

/* Returns SHA-256 of the first certificate of a PEM text (x5t#S256 of RFC 8705 section 3.1); NULL
 * if there is none. */
const char *na_certificate_thumbprint(apr_pool_t *pool, const char *pem);

#endif
