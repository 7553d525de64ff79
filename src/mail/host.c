/* SPDX-License-Identifier: Apache-2.0 */
/* Where a mail server is, from its name alone. */
#include "mail/host.h"

#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

#include <apr.h>

#include "base/url.h"

int na_mail_is_loopback(const char *host)
{
    return na_is_loopback_address(host) || strcasecmp(host, "localhost") == 0;
}

static int is_private_ipv4(apr_uint32_t address)
{
    return address >> 24 == 10 || address >> 20 == (172 << 4 | 1) ||
           address >> 16 == (192 << 8 | 168);
}

int na_mail_is_local(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (na_mail_is_loopback(host))
        return 1;
    if (inet_pton(AF_INET, host, &four) == 1)
        return is_private_ipv4(ntohl(four.s_addr));
    if (inet_pton(AF_INET6, host, &six) == 1)
        return (six.s6_addr[0] & 0xfe) == 0xfc;
    return !strchr(host, '.');
}
