/* SPDX-License-Identifier: Apache-2.0 */
/* Email addresses and mailboxes. */
#ifndef NA_MAIL_ADDRESS_H
#define NA_MAIL_ADDRESS_H

#include "base/error.h"

/* Most bytes of an address (RFC 5321 section 4.5.3.1, without the two brackets of a path). */
#define NA_EMAIL_MAX 254

/*
 * Returns 1 if `text` is one plain address, 0 otherwise: local@domain, the local part a dot-atom of
 * at most 64 bytes, the domain a host name in ASCII (RFC 5321 section 4.1.2). The local part may
 * have letters, marks, and digits beyond ASCII (RFC 6531 section 3.3), composed (NFC), which NFKC
 * does not change. Quoted local parts and [addresses] are refused, and with them every character
 * that has a meaning in a header, a list, or an SMTP command.
 */
int na_email_is(const char *text);

/*
 * Writes the canonical form of what a user types, by which NextAuth identifies a person: `text`
 * without surrounding white space, the domain cut at a comma and in A-labels (xn--…, IDNA 2008),
 * all in lower case. It passes na_email_is, and the domain has a dot. NextAuth folds look-alikes
 * (NFKC) before it searches; in a local part they are refused here. The error's message does not
 * show the text.
 */
na_error *na_email_normalize(apr_pool_t *pool, const char *text, const char **email);

/*
 * Returns the canonical form of an address that a provider vouches for. It is that of
 * na_email_normalize if that accepts the address; more of ASCII is accepted here. NULL if it is not
 * local@domain, or contains white space or a character that has a meaning elsewhere.
 */
const char *na_email_canonical(apr_pool_t *pool, const char *text);

/* Returns "a***@example.org" for a log line; "***" if `email` is not an address. */
const char *na_email_mask(apr_pool_t *pool, const char *email);

/* The sender of an email. */
typedef struct na_mailbox {
    const char *name;  /* UTF-8 without control characters and any of ",<>@\; "" if none */
    const char *email; /* passes na_email_is, and is ASCII: a server need not support SMTPUTF8 */
} na_mailbox;

/* Parses only "a@b.org", "<a@b.org>", and "Name <a@b.org>"; the domain becomes ASCII. */
na_error *na_mailbox_parse(apr_pool_t *pool, const char *text, na_mailbox *mailbox);

/* Returns the mailbox for an API that accepts UTF-8; a name with special characters is quoted. */
const char *na_mailbox_text(apr_pool_t *pool, const na_mailbox *mailbox);

/* Returns the mailbox for a header, in ASCII. */
const char *na_mailbox_header(apr_pool_t *pool, const na_mailbox *mailbox);

/*
 * Returns text for a header, in ASCII: encoded words (RFC 2047), folded between them, if it is not
 * printable ASCII. `text` is well-formed UTF-8 without control characters.
 */
const char *na_mail_header_text(apr_pool_t *pool, const char *text);

#endif
