/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a user whose sign-in does not suffice for a more recent or stronger one. */
#ifndef NA_HTTPD_REQUEST_STEP_UP_H
#define NA_HTTPD_REQUEST_STEP_UP_H

#include <httpd.h>

/*
 * Refuses a user who does not meet na_state.demand: a browser is led to the provider of the
 * session, which is asked for it; every other client gets the challenge of RFC 9470.
 */
int na_refuse_weak(request_rec *r);

#endif
