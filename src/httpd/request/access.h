/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of clients that show a token or a password with each request. */
#ifndef NA_HTTPD_REQUEST_ACCESS_H
#define NA_HTTPD_REQUEST_ACCESS_H

#include "httpd/module.h"

/* Returns 1 if credentials of this kind are accepted at the path of the request. */
int na_is_way_open(request_rec *r, na_way way);

/*
 * Loads the session that the Authorization header leads to into the request's state, or sets its
 * refusal. *error stays as it is if the request has no credentials that are accepted here.
 */
void na_load_by_credentials(request_rec *r, na_visit *visit, na_error **error);

/*
 * Returns the session, or NULL with a refusal if it is one of a personal access token whose scope
 * does not cover the request, or of an access token whose issuer is not accepted at its path. To be
 * asked for each subrequest and internal redirect.
 */
const na_session *na_within_reach(request_rec *r, const na_session *session);

#endif
