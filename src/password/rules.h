/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for new passwords. */
#ifndef NA_PASSWORD_RULES_H
#define NA_PASSWORD_RULES_H

#include "password/hash.h"

/*
 * What new passwords are measured by, after NIST SP 800-63B: long enough, and not among those that
 * are tried first. All characters are welcome, and none is demanded. Passwords that exist are not
 * measured: who has one can sign in with it.
 */

/* Fewest characters; what NA_PASSWORD_RULES_DEFAULT and the rules of a site start from. */
#define NA_PASSWORD_CHARACTERS 8

typedef struct na_password_rules {
    int min_characters;   /* Unicode's, not bytes */
    const char *breached; /* address of a service of breached passwords, NULL: none (breached.h) */
    na_hash_kind kind;    /* bcrypt takes NA_BCRYPT_PASSWORD_MAX bytes, others NA_PASSWORD_MAX */
} na_password_rules;

#define NA_PASSWORD_RULES_DEFAULT                                                                  \
    ((na_password_rules){NA_PASSWORD_CHARACTERS, NULL, NA_HASH_KIND_DEFAULT})

/* Whose it is, UTF-8; what is not known is NULL. */
typedef struct na_password_owner {
    const char *name, *email;
    const char *host; /* the site's, without a port */
} na_password_owner;

typedef enum na_password_fault {
    NA_PASSWORD_FINE,
    NA_PASSWORD_TOO_SHORT,
    NA_PASSWORD_TOO_LONG,
    NA_PASSWORD_NO_TEXT,  /* not UTF-8 */
    NA_PASSWORD_COMMON,   /* in conf/common-passwords.txt */
    NA_PASSWORD_PERSONAL, /* has a name, an address or a host in it */
    NA_PASSWORD_SIMPLE    /* "aaaaaaaa", "12345678" */
} na_password_fault;

/*
 * The first fault that is found. Names and addresses count with their words of four characters and
 * more; the case of ASCII letters does not matter. Leaves no copy of the password.
 */
na_password_fault na_password_judge(const na_password_rules *rules, const na_password_owner *owner,
                                    const char *password);

/* A sentence for who chose it, plain text without the password; "" for NA_PASSWORD_FINE. */
const char *na_password_fault_text(apr_pool_t *pool, const na_password_rules *rules,
                                   na_password_fault fault);

#endif
