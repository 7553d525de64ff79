/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <ap_listen.h>
#include <apr_strings.h>

#include "base/url.h"
#include "httpd/config/build.h"

/* 127.0.0.0/8, ::1, the same in IPv4's disguise, and sockets in the file system. */
static int is_loopback(const apr_sockaddr_t *address)
{
    const unsigned char *bytes = address->ipaddr_ptr;
    if (address->family == APR_INET)
        return bytes[0] == 127;
#if APR_HAVE_IPV6
    if (address->family == APR_INET6) {
        const struct in6_addr *six = address->ipaddr_ptr;
        return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && bytes[12] == 127);
    }
#endif
    return 1;
}

static int is_any(const apr_sockaddr_t *address)
{
    return apr_sockaddr_is_wildcard(address);
}

/* Whether what comes in there can be for a <VirtualHost> of that address. */
static int leads_to(const apr_sockaddr_t *listener, const server_addr_rec *host)
{
    const apr_sockaddr_t *address = host->host_addr;
    if (host->host_port && host->host_port != listener->port)
        return 0;
    if (is_any(address))
        return 1;
    return !is_loopback(address) && (is_any(listener) || apr_sockaddr_equal(listener, address));
}

/* The main server gets whatever no virtual host takes. */
static int is_reached(const apr_sockaddr_t *listener, const server_rec *s)
{
    if (!s->is_virtual)
        return 1;
    for (const server_addr_rec *host = s->addrs; host; host = host->next)
        if (leads_to(listener, host))
            return 1;
    return 0;
}

/* Where the server can be reached from other machines, "0.0.0.0:80, …"; NULL: nowhere. */
static const char *public_addresses(apr_pool_t *pool, const server_rec *s)
{
    const char *all = NULL;
    for (const ap_listen_rec *each = ap_listeners; each; each = each->next) {
        const apr_sockaddr_t *address = each->bind_addr;
        char *ip;
        if (is_loopback(address) || !is_reached(address, s) ||
            apr_sockaddr_ip_get(&ip, (apr_sockaddr_t *)address) != APR_SUCCESS)
            continue;
        const char *one =
            apr_psprintf(pool, strchr(ip, ':') ? "[%s]:%d" : "%s:%d", ip, (int)address->port);
        all = all ? apr_pstrcat(pool, all, ", ", one, NULL) : one;
    }
    return all;
}

/* Who has a name of the site's that leads elsewhere comes in by a proxy, which is on loopback. */
static int is_public_origin(apr_pool_t *pool, const char *origin)
{
    na_url url;
    return origin && na_url_parse(pool, origin, &url) && !na_is_this_machine(url.host);
}

na_exposure na_exposure_of(apr_pool_t *pool, const server_rec *s, const na_config *config)
{
    if (config->mode == NA_PRODUCTION)
        return (na_exposure){NULL, NULL};
    const char *addresses = public_addresses(pool, s);
    if (addresses)
        return (na_exposure){apr_pstrcat(pool, "it listens on ", addresses, NULL),
                             "write NextAuthMode production, or let it Listen on 127.0.0.1 alone"};
    if (is_public_origin(pool, config->origin))
        return (na_exposure){
            apr_pstrcat(pool, "its address is ", config->origin, NULL),
            "write NextAuthMode production, or an address of this machine alone: NextAuthURL "
            "http://localhost"};
    return (na_exposure){NULL, NULL};
}

static void warn(const server_rec *s, const na_config *config, const na_exposure *exposure)
{
    static const char rule[] = "****************************************************************";
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "%s", rule);
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                 "mod_nextauth: %s is in %s mode, and others can reach it: %s", config->origin,
                 na_mode_name(config->mode), exposure->how);
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                 "Passwords and sessions may go through plain http: not for real users");
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "What to do: %s", exposure->hint);
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "%s", rule);
}

void na_warn_of_exposure(const server_rec *s, apr_pool_t *pool)
{
    for (; s; s = s->next) {
        const na_config *config = na_server_conf_of(s)->config;
        const na_exposure exposure =
            config ? na_exposure_of(pool, s, config) : (na_exposure){NULL, NULL};
        if (exposure.how)
            warn(s, config, &exposure);
    }
}
