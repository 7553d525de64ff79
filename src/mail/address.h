/* SPDX-License-Identifier: Apache-2.0 */
/* Email addresses and mailboxes: checked, normalized, written. */
#ifndef NA_MAIL_ADDRESS_H
#define NA_MAIL_ADDRESS_H

#include "base/error.h"

/* NextAuth's error code of an address or a mail that is refused for good. */
/* Most bytes of an address (RFC 5321 section 4.5.3.1, the path's two brackets left out). */
#define NA_EMAIL_MAX 254

/*
 * 1 if `text` is one plain address, 0 otherwise: local@domain, the local part a dot-atom of at most
 * 64 bytes, the domain a host name in ASCII (RFC 5321 section 4.1.2). The local part may have
 * letters, marks, and digits beyond ASCII (RFC 6531 section 3.3), composed (NFC), of which NFKC
 * makes nothing else. Quoted local parts and [addresses] are refused, and with them every character
 * that has a meaning in a header, a list or an SMTP command.
 */
int na_email_is(const char *text);

/*
 * The canonical form of what a user types, by which NextAuth identifies a person: `text` without
 * white space around it, the domain cut at a comma and in A-labels (xn--…, IDNA 2008), all in lower
 * case. na_email_is holds for it, and the domain has a dot. NextAuth folds look-alikes (NFKC)
 * before it looks; in a local part they are refused here. The error's message does not show the
 * text.
 */
na_error *na_email_normalize(apr_pool_t *pool, const char *text, const char **email);

/*
 * The canonical form of an address that a provider vouches for, the same as na_email_normalize's
 * wherever that takes it; it takes some more of ASCII. NULL if it has none: it is no local@domain,
 * or has white space or what would mean something elsewhere.
 */
const char *na_email_canonical(apr_pool_t *pool, const char *text);

/* "a***@example.org", for a log line; "***" for what is no address. */
const char *na_email_mask(apr_pool_t *pool, const char *email);

/* Who a mail is from. */
typedef struct na_mailbox {
    const char
        *name; /* UTF-8 without control characters and any of ",<>@\; "" where there is none */
    const char *email; /* passes na_email_is, and is ASCII: a server need not support SMTPUTF8 */
} na_mailbox;

/* "a@b.org", "<a@b.org>" or "Name <a@b.org>", and nothing else; the domain becomes ASCII. */
na_error *na_mailbox_parse(apr_pool_t *pool, const char *text, na_mailbox *mailbox);

/* The same for an API that takes UTF-8: a name with characters of meaning is quoted. */
const char *na_mailbox_text(apr_pool_t *pool, const na_mailbox *mailbox);

/* The same for a header, in ASCII. */
const char *na_mailbox_header(apr_pool_t *pool, const na_mailbox *mailbox);

/*
 * Text for a header, in ASCII: encoded words (RFC 2047), folded between them, where it is not
 * printable ASCII. `text` is well-formed UTF-8 without control characters.
 */
const char *na_mail_header_text(apr_pool_t *pool, const char *text);

#endif
