/* SPDX-License-Identifier: Apache-2.0 */
/* Letters beyond ASCII in email addresses, for src/mail alone. */
#ifndef NA_MAIL_UNICODE_H
#define NA_MAIL_UNICODE_H

#include <apr_pools.h>

/*
 * Returns 1 if characters beyond ASCII in the local part (RFC 6531 section 3.3) are letters, marks,
 * and digits that are no variants of others, 0 otherwise: PRECIS's IdentifierClass (RFC 8264
 * section 4.2). Refused are spaces, symbols, punctuation, invisible and unassigned characters,
 * those that NFKC changes, and marks that follow no letter. ASCII is not checked.
 */
int na_unicode_is_local(const char *local, apr_size_t len);

/* Returns the local part in lower case, as JavaScript's toLowerCase, in NFC; NULL if not UTF-8. */
const char *na_unicode_lower(apr_pool_t *pool, const char *local, apr_size_t len);

/*
 * Returns the domain with A-labels for labels beyond ASCII: IDNA 2008, mapped by UTS 46 without
 * transitional processing, as browsers do. NULL if it has no such form. ASCII is not checked.
 */
const char *na_unicode_domain(apr_pool_t *pool, const char *domain);

#endif
