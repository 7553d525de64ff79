/* SPDX-License-Identifier: Apache-2.0 */
/* A request of httpd in the form in which src/auth and src/endpoint have it. */
#ifndef NA_HTTPD_REQUEST_ACTION_H
#define NA_HTTPD_REQUEST_ACTION_H

#include "httpd/module.h"

/* Fills in everything but the form, the action, and the provider. */
void na_request_begin(request_rec *r, na_request *request);

#endif
