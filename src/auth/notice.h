/* SPDX-License-Identifier: Apache-2.0 */
/* Notices to the owner of an account, by email. */
#ifndef NA_AUTH_NOTICE_H
#define NA_AUTH_NOTICE_H

#include "auth/action.h"

/* How long a notice that cannot be sent at once is tried for: it says what was done. */
#define NA_NOTICE_SECONDS (24L * 3600)

/*
 * Tells the owner of an email address what was done with the account, if the site sends email at
 * all. A failure is a line of the log: what the notice is about is done.
 */
void na_notice_send(na_request *request, na_mail_kind kind, const char *email, long seconds);

#endif
