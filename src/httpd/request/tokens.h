/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of the provider that applications receive. */
#ifndef NA_HTTPD_REQUEST_TOKENS_H
#define NA_HTTPD_REQUEST_TOKENS_H

#include "auth/action.h"
#include "httpd/module.h"

/*
 * Finds the tokens that the location passes on, which are renewed first if they are due. Returns
 * OK, or the status that refuses the request: if they are unknown, or if the session ended with
 * them. The session of the request can be another one afterwards, with a mark.
 */
int na_bring_tokens(request_rec *r);

/*
 * Returns the state of the request that a subrequest or internal redirect came from, which can have
 * the same session, and so the same tokens; NULL if there is none.
 */
const na_state *na_state_before(request_rec *r);

/* Begins a request that finds and ends the session however it was shown. */
void na_request_of_session(request_rec *r, na_request *request);

/* Ends the session of such a request, and returns the status that refuses the request. */
int na_end_and_refuse(request_rec *r, na_request *request);

/* Passes them on. */
void na_pass_tokens(request_rec *r);

/* Removes tokens that a request before this one has added, from its copy of headers and variables.
 */
void na_strip_tokens(request_rec *r);

#endif
