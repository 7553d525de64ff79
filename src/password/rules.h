/* SPDX-License-Identifier: Apache-2.0 */
/* Judges new passwords. */
#ifndef NA_PASSWORD_RULES_H
#define NA_PASSWORD_RULES_H

#include "base/language.h"
#include "password/hash.h"

/*
 * After NIST SP 800-63B, new passwords must be long enough and not among those that attackers try
 * first. All characters are allowed, and none is required. Existing passwords are not judged and
 * keep working.
 */

/* Fewest characters, in NA_PASSWORD_RULES_DEFAULT and in a site's rules by default. */
#define NA_PASSWORD_CHARACTERS 8

typedef struct na_password_rules {
    int min_characters;   /* Unicode characters, not bytes */
    const char *breached; /* URL of a breached-password service (breached.h), NULL if none */
    na_hash_kind kind;    /* limits bytes: NA_BCRYPT_PASSWORD_MAX or NA_PASSWORD_MAX */
} na_password_rules;

#define NA_PASSWORD_RULES_DEFAULT                                                                  \
    ((na_password_rules){NA_PASSWORD_CHARACTERS, NULL, NA_HASH_KIND_DEFAULT})

/* The owner of a password, in UTF-8; members are NULL if unknown. */
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
    NA_PASSWORD_PERSONAL, /* contains a name, an email address, or a host */
    NA_PASSWORD_SIMPLE    /* "aaaaaaaa", "12345678" */
} na_password_fault;

/*
 * Returns the first fault. Names and email addresses count as a whole and with each word of at
 * least four characters; ASCII letters are compared without case. Leaves no copy of the password.
 */
na_password_fault na_password_judge(const na_password_rules *rules, const na_password_owner *owner,
                                    const char *password);

/* Returns a sentence for the user, plain text without the password; "" for NA_PASSWORD_FINE. */
const char *na_password_fault_text(apr_pool_t *pool, const na_language *language,
                                   const na_password_rules *rules, na_password_fault fault);

#endif
