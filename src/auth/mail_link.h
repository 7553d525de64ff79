/* SPDX-License-Identifier: Apache-2.0 */
/* Links that are sent by email, each for one use. */
#ifndef NA_AUTH_MAIL_LINK_H
#define NA_AUTH_MAIL_LINK_H

#include "auth/action.h"
#include "db/adapter.h"

typedef struct na_link {
    na_mail_kind kind;
    const char *email;      /* who gets it, normalized */
    const char *identifier; /* what it is for, in the database */
    const char *path;       /* below the base URL */
    long valid_for;         /* seconds */
    int is_for_nobody;      /* all is done as for a user, but no email leaves */
} na_link;

/* What the identifier begins with, before the email address: nothing if it signs in. */
#define NA_LINK_SIGN_UP "signup:"
#define NA_LINK_RESET "reset:"

/* Of an email address that gets a link: an identifier with it must fit into its column. */
#define NA_LINK_EMAIL_MAX 200

/* An error's code is NA_ERR_EMAIL_SIGNIN or one of an unavailable database. */
na_error *na_link_send(na_request *request, const na_link *link);

/*
 * Uses up a token in a transaction, which should stand even if this fails with NA_ERR_VERIFICATION:
 * it was used before, was never created, or has expired.
 */
na_error *na_link_use(na_request *request, na_db_use *use, const char *identifier,
                      const char *token);

/* Returns what na_link_use would return now; nothing is used up. */
na_error *na_link_check(na_request *request, na_db_use *use, const char *identifier,
                        const char *token);

/* Ends all links of an email address; NULL has none. */
na_error *na_link_end_all(na_request *request, na_db_use *use, const char *email);

#endif
