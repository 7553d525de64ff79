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

/* Changes of an account that its owner is notified of. Each has its sentence in notice.c. */
typedef enum na_change {
    NA_CHANGE_SECOND_FACTOR_ON,
    NA_CHANGE_SECOND_FACTOR_OFF,
    NA_CHANGE_RECOVERY_CODES,
    NA_CHANGE_RECOVERY_CODE_USED,
    NA_CHANGE_PASSKEY_ADDED,
    NA_CHANGE_PASSKEY_REMOVED,
    NA_CHANGE_TOKEN_CREATED,
    NA_CHANGE_TOKEN_REVOKED,
    NA_CHANGE_ACCOUNT_LINKED,
    NA_CHANGE_ACCOUNT_UNLINKED,
    NA_CHANGE_DELETED
} na_change;

/* Notifies the owner of an email address (can be NULL) of a change that was done, likewise. */
void na_notice_change(na_request *request, na_change change, const char *email);

#endif
