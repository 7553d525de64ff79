/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPreservePost: sends a form that was kept, in place of the one of our page. */
#ifndef NA_HTTPD_REQUEST_RESEND_H
#define NA_HTTPD_REQUEST_RESEND_H

#include "httpd/module.h"

/*
 * Replaces the body of our page's request by the form that was kept. To be called once the request
 * is authorized, for its session. Returns DECLINED or an HTTP status.
 */
int na_resend_post(request_rec *r, const na_session *session);

/* Gives the browser of a session the cookie without which no form of it is kept. */
void na_remember_former(request_rec *r, const na_session *session);

#endif
