/* SPDX-License-Identifier: Apache-2.0 */
/* Development and test mode on a server that other machines can reach. */
#include <string.h>

#include <ap_listen.h>
#include <apr_strings.h>

#include "base/url.h"
#include "httpd/config/build.h"

/* 127.0.0.0/8, ::1, IPv4-mapped 127.0.0.0/8, and Unix domain sockets */
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

static int is_wildcard(const apr_sockaddr_t *address)
{
    return apr_sockaddr_is_wildcard(address);
}

/* Returns 1 if connections to the listener can be for a <VirtualHost> with this address. */
static int serves_host(const apr_sockaddr_t *listener, const server_addr_rec *host)
{
    const apr_sockaddr_t *address = host->host_addr;
    if (host->host_port && host->host_port != listener->port)
        return 0;
    if (is_wildcard(address))
        return 1;
    return !is_loopback(address) &&
           (is_wildcard(listener) || apr_sockaddr_equal(listener, address));
}

/* The main server serves all requests that match no virtual host. */
static int is_reached(const apr_sockaddr_t *listener, const server_rec *s)
{
    if (!s->is_virtual)
        return 1;
    for (const server_addr_rec *host = s->addrs; host; host = host->next)
        if (serves_host(listener, host))
            return 1;
    return 0;
}

/* Returns the addresses at which other machines can reach the server, "0.0.0.0:80, …"; NULL if
 * none. */
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

/* An origin of another host means that a proxy on loopback forwards requests of other machines. */
static const char *public_origin(const na_config *config)
{
    for (int i = 0; config->hosts && i < config->hosts->nelts; i++) {
        const na_host_pattern *each = &APR_ARRAY_IDX(config->hosts, i, na_host_pattern);
        if (!na_is_this_machine(each->host))
            return each->origin;
    }
    return NULL;
}

na_exposure na_exposure_of(apr_pool_t *pool, const server_rec *s, const na_config *config)
{
    if (config->mode == NA_PRODUCTION)
        return (na_exposure){NULL, NULL};
    const char *addresses = public_addresses(pool, s);
    if (addresses)
        return (na_exposure){apr_pstrcat(pool, "it listens on ", addresses, NULL),
                             "set NextAuthMode production, or Listen only on 127.0.0.1"};
    const char *origin = public_origin(config);
    if (origin)
        return (na_exposure){
            apr_pstrcat(pool, "its URL is ", origin, NULL),
            "set NextAuthMode production, or a URL that only this machine can reach: NextAuthURL "
            "http://localhost"};
    return (na_exposure){NULL, NULL};
}

static void log_exposure(const server_rec *s, const na_config *config, const na_exposure *exposure)
{
    static const char rule[] = "****************************************************************";
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "%s", rule);
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                 "mod_nextauth: %s is in %s mode, but other machines can reach it: %s",
                 config->origin, na_mode_name(config->mode), exposure->how);
    ap_log_error(
        APLOG_MARK, APLOG_CRIT, 0, s,
        "passwords and sessions might be sent over plain HTTP: do not use with real users");
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "hint: %s", exposure->hint);
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "%s", rule);
}

void na_warn_of_exposure(const server_rec *s, apr_pool_t *pool)
{
    for (; s; s = s->next) {
        const na_config *config = na_server_conf_of(s)->config;
        const na_exposure exposure =
            config ? na_exposure_of(pool, s, config) : (na_exposure){NULL, NULL};
        if (exposure.how)
            log_exposure(s, config, &exposure);
    }
}
