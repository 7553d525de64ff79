/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the body of a request into memory. */
#ifndef NA_HTTPD_REQUEST_BODY_H
#define NA_HTTPD_REQUEST_BODY_H

#include <httpd.h>

/*
 * Reads the whole body, which ends with a NUL that *len does not count, and is wiped with the pool.
 * Returns OK or an HTTP status: 413 if it has more than `max` bytes.
 */
int na_read_body(request_rec *r, apr_size_t max, char **body, apr_size_t *len);

#endif
