/* SPDX-License-Identifier: Apache-2.0 */
/* Sends links by email, and uses up their tokens. */
#ifndef NA_AUTH_MAIL_LINK_H
#define NA_AUTH_MAIL_LINK_H

#include "auth/action.h"
#include "sql/records.h"

typedef struct na_link {
    na_mail_kind kind;
    const char *email;      /* the recipient, normalized */
    const char *identifier; /* identifier of the token in the database */
    const char *path;       /* below the base URL */
    long valid_for;         /* seconds */
    int is_for_nobody;      /* everything is done except sending the email */
} na_link;

/* Prefixes of the identifier, before the email address; a sign-in link has none. */
#define NA_LINK_SIGN_UP "signup:"
#define NA_LINK_RESET "reset:"

/* Longest email address that gets a link: an identifier with it must fit into its column. */
#define NA_LINK_EMAIL_MAX 200

/* The code of an error is NA_ERR_EMAIL_SIGNIN, or that of a database that is unavailable. */
na_error *na_link_send(na_request *request, const na_link *link);

/*
 * Uses up a token in a transaction. If the token was used before, was never created, or has
 * expired, the error is NA_ERR_VERIFICATION, and the caller must still commit the transaction.
 */
na_error *na_link_use(na_request *request, na_db_use *use, const char *identifier,
                      const char *token);

/* Returns what na_link_use would return now; nothing is used up. */
na_error *na_link_check(na_request *request, na_db_use *use, const char *identifier,
                        const char *token);

/* Revokes all links of an email address, which can be NULL. */
na_error *na_link_end_all(na_request *request, na_db_use *use, const char *email);

#endif
