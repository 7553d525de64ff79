/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_MAIL_ADDRESS_H
#define NA_MAIL_ADDRESS_H

#include "base/error.h"

/* NextAuth's error code of an address or a mail that is refused for good. */
#define NA_ERR_EMAIL_SIGNIN "EmailSignin"

/* Most bytes of an address (RFC 5321 section 4.5.3.1, the path's two brackets left out). */
#define NA_EMAIL_MAX 254

/*
 * 1 where `text` is one plain address: local@domain, the local part a dot-atom of at most 64
 * bytes, the domain a host name (RFC 5321 section 4.1.2). All ASCII: what is beyond could look
 * like, or be folded by some mail system to, another address; a domain with other letters is
 * written as xn--…. Quoted local parts and [addresses] are refused, and with them every
 * character that has a meaning in a header, a list or an SMTP command.
 */
int na_email_is(const char *text);

/*
 * What NextAuth identifies a person by: `text` without white space around it, in lower case, the
 * domain cut at a comma; it has to have a dot in the domain besides what na_email_is demands.
 * NextAuth folds look-alikes (NFKC) before it looks; here they are refused. The error's message
 * does not show the text.
 */
na_error *na_email_normalize(apr_pool_t *pool, const char *text, const char **email);

/*
 * The one form of an address that a provider vouches for: ASCII letters in lower case. NULL where
 * it has none: it is no local@domain, or has white space or what would mean something elsewhere.
 * Letters beyond ASCII are left as they are: mail is not sent there by this.
 */
const char *na_email_canonical(apr_pool_t *pool, const char *text);

/* "a***@example.org", for a log line; "***" for what is no address. */
const char *na_email_mask(apr_pool_t *pool, const char *email);

/* Who a mail is from. */
typedef struct na_mailbox {
    const char
        *name; /* UTF-8 without control characters and any of ",<>@\; "" where there is none */
    const char *email; /* passes na_email_is */
} na_mailbox;

/* "a@b.org", "<a@b.org>" or "Name <a@b.org>", and nothing else. */
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
