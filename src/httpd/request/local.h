/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_REQUEST_LOCAL_H
#define NA_HTTPD_REQUEST_LOCAL_H

#include "httpd/module.h"

/* When the request has just been read, before anybody else's hook. */
void na_note_local(request_rec *r);

/*
 * 1 where the client is a program on this machine: not by way of a proxy on it, and no page of
 * another site in a browser on it.
 */
int na_is_local(const request_rec *r);

/*
 * 1 where it only looks so: `Require local` lets it in, and who asks is not known. mod_remoteip
 * tells of a proxy whom it asks for.
 */
int na_is_disguised(const request_rec *r);

#endif
