/* SPDX-License-Identifier: Apache-2.0 */
/* The default rate limits of a site, and their names. */
#ifndef NA_AUTH_LIMITS_H
#define NA_AUTH_LIMITS_H

#include "session/keyring.h"
#include "store/rate.h"

/* The actions that NextAuthRateLimit limits. */
typedef enum na_limited {
    NA_LIMIT_SIGN_IN,  /* wrong passwords */
    NA_LIMIT_CALLBACK, /* failed callbacks of providers and of links in emails */
    NA_LIMIT_MAGIC_LINK,
    NA_LIMIT_SIGN_UP,
    NA_LIMIT_PASSWORD_RESET,
    NA_LIMIT_SECOND_FACTOR,  /* wrong codes of a second factor */
    NA_LIMIT_MAIL,           /* emails that are sent, whatever they are for */
    NA_LIMIT_DEVICE_LOGIN,   /* requests of devices, and codes that users enter */
    NA_LIMIT_TOKEN,          /* wrong personal access tokens */
    NA_LIMIT_LONG_URL,       /* URLs that are too long for a cookie */
    NA_LIMIT_PRESERVED_POST, /* forms that are kept until the next sign-in */
    NA_LIMITED
} na_limited;

typedef enum na_limit_by { NA_BY_ADDRESS, NA_BY_ACCOUNT, NA_BY_BOTH, NA_BY_SITE } na_limit_by;

typedef struct na_limit {
    na_limit_by by;
    na_rate rate;
} na_limit;

#define NA_LIMITS_MAX 8

typedef struct na_limit_list {
    na_limit list[NA_LIMITS_MAX];
    int count; /* 0 if nothing is limited */
} na_limit_list;

/* A site's limits. */
typedef struct na_limits {
    na_limit_list of[NA_LIMITED];
    unsigned char key[NA_SHA256_LEN]; /* key of the hashes of names and IP addresses */
    na_keyring known;                 /* for the cookies of known browsers */
} na_limits;

/* Return names as in the configuration, metrics, and logs: "signIn", "address". */
const char *na_limited_name(na_limited what);
const char *na_limit_by_name(na_limit_by by);

/* Return 1 if there is one of that name. */
int na_limited_find(const char *name, na_limited *what);
int na_limit_by_find(const char *name, apr_size_t len, na_limit_by *by);

/* Returns the limits in production mode if no directive changes them. */
const na_limit_list *na_limits_default(na_limited what);

/* Derives the key of hashes from the newest secret. */
na_error *na_limits_derive(apr_pool_t *pool, na_limits *limits, const char *secret);

#endif
