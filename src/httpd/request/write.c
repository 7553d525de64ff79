/* SPDX-License-Identifier: Apache-2.0 */
/* Writes responses of endpoints, and pages. */
#include "httpd/request/write.h"

#include <string.h>

#include <apr_strings.h>

#include "httpd/module.h"

/*
 * form-action lists no hosts: browsers also apply it to redirects after a form, and the URL of a
 * provider is unknown until its metadata is fetched.
 */
static void set_page_headers(request_rec *r, const na_response *response)
{
    const na_config *config = na_config_of(r);
    const char *http = config->http.allow_http ? " http:" : "", *frames = config->frame_origins;
    const char *script =
        response->runs_script
            ? apr_pstrcat(r->pool, "; script-src ", config->base_url, "/passkey.js; connect-src ",
                          config->base_url, "/webauthn-options/", NULL)
        : response->script_hash
            ? apr_pstrcat(r->pool, "; script-src '", response->script_hash, "'", NULL)
            : "";
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   apr_pstrcat(r->pool, "default-src 'none'; style-src 'nonce-",
                               response->style_nonce, "'", script, "; img-src 'self' https:", http,
                               "; form-action 'self' https:", http, "; frame-ancestors ",
                               frames ? frames : "'none'", "; base-uri 'none'", NULL));
    apr_table_setn(r->headers_out, "Content-Language", response->language);
    if (!frames) /* it cannot name origins, and browsers that know frame-ancestors ignore it */
        apr_table_setn(r->headers_out, "X-Frame-Options", "DENY");
    apr_table_setn(r->headers_out, "Cross-Origin-Opener-Policy", "same-origin");
    apr_table_setn(r->headers_out, "Cross-Origin-Resource-Policy", "same-origin");
}

/*
 * Referer never contains more than the origin, and nothing if the query had secrets. no-referrer is
 * not the rule, because browsers then send "Origin: null" with forms (Fetch, section 3.2), which
 * looks like a form of another site.
 */
static const char *referrer_policy(request_rec *r)
{
    return na_state_of(r)->query ? "no-referrer" : "strict-origin";
}

int na_write_response(request_rec *r, const na_response *response)
{
    r->status = response->status;
    for (int i = 0; i < response->set_cookies->nelts; i++)
        apr_table_addn(r->err_headers_out, "Set-Cookie",
                       APR_ARRAY_IDX(response->set_cookies, i, char *));
    if (!response->cacheable) {
        apr_table_setn(r->headers_out, "Cache-Control", "private, no-cache, no-store");
        apr_table_setn(r->headers_out, "Pragma", "no-cache");
        apr_table_setn(r->headers_out, "Expires", "0");
    }
    if (response->cache_control)
        apr_table_setn(r->headers_out, "Cache-Control", response->cache_control);
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Referrer-Policy", referrer_policy(r));
    if (response->style_nonce)
        set_page_headers(r, response);
    if (response->signed_out && na_config_of(r)->clear_site_data)
        apr_table_setn(r->headers_out, "Clear-Site-Data", na_config_of(r)->clear_site_data);
    if (response->retry_after)
        apr_table_setn(r->headers_out, "Retry-After", apr_itoa(r->pool, response->retry_after));
    if (response->location)
        apr_table_setn(r->headers_out, "Location", response->location);
    if (response->attachment)
        apr_table_setn(r->headers_out, "Content-Disposition",
                       apr_psprintf(r->pool, "attachment; filename=\"%s\"", response->attachment));
    if (response->content_type)
        ap_set_content_type(r, response->content_type);
    ap_set_content_length(r, response->body ? (apr_off_t)strlen(response->body) : 0);
    if (response->body && !r->header_only)
        ap_rputs(response->body, r);
    return OK;
}
