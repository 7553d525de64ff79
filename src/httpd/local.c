/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "httpd/local.h"

/*
 * Who is at this machine itself, which some handlers trust. It is decided when the request has just
 * been read: later on a tenant's .htaccess may have taken away what tells otherwise.
 */

/* By loopback, or by an address of the machine's own. */
static int is_here(const conn_rec *c, const apr_sockaddr_t *address, const char *ip)
{
    return strcmp(ip, "127.0.0.1") == 0 || strcmp(ip, "::1") == 0 ||
           apr_sockaddr_equal(c->local_addr, address);
}

static int is_user_here(const request_rec *r)
{
    return is_here(r->connection, r->useragent_addr, r->useragent_ip);
}

static int has_one(const apr_array_header_t *names, const char *host)
{
    for (int i = 0; names && i < names->nelts; i++)
        if (ap_cstr_casecmp(APR_ARRAY_IDX(names, i, const char *), host) == 0)
            return 1;
    return 0;
}

/*
 * Any name may be made to lead here, by who owns it, and a browser on this machine to ask by it
 * (DNS rebinding). The server knows its own, if it takes others as well.
 */
static int is_own_name(request_rec *r)
{
    const na_config *config = na_config_of(r);
    const char *host = r->hostname;
    na_url url;
    if (!host)
        return 0;
    return na_is_this_machine(host) || ap_cstr_casecmp(host, r->server->server_hostname) == 0 ||
           has_one(r->server->names, host) ||
           (config && config->origin && na_url_parse(r->pool, config->origin, &url) &&
            ap_cstr_casecmp(host, url.host) == 0);
}

/* RFC 6454 section 7; Fetch Metadata Request Headers, section 2.1. */
static int is_of_another_site(request_rec *r)
{
    const na_config *config = na_config_of(r);
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    if (origin && (!config || !config->origin || strcmp(origin, config->origin) != 0))
        return 1;
    return site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

static int is_forwarded(const request_rec *r)
{
    return apr_table_get(r->headers_in, "X-Forwarded-For") ||
           apr_table_get(r->headers_in, "Forwarded") || apr_table_get(r->headers_in, "Via");
}

/* httpd runs this on internal redirects, too, whose headers may be others by then. */
void na_note_local(request_rec *r)
{
    if (ap_is_initial_req(r) &&
        is_here(r->connection, r->connection->client_addr, r->connection->client_ip) &&
        !is_forwarded(r) && is_own_name(r) && !is_of_another_site(r))
        na_state_of(r)->is_local = 1;
}

static const request_rec *first_of(const request_rec *r)
{
    while (r->prev || r->main)
        r = r->main ? r->main : r->prev;
    return r;
}

/* mod_remoteip may have learned better since. */
int na_is_local(const request_rec *r)
{
    const na_state *state = ap_get_module_config(first_of(r)->request_config, &nextauth_module);
    return state && state->is_local && is_user_here(r);
}

int na_is_disguised(const request_rec *r)
{
    return is_user_here(r) && !na_is_local(r);
}
