/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-ins that a protected page begins at a provider, without the sign-in page in between. */
#include "auth/direct.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/respond.h"

/* Most sign-ins in a row, as pages of several tabs begin them, each within WINDOW seconds. */
#define IN_A_ROW_MAX 3
#define WINDOW 60

#define SIGNED_OUT "out"

static const na_cookie *cookie_of(const na_request *request)
{
    return &request->config->cookies[NA_COOKIE_DIRECT];
}

static const char *value_of(const na_request *request)
{
    const char *value = na_cookies_get(request->cookies, cookie_of(request)->name, 0);
    return value ? value : "0";
}

static void set_value(na_request *request, na_response *response, const char *value, int max_age)
{
    const na_cookie *cookie = cookie_of(request);
    na_set_cookie(response,
                  na_cookie_write(request->pool, cookie, cookie->name, value, max_age, 0));
}

na_direct na_direct_is_due(const na_request *request)
{
    const char *value = value_of(request);
    if (strcmp(value, SIGNED_OUT) == 0)
        return NA_DIRECT_SIGNED_OUT;
    return *value >= '0' && *value < '0' + IN_A_ROW_MAX && !value[1] ? NA_DIRECT_GO
                                                                     : NA_DIRECT_TOO_MANY;
}

void na_direct_count(na_request *request, na_response *response)
{
    const char *value = value_of(request);
    int before = strcmp(value, SIGNED_OUT) == 0 ? 0 : *value - '0';
    set_value(request, response, apr_itoa(request->pool, before + 1), WINDOW);
}

void na_direct_pause(na_request *request, na_response *response)
{
    if (request->config->has_direct)
        set_value(request, response, SIGNED_OUT, -1);
}

void na_direct_resume(na_request *request, na_response *response)
{
    const na_cookie *cookie = cookie_of(request);
    if (na_cookies_get(request->cookies, cookie->name, 0))
        na_set_cookie(response, na_cookie_clear(request->pool, cookie, cookie->name));
}

void na_direct_signed_in(na_request *request, na_response *response)
{
    if (strcmp(value_of(request), SIGNED_OUT) == 0)
        na_direct_resume(request, response);
}
