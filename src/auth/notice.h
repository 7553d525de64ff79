/* SPDX-License-Identifier: Apache-2.0 */
/* Notifies the owner of an account by email. */
#ifndef NA_AUTH_NOTICE_H
#define NA_AUTH_NOTICE_H

#include "auth/action.h"

/* Seconds for which sending a notice is retried. */
#define NA_NOTICE_SECONDS (24L * 3600)

/*
 * Notifies the owner of an email address (can be NULL) of a change to the account, if the site
 * sends email. A failure is only logged, because the change is done.
 */
void na_notice_send(na_request *request, na_mail_kind kind, const char *email, long seconds);

#endif
