/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a mail server is on this machine or in a private network. */
#ifndef NA_MAIL_HOST_H
#define NA_MAIL_HOST_H

/* Returns 1 for this machine: localhost, or a loopback address. */
int na_mail_is_loopback(const char *host);

/*
 * Returns 1 for this machine, an address of a private network, or a name without a dot, as
 * containers have.
 */
int na_mail_is_local(const char *host);

#endif
