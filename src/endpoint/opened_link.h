/* SPDX-License-Identifier: Apache-2.0 */
/* A link of an email that was opened, or the form of its page. */
#ifndef NA_ENDPOINT_OPENED_LINK_H
#define NA_ENDPOINT_OPENED_LINK_H

#include "auth/action.h"

typedef struct na_opened_link {
    const char *email, *token;
    int is_moved; /* the response redirects to the page, whose URL has neither */
} na_opened_link;

/*
 * Takes the link from the form of a POST, from the URL, or from the cookie that it was moved to;
 * does not use it up. The error is NA_ERR_VERIFICATION if it is in none of them.
 */
na_error *na_link_open(na_request *request, na_response *response, na_opened_link *link);

#endif
