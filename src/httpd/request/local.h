/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from this machine itself, which some handlers trust. */
#ifndef NA_HTTPD_REQUEST_LOCAL_H
#define NA_HTTPD_REQUEST_LOCAL_H

#include "httpd/module.h"

/* Must be called when the request has just been read, before the hooks of other modules. */
void na_note_local(request_rec *r);

/*
 * Returns 1 if the client is a program on this machine: not through a proxy on it, and not a page
 * of another site in a browser on it.
 */
int na_is_local(const request_rec *r);

/*
 * Returns 1 if the client only seems to be on this machine: `Require local` allows it, but the real
 * client is unknown, because no mod_remoteip replaces a proxy's IP address.
 */
int na_is_disguised(const request_rec *r);

#endif
