/* SPDX-License-Identifier: Apache-2.0 */
/* The client's network, which rate limits count. */
#include "auth/network.h"

#include <arpa/inet.h>
#include <string.h>

#include <apr_strings.h>

/*
 * A client has one IPv4 address, but usually all 2^64 IPv6 addresses of a network (RFC 6177). Text
 * that is not an IP address is counted as it is.
 */
const char *na_client_network(apr_pool_t *pool, const char *address)
{
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN];
    const char *plain = address ? apr_pstrmemdup(pool, address, strcspn(address, "%")) : "unknown";
    if (inet_pton(AF_INET6, plain, bytes) != 1)
        return plain;
    if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)bytes))
        return apr_psprintf(pool, "%d.%d.%d.%d", bytes[12], bytes[13], bytes[14], bytes[15]);
    memset(bytes + 8, 0, 8);
    inet_ntop(AF_INET6, bytes, text, sizeof text);
    return apr_pstrcat(pool, text, "/64", NULL);
}

const char *na_network_of(na_request *request)
{
    if (!request->network)
        request->network = na_client_network(request->pool, request->visit.client.address);
    return request->network;
}
