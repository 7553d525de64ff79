/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up new passwords in a service of breached passwords. */
#include "password/breached.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/crypto.h"

#define PREFIX_LEN 5
#define REST_LEN (2 * NA_SHA1_LEN - PREFIX_LEN)

static int is_zero(const char *count, apr_size_t len)
{
    apr_size_t i = 0;
    while (i < len && count[i] == '0')
        i++;
    return i == len || !apr_isdigit(count[i]);
}

/* Returns 1 if a line of an answer has the rest of the hash; not every service writes capitals. */
static int has_rest(const char *line, apr_size_t len, const char *rest)
{
    if (len <= REST_LEN || line[REST_LEN] != ':')
        return 0;
    for (int i = 0; i < REST_LEN; i++)
        if (apr_toupper(line[i]) != rest[i])
            return 0;
    return !is_zero(line + REST_LEN + 1, len - REST_LEN - 1);
}

int na_breached_in(na_bytes answer, const char *rest)
{
    const char *at = (const char *)answer.data, *end = at + answer.len;
    while (at < end) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        if (!next)
            next = end;
        if (has_rest(at, (apr_size_t)(next - at), rest))
            return 1;
        at = next + 1;
    }
    return 0;
}

na_error *na_breached_ask(na_http *http, apr_pool_t *pool, const char *url, const char *password,
                          int *found)
{
    /* the service fills answers up to a common length */
    static const char *const headers[] = {"Add-Padding: true", NULL};
    unsigned char hash[NA_SHA1_LEN];
    na_http_response response;
    *found = 0;
    na_sha1(hash, na_bytes_of(password));
    char *hex = na_hex(pool, hash, sizeof hash);
    na_wipe(hash, sizeof hash);
    na_wipe_with_pool(pool, hex, strlen(hex));
    for (char *p = hex; *p; p++)
        *p = (char)apr_toupper(*p);
    const na_http_request request = {.url =
                                         apr_pstrcat(pool, url,
                                                     apr_pstrmemdup(pool, hex, PREFIX_LEN), NULL),
                                     .accept = "text/plain",
                                     .headers = headers};
    NA_TRY(na_http_fetch(http, pool, &request, &response));
    if (response.status != 200)
        return na_error_new(pool, NA_ERR_UNAVAILABLE,
                            "the breached-password service returned status %ld", response.status);
    *found = na_breached_in(response.body, hex + PREFIX_LEN);
    return NULL;
}
