/* SPDX-License-Identifier: Apache-2.0 */
/* Sends links by email, and uses up their tokens. */
#ifndef NA_AUTH_MAIL_LINK_H
#define NA_AUTH_MAIL_LINK_H

#include "auth/action.h"
#include "db/database.h"

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
 * Finds the token of a link, for na_decision.token, which uses it up. If the token was used before,
 * was never created, or has expired, the error is NA_ERR_VERIFICATION; an expired one is deleted.
 */
na_error *na_link_find(na_request *request, const char *identifier, const char *token,
                       na_db_token *row);

/* Returns the identifiers (const char *) of all links of an email address, which can be NULL. */
const apr_array_header_t *na_link_identifiers(apr_pool_t *pool, const char *email);

#endif
