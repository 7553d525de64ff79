/* SPDX-License-Identifier: Apache-2.0 */
/* Writes responses of endpoints, and pages. */
#ifndef NA_HTTPD_REQUEST_WRITE_H
#define NA_HTTPD_REQUEST_WRITE_H

#include <httpd.h>

#include "auth/action.h"

/* Writes status, headers, and body; returns OK. */
int na_write_response(request_rec *r, const na_response *response);

#endif
