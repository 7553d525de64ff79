/* SPDX-License-Identifier: Apache-2.0 */
/* Letters beyond ASCII in email addresses. */
#ifndef NA_MAIL_UNICODE_H
#define NA_MAIL_UNICODE_H

#include <apr_pools.h>

/* Letters beyond ASCII in the two halves of an email address; for src/mail alone. */

/*
 * 1 if characters beyond ASCII in the local part (RFC 6531 section 3.3) are letters, marks, and
 * digits of which no others are a variant, 0 otherwise: PRECIS's IdentifierClass (RFC 8264 section
 * 4.2). Left out are spaces, symbols, punctuation, what is invisible or unassigned, what NFKC makes
 * something else of, and marks without a letter before them. ASCII is not looked at.
 */
int na_unicode_is_local(const char *local, apr_size_t len);

/* The local part in lower case, as JavaScript's toLowerCase does it, and NFC; NULL if not UTF-8. */
const char *na_unicode_lower(apr_pool_t *pool, const char *local, apr_size_t len);

/*
 * The domain with A-labels for others: IDNA 2008, mapped by UTS 46 without its transitional
 * processing, as browsers do it. NULL if it has no such form. ASCII is not looked at.
 */
const char *na_unicode_domain(apr_pool_t *pool, const char *domain);

#endif
