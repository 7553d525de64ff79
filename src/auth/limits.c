/* SPDX-License-Identifier: Apache-2.0 */
/* The default rate limits of a site, and their names. */
#include "auth/limits.h"

#include <string.h>

static const char *const names[] = {[NA_LIMIT_SIGN_IN] = "signIn",
                                    [NA_LIMIT_CALLBACK] = "callback",
                                    [NA_LIMIT_MAGIC_LINK] = "magicLink",
                                    [NA_LIMIT_SIGN_UP] = "signUp",
                                    [NA_LIMIT_PASSWORD_RESET] = "passwordReset",
                                    [NA_LIMIT_SECOND_FACTOR] = "secondFactor",
                                    [NA_LIMIT_MAIL] = "mail",
                                    [NA_LIMIT_DEVICE_LOGIN] = "deviceLogin",
                                    [NA_LIMIT_TOKEN] = "token",
                                    [NA_LIMIT_LONG_URL] = "longUrl",
                                    [NA_LIMIT_PRESERVED_POST] = "preservedPost"};

static const char *const by_names[] = {[NA_BY_ADDRESS] = "address",
                                       [NA_BY_ACCOUNT] = "account",
                                       [NA_BY_BOTH] = "both",
                                       [NA_BY_SITE] = "site"};

const char *na_limited_name(na_limited what)
{
    return names[what];
}

const char *na_limit_by_name(na_limit_by by)
{
    return by_names[by];
}

int na_limited_find(const char *name, na_limited *what)
{
    for (int i = 0; i < NA_LIMITED; i++)
        if (strcmp(names[i], name) == 0) {
            *what = (na_limited)i;
            return 1;
        }
    return 0;
}

int na_limit_by_find(const char *name, apr_size_t len, na_limit_by *by)
{
    for (int i = NA_BY_ADDRESS; i <= NA_BY_SITE; i++)
        if (strlen(by_names[i]) == len && strncmp(by_names[i], name, len) == 0) {
            *by = (na_limit_by)i;
            return 1;
        }
    return 0;
}

/*
 * An IP address can be a whole office, an account is one person. `both` is below `account` because
 * one client alone must not be able to lock an account. What clients of any number leave in a store
 * has a limit for all of them together. docs/rate-limits.md has the table.
 */
const na_limit_list *na_limits_default(na_limited what)
{
    static const na_limit_list limits[NA_LIMITED] = {
        [NA_LIMIT_SIGN_IN] = {{{NA_BY_ADDRESS, {60, 600, 0}},
                               {NA_BY_BOTH, {10, 600, 0}},
                               {NA_BY_ACCOUNT, {30, 3600, 30}}},
                              3},
        [NA_LIMIT_CALLBACK] = {{{NA_BY_ADDRESS, {60, 60, 0}}}, 1},
        [NA_LIMIT_MAGIC_LINK] = {{{NA_BY_ADDRESS, {60, 3600, 0}}, {NA_BY_ACCOUNT, {5, 3600, 0}}},
                                 2},
        [NA_LIMIT_SIGN_UP] = {{{NA_BY_ADDRESS, {30, 3600, 0}}, {NA_BY_ACCOUNT, {3, 3600, 0}}}, 2},
        [NA_LIMIT_PASSWORD_RESET] = {{{NA_BY_ADDRESS, {30, 3600, 0}},
                                      {NA_BY_ACCOUNT, {3, 3600, 0}}},
                                     2},
        [NA_LIMIT_SECOND_FACTOR] = {{{NA_BY_ADDRESS, {60, 600, 0}},
                                     {NA_BY_ACCOUNT, {10, 900, 0}},
                                     {NA_BY_ACCOUNT, {40, 86400, 0}}},
                                    3},
        [NA_LIMIT_MAIL] = {{{NA_BY_ADDRESS, {60, 3600, 0}}, {NA_BY_ACCOUNT, {8, 3600, 0}}}, 2},
        [NA_LIMIT_DEVICE_LOGIN] = {{{NA_BY_ADDRESS, {60, 600, 0}}, {NA_BY_ACCOUNT, {20, 600, 0}}},
                                   2},
        [NA_LIMIT_TOKEN] = {{{NA_BY_ADDRESS, {60, 600, 0}}}, 1},
        [NA_LIMIT_LONG_URL] = {{{NA_BY_ADDRESS, {120, 600, 0}}, {NA_BY_SITE, {3000, 3600, 0}}}, 2},
        [NA_LIMIT_PRESERVED_POST] = {{{NA_BY_ADDRESS, {120, 600, 0}},
                                      {NA_BY_ACCOUNT, {20, 600, 0}}},
                                     2},
    };
    return &limits[what];
}

na_error *na_limits_derive(apr_pool_t *pool, na_limits *limits, const char *secret)
{
    return na_hkdf_sha256(pool, na_bytes_of(secret), na_bytes_of(""),
                          na_bytes_of("mod_nextauth rate limits"), limits->key, sizeof limits->key);
}
