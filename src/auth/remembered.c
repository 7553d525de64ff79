/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers in which a second factor was given, and is not asked for again. */
#include "auth/remembered.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/respond.h"
#include "base/crypto.h"
#include "session/device.h"

/*
 * The cookie has a random value for each user who asked to be remembered, the newest first, with
 * dots between them: several people can use one browser. The database has their hashes.
 */
#define BYTES 32
#define CHARACTERS 43
#define USERS_MAX 4

/* Most browsers of a user; the oldest is forgotten. */
#define BROWSERS_MAX 20

static const na_cookie *cookie_of(const na_request *request)
{
    return &request->config->cookies[NA_COOKIE_REMEMBERED];
}

/* A cookie that one site was shown is of no use at another with the same users. */
static const char *hash_of(const na_request *request, const char *user_id, const char *value)
{
    return na_sha256_hex(request->pool,
                         apr_pstrcat(request->pool, "browser of ", user_id, "\nat ",
                                     request->config->session.site, "\n", NULL),
                         value);
}

/* Returns the next value of a cookie, and moves *rest behind it; NULL at its end. */
static const char *next_value(apr_pool_t *pool, const char **rest)
{
    if (strlen(*rest) < CHARACTERS)
        return NULL;
    const char *value = apr_pstrmemdup(pool, *rest, CHARACTERS);
    *rest += CHARACTERS + ((*rest)[CHARACTERS] == '.');
    return value;
}

static const na_db_secret *find_row(const na_factors *factors, const char *hash)
{
    for (int i = 0; i < factors->browsers->nelts; i++) {
        const na_db_secret *row = &APR_ARRAY_IDX(factors->browsers, i, na_db_secret);
        if (na_equal_secret(row->id, hash))
            return row;
    }
    return NULL;
}

const na_db_secret *na_remembered_find(const na_request *request, const na_factors *factors)
{
    const char *cookie, *value;
    if (!request->config->remember_days)
        return NULL;
    for (int i = 0; (cookie = na_cookies_get(request->cookies, cookie_of(request)->name, i)); i++)
        for (int k = 0; k < USERS_MAX && (value = next_value(request->pool, &cookie)); k++) {
            const na_db_secret *row = find_row(factors, hash_of(request, factors->user_id, value));
            if (row)
                return row;
        }
    return NULL;
}

/* Returns the values of other users that the browser keeps. */
static const char *others(const na_request *request)
{
    const char *cookie = na_cookies_get(request->cookies, cookie_of(request)->name, 0);
    const char *value, *kept = "";
    for (int i = 1; cookie && i < USERS_MAX && (value = next_value(request->pool, &cookie)); i++)
        kept = apr_pstrcat(request->pool, kept, ".", value, NULL);
    return kept;
}

void na_remembered_add(na_request *request, na_response *response, const na_factors *factors,
                       apr_array_header_t *rows, apr_array_header_t *removed)
{
    const long seconds = request->config->remember_days * 24L * 3600;
    const char *value = na_random_base64url(request->pool, BYTES);
    const char *device = na_device(request->pool, request->origin.user_agent);
    apr_int64_t now = apr_time_as_msec(request->now);
    APR_ARRAY_PUSH(rows, na_db_secret) =
        (na_db_secret){.id = hash_of(request, factors->user_id, value),
                       .user_id = factors->user_id,
                       .kind = NA_SECRET_BROWSER,
                       .name = *device ? device : NULL,
                       .created_at = now,
                       .used_at = now,
                       .expires_at = now + seconds * 1000};
    for (int i = BROWSERS_MAX - 1; i < factors->browsers->nelts; i++)
        APR_ARRAY_PUSH(removed, na_db_secret) = APR_ARRAY_IDX(factors->browsers, i, na_db_secret);
    na_set_cookie(response,
                  na_cookie_write(request->pool, cookie_of(request), cookie_of(request)->name,
                                  apr_pstrcat(request->pool, value, others(request), NULL), seconds,
                                  request->now + apr_time_from_sec(seconds)));
}
