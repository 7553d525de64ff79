/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers that respond to programs, and what they share. */
#ifndef NA_HTTPD_HANDLER_ANSWER_H
#define NA_HTTPD_HANDLER_ANSWER_H

#include "httpd/module.h"

/* Each runs with NextAuthEngine On if it requires that, and with a method that it supports. */
int na_answer_sessions(request_rec *r);
int na_answer_metrics(request_rec *r);
int na_answer_health(request_rec *r);
int na_answer_diagnostics(request_rec *r);

/* answer.c: both send JSON that caches must not store; the first takes over a reference to `json`.
 */
int na_answer_json(request_rec *r, int status, json_t *json);
int na_answer_error(request_rec *r, int status, const char *message);

/*
 * sessions_user.c: finds the user of a name, as session records name users. The name is PROVIDER/ID
 * as `session list` prints it or, with a database, a user ID or an email address. `*user` is NULL
 * if the user is unknown.
 */
na_error *na_sessions_find_user(request_rec *r, const char *name, const char **user);

/* diagnostics.c: the configuration of a virtual host, and versions; names, never secret values. */
json_t *na_diagnostics_of_site(const request_rec *r);
json_t *na_diagnostics_of_versions(apr_pool_t *pool);

/* diagnostics_request.c: what arrived with a request; adds strings to the array `hints`. */
json_t *na_diagnostics_of_request(request_rec *r, json_t *hints);

#endif
