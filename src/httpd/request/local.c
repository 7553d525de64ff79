/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from this machine itself, which some handlers trust. */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/url.h"
#include "httpd/request/local.h"

/*
 * This is decided when the request has just been read: later, a tenant's .htaccess can have removed
 * the headers that show otherwise.
 */

/* Returns 1 for a loopback address, or an address of this machine. */
static int is_this_machine(const conn_rec *c, const apr_sockaddr_t *address, const char *ip)
{
    return strcmp(ip, "127.0.0.1") == 0 || strcmp(ip, "::1") == 0 ||
           apr_sockaddr_equal(c->local_addr, address);
}

static int is_user_at_this_machine(const request_rec *r)
{
    return is_this_machine(r->connection, r->useragent_addr, r->useragent_ip);
}

static int has_name(const apr_array_header_t *names, const char *host)
{
    for (int i = 0; names && i < names->nelts; i++)
        if (ap_cstr_casecmp(APR_ARRAY_IDX(names, i, const char *), host) == 0)
            return 1;
    return 0;
}

/*
 * The owner of any name can make it resolve to this machine, and a browser here use it (DNS
 * rebinding). So only names in the configuration count, although httpd serves others too.
 */
static int is_own_name(const request_rec *r)
{
    const na_config *config = na_config_of(r);
    const char *host = r->hostname;
    na_url url;
    if (!host)
        return 0;
    return ap_cstr_casecmp(host, r->server->server_hostname) == 0 || na_is_this_machine(host) ||
           has_name(r->server->names, host) ||
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

/* Recognizes proxies by RFC 7239, RFC 9110 section 7.6.3, and headers that are not standardized. */
static int is_of_proxy(const char *name)
{
    static const char *const names[] = {"Forwarded",           "Via",
                                        "X-Real-IP",           "X-Client-IP",
                                        "True-Client-IP",      "Client-IP",
                                        "X-Cluster-Client-IP", "CF-Connecting-IP",
                                        "Fastly-Client-IP"};
    char first = (char)apr_toupper(*name);
    if (!strchr("FVXTC", first))
        return 0; /* most headers */
    if (ap_cstr_casecmpn(name, "X-Forwarded-", 12) == 0)
        return 1;
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (first == *names[i] && ap_cstr_casecmp(name, names[i]) == 0)
            return 1;
    return 0;
}

static int is_forwarded(const request_rec *r)
{
    const apr_array_header_t *headers = apr_table_elts(r->headers_in);
    for (int i = 0; i < headers->nelts; i++)
        if (is_of_proxy(APR_ARRAY_IDX(headers, i, apr_table_entry_t).key))
            return 1;
    return 0;
}

/* httpd also runs this on internal redirects, when the headers can have changed. */
void na_note_local(request_rec *r)
{
    if (ap_is_initial_req(r) &&
        is_this_machine(r->connection, r->connection->client_addr, r->connection->client_ip) &&
        !is_forwarded(r) && !is_of_another_site(r))
        na_state_of(r)->is_local = 1;
}

static const request_rec *initial_request(const request_rec *r)
{
    while (r->prev || r->main)
        r = r->main ? r->main : r->prev;
    return r;
}

/*
 * mod_remoteip can have set the client's IP address since, so that is checked again. The host's
 * name cannot change, so it is checked only here.
 */
int na_is_local(const request_rec *r)
{
    const request_rec *first = initial_request(r);
    const na_state *state = ap_get_module_config(first->request_config, &nextauth_module);
    return state && state->is_local && is_user_at_this_machine(r) && is_own_name(first);
}

int na_is_disguised(const request_rec *r)
{
    return is_user_at_this_machine(r) && !na_is_local(r);
}
