/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthStripCookie: cookies of this module that applications do not receive. */
#include "httpd/request/cookies.h"

#include <string.h>

#include <apr_lib.h>

int na_hides_cookies(const na_dir_conf *dir)
{
    return dir->strip_cookie == NA_STRIP_DEFAULT ? dir->headers || dir->variables
                                                 : dir->strip_cookie == NA_STRIP_ON;
}

/* Returns the rest of a name that begins with the cookie's; NULL if it does not. */
static const char *rest_of(na_bytes name, const char *cookie, apr_size_t *len)
{
    apr_size_t cookie_len = strlen(cookie);
    if (name.len < cookie_len || memcmp(name.data, cookie, cookie_len) != 0)
        return NULL;
    *len = name.len - cookie_len;
    return (const char *)name.data + cookie_len;
}

/* A session's cookie has chunks: "NAME.0". */
static int is_session_cookie(na_bytes name, const char *cookie)
{
    apr_size_t len = 0;
    const char *rest = rest_of(name, cookie, &len);
    if (!rest || !len)
        return rest != NULL;
    for (apr_size_t i = 1; i < len; i++)
        if (!apr_isdigit(rest[i]))
            return 0;
    return *rest == '.' && len > 1;
}

/* Cookies of concurrent sign-ins are told apart by a suffix: "NAME.SUFFIX". */
static int is_other_cookie(na_bytes name, na_cookie_id id, const char *cookie)
{
    apr_size_t len = 0;
    const char *rest = rest_of(name, cookie, &len);
    int has_suffix = (id >= NA_COOKIE_STATE && id <= NA_COOKIE_NONCE) || id == NA_COOKIE_CHALLENGE;
    return rest && (!len || (has_suffix && *rest == '.'));
}

static int is_ours(na_bytes name, const void *data)
{
    const na_config *config = data;
    for (int i = 0; i < config->session.source_count; i++)
        if (is_session_cookie(name, config->session.sources[i].cookie.name))
            return 1;
    for (int i = 0; i < NA_COOKIE_COUNT; i++)
        if (is_other_cookie(name, i, config->cookies[i].name))
            return 1;
    return 0;
}

/* Returns the header before cookies were removed; NULL if none was removed so far. */
static const char *original_header(const request_rec *r)
{
    for (; r; r = r->main ? r->main : r->prev) {
        const na_state *state = ap_get_module_config(r->request_config, &nextauth_module);
        if (state && state->cookies)
            return state->cookies;
    }
    return NULL;
}

const char *na_cookie_header_of(const request_rec *r)
{
    const char *original = original_header(r);
    return original ? original : apr_table_get(r->headers_in, "Cookie");
}

static void set_header(request_rec *r, const char *cookies)
{
    if (cookies)
        apr_table_setn(r->headers_in, "Cookie", cookies);
    else
        apr_table_unset(r->headers_in, "Cookie");
}

void na_hide_cookies(request_rec *r)
{
    const char *original = original_header(r);
    const char *cookies = original ? original : apr_table_get(r->headers_in, "Cookie");
    if (!cookies)
        return;
    if (!na_hides_cookies(na_dir_conf_of(r))) {
        if (original)
            set_header(r, original);
        return;
    }
    na_state_of(r)->cookies = cookies;
    set_header(r, na_cookies_without(r->pool, cookies, is_ours, na_site_config_of(r)));
}
