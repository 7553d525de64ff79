/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_HANDLER_ANSWER_H
#define NA_HTTPD_HANDLER_ANSWER_H

#include "httpd/module.h"

/* What handlers answer, for programs. */

/* Each handler's own: the engine is on where it needs one, and the method is one that it takes. */
int na_answer_sessions(request_rec *r);
int na_answer_metrics(request_rec *r);
int na_answer_health(request_rec *r);
int na_answer_diagnostics(request_rec *r);

/* answer.c: a JSON answer, of which it takes over a reference; never kept by caches. */
int na_answer_json(request_rec *r, int status, json_t *json);
int na_answer_error(request_rec *r, int status, const char *message);

/*
 * sessions_user.c: the user that a name means, as sessions have it: PROVIDER/ID, what `session
 * list` prints, or of the database an ID or an email address. NULL where it is nobody's.
 */
na_error *na_sessions_find_user(request_rec *r, const char *name, const char **user);

/* diagnostics.c: what a server is configured to do; names, never values. */
json_t *na_diagnostics_of_server(apr_pool_t *pool, const server_rec *s);
json_t *na_diagnostics_of_versions(apr_pool_t *pool);

/* diagnostics_request.c: what arrives of a request, and hints (array of strings) at what is wrong.
 */
json_t *na_diagnostics_of_request(request_rec *r, json_t *hints);

#endif
