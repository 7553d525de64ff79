/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the token of a link that was opened, out of the URL. */
#include "endpoint/opened_link.h"

/*
 * A link in an email has its token in the URL, which browsers keep in the history and send as
 * Referer. The first visit therefore only moves the token into a cookie and redirects to a URL
 * without it.
 */
#include <string.h>

#include <apr_strings.h>

#include "auth/remember_me.h"
#include "auth/respond.h"
#include "base/json.h"
#include "mail/address.h"

/* seconds between opening the link and submitting its page */
#define MAX_AGE 900

#define TOKEN_LEN_MAX 256

static const na_cookie *cookie_of(const na_request *request)
{
    return &request->config->cookies[NA_COOKIE_LINK];
}

static const char *path_of(const na_request *request)
{
    return request->provider_id
               ? apr_pstrcat(request->pool, "/", request->action, "/", request->provider_id, NULL)
               : apr_pstrcat(request->pool, "/", request->action, NULL);
}

static na_error *move_to_cookie(na_request *request, na_response *response, const char *email,
                                const char *token)
{
    char *sealed;
    const na_cookie *cookie = cookie_of(request);
    json_t *claims =
        na_json_own(request->pool, json_pack("{s:s, s:s, s:s, s:s*}", "path", path_of(request),
                                             "email", email, "token", token, NA_REMEMBER_ME,
                                             apr_table_get(request->query, NA_REMEMBER_ME)));
    if (!claims)
        return na_error_new(request->pool, NA_ERR_VERIFICATION, "the link is not UTF-8");
    NA_TRY(na_keyring_seal(request->pool, &request->config->check_rings[NA_COOKIE_LINK], claims,
                           request->now, MAX_AGE, &sealed));
    na_set_cookie(response, na_cookie_write(request->pool, cookie, cookie->name, sealed, MAX_AGE,
                                            request->now + apr_time_from_sec(MAX_AGE)));
    na_respond_redirect(request, response, 200,
                        apr_pstrcat(request->pool, request->config->base_url, path_of(request),
                                    NULL));
    return NULL;
}

/* Returns the claims of the link that was opened for this page, NULL if none. */
static json_t *kept_claims(const na_request *request)
{
    const char *value;
    for (int i = 0; (value = na_cookies_get(request->cookies, cookie_of(request)->name, i)); i++) {
        json_t *claims;
        na_error *error =
            na_keyring_open(request->pool, &request->config->check_rings[NA_COOKIE_LINK],
                            na_bytes_of(value), request->now, &claims);
        const char *path = error ? NULL : na_json_string(claims, "path");
        if (path && strcmp(path, path_of(request)) == 0)
            return claims;
    }
    return NULL;
}

static na_error *take_link(na_request *request, const char *email, const char *token,
                           na_opened_link *link)
{
    link->token = token;
    return email && token && strlen(token) <= TOKEN_LEN_MAX &&
                   !na_email_normalize(request->pool, email, &link->email)
               ? NULL
               : na_error_new(request->pool, NA_ERR_VERIFICATION,
                              "the link is incomplete, was opened too long ago or in another "
                              "browser, or cookies are blocked");
}

na_error *na_link_open(na_request *request, na_response *response, na_opened_link *link)
{
    const apr_table_t *query = request->query, *form = request->form;
    int is_post = strcmp(request->method, "POST") == 0;
    *link = (na_opened_link){.email = NULL};
    if (is_post) {
        if (request->csrf_verified && na_cookies_get(request->cookies, cookie_of(request)->name, 0))
            na_set_cookie(response, na_cookie_clear(request->pool, cookie_of(request),
                                                    cookie_of(request)->name));
        return take_link(request, apr_table_get(form, "email"), apr_table_get(form, "token"), link);
    }
    if (apr_table_get(query, "token")) {
        NA_TRY(
            take_link(request, apr_table_get(query, "email"), apr_table_get(query, "token"), link));
        link->is_moved = 1;
        return move_to_cookie(request, response, link->email, link->token);
    }
    json_t *claims = kept_claims(request);
    na_remember_me_take(request, na_json_string(claims, NA_REMEMBER_ME));
    return take_link(request, na_json_string(claims, "email"), na_json_string(claims, "token"),
                     link);
}
