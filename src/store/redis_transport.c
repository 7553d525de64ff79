/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets, deadlines, and TLS below hiredis. */
#include "store/redis_transport.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <apr_strings.h>
#include <openssl/err.h>

static na_redis_deadline now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (na_redis_deadline)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

na_redis_deadline na_redis_deadline_in(long ms)
{
    return now_ms() + ms;
}

int na_redis_deadline_passed(na_redis_deadline deadline)
{
    return now_ms() >= deadline;
}

na_redis_deadline na_redis_deadline_sooner(na_redis_deadline a, na_redis_deadline b)
{
    return a < b ? a : b;
}

na_redis_deadline na_redis_deadline_share(na_redis_deadline deadline, int parts)
{
    na_redis_deadline now = now_ms();
    return deadline > now ? now + (deadline - now) / parts : deadline;
}

int na_redis_address_set(na_redis_address *address, const char *host, int port)
{
    size_t len = strlen(host);
    if (!len || len >= sizeof address->host || port < 0 || port > 65535)
        return 0;
    memcpy(address->host, host, len + 1);
    address->port = port;
    return 1;
}

int na_redis_address_parse(apr_pool_t *pool, const char *text, int default_port,
                           na_redis_address *address)
{
    char *host = apr_pstrdup(pool, text);
    char *port = strrchr(host, ':');
    if (port && strchr(port, ']'))
        port = NULL;
    if (port)
        *port++ = '\0';
    size_t len = strlen(host);
    if (*host == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        host++;
    }
    int number = port ? na_small_number(port) : default_port;
    return number && na_redis_address_set(address, host, number);
}

const char *na_redis_address_name(apr_pool_t *pool, const na_redis_address *address)
{
    if (!address->port)
        return apr_pstrdup(pool, address->host);
    return apr_psprintf(pool, strchr(address->host, ':') ? "[%s]:%d" : "%s:%d", address->host,
                        address->port);
}

/* ── waiting, and errors ── */

/* Returns 0 if the deadline passes first. */
static int wait_for(int fd, short events, na_redis_deadline deadline)
{
    struct pollfd polled = {.fd = fd, .events = events};
    for (;;) {
        na_redis_deadline left = deadline - now_ms();
        if (left <= 0)
            return 0;
        int ready = poll(&polled, 1, (int)left);
        if (ready > 0)
            return 1;
        if (ready < 0 && errno != EINTR)
            return 1; /* the next read or write returns the error */
    }
}

static na_error *late(apr_pool_t *pool, const na_redis_transport *transport)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s did not respond in time",
                        na_redis_address_name(pool, &transport->address));
}

/* Returns the error of a lost connection. `reason` is an errno; 0 if the peer closed it. */
static na_error *lost(apr_pool_t *pool, const na_redis_transport *transport, int reason)
{
    char text[128];
    const char *name = na_redis_address_name(pool, &transport->address);
    if (!reason)
        return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s closed the connection", name);
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "the connection to %s was lost: %s", name,
                        apr_strerror(reason, text, sizeof text));
}

static na_error *tls_failed(apr_pool_t *pool, const na_redis_transport *transport)
{
    long verified = SSL_get_verify_result(transport->ssl);
    const char *reason = na_openssl_error(pool);
    if (verified != X509_V_OK)
        reason = X509_verify_cert_error_string(verified);
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "TLS with %s failed: %s",
                        na_redis_address_name(pool, &transport->address), reason);
}

/* Clears old errors and errno, which would confuse SSL_get_error. */
static void before_tls(void)
{
    ERR_clear_error();
    errno = 0;
}

/* Waits for what OpenSSL needs after a call returned `result` <= 0; fails if it needs nothing. */
static na_error *wait_for_tls(apr_pool_t *pool, const na_redis_transport *transport, int result,
                              na_redis_deadline deadline)
{
    int reason = errno;
    short events = POLLIN;
    switch (SSL_get_error(transport->ssl, result)) {
    case SSL_ERROR_WANT_WRITE:
        events = POLLOUT;
        break;
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_ZERO_RETURN:
        return lost(pool, transport, 0);
    case SSL_ERROR_SYSCALL:
        return lost(pool, transport, reason);
    default:
        return tls_failed(pool, transport);
    }
    return wait_for(transport->fd, events, deadline) ? NULL : late(pool, transport);
}

/* Waits after a call of the socket failed; fails if waiting does not help. */
static na_error *wait_for_socket(apr_pool_t *pool, const na_redis_transport *transport,
                                 short events, na_redis_deadline deadline)
{
    if (errno != EAGAIN && errno != EINTR)
        return lost(pool, transport, errno);
    return wait_for(transport->fd, events, deadline) ? NULL : late(pool, transport);
}

/* ── opening ── */

/* Returns 0 or an errno. */
static int connect_socket(const struct sockaddr *to, socklen_t len, na_redis_deadline deadline,
                          int *connected)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int reason = connect(fd, to, len) == 0 ? 0 : errno;
    if (reason == EINPROGRESS || reason == EINTR) {
        socklen_t size = sizeof reason;
        if (!wait_for(fd, POLLOUT, deadline))
            reason = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) != 0)
            reason = errno;
    }
    if (reason)
        close(fd);
    else
        *connected = fd;
    return reason;
}

static na_error *not_connected(apr_pool_t *pool, const na_redis_address *address,
                               const char *reason)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "could not connect to %s: %s",
                        na_redis_address_name(pool, address), reason);
}

static na_error *open_unix(apr_pool_t *pool, const na_redis_address *address,
                           na_redis_deadline deadline, int *fd)
{
    char text[128];
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(address->host) >= sizeof to.sun_path)
        return not_connected(pool, address, "the path is too long for a Unix socket");
    strcpy(to.sun_path, address->host);
    int reason = connect_socket((struct sockaddr *)&to, sizeof to, deadline, fd);
    return reason ? not_connected(pool, address, apr_strerror(reason, text, sizeof text)) : NULL;
}

static int connect_first(const struct addrinfo *found, na_redis_deadline deadline, int *fd)
{
    int reason = 0, left = 0;
    for (const struct addrinfo *to = found; to; to = to->ai_next)
        left++;
    for (const struct addrinfo *to = found; to; to = to->ai_next, left--) {
        reason = connect_socket(to->ai_addr, to->ai_addrlen,
                                na_redis_deadline_share(deadline, left), fd);
        if (!reason)
            return 0;
    }
    return reason;
}

static na_error *open_tcp(apr_pool_t *pool, const na_redis_address *address,
                          na_redis_deadline deadline, int *fd)
{
    char text[128];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    int status = getaddrinfo(address->host, apr_itoa(pool, address->port), &hints, &found);
    if (status != 0)
        return not_connected(pool, address, gai_strerror(status));
    int reason = connect_first(found, deadline, fd);
    freeaddrinfo(found);
    if (reason)
        return not_connected(pool, address, apr_strerror(reason, text, sizeof text));
    const int on = 1;
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return NULL;
}

static na_error *start_tls(apr_pool_t *pool, const na_redis_tls *tls, na_redis_deadline deadline,
                           na_redis_transport *transport)
{
    NA_TRY(na_redis_tls_begin(pool, tls, transport));
    for (;;) {
        before_tls();
        int result = SSL_connect(transport->ssl);
        if (result == 1)
            return NULL;
        NA_TRY(wait_for_tls(pool, transport, result, deadline));
    }
}

na_error *na_redis_transport_open(apr_pool_t *pool, const na_redis_tls *tls,
                                  const na_redis_address *address, na_redis_deadline deadline,
                                  na_redis_transport *transport)
{
    transport->address = *address;
    NA_TRY(address->port ? open_tcp(pool, address, deadline, &transport->fd)
                         : open_unix(pool, address, deadline, &transport->fd));
    transport->is_open = 1;
    na_error *error = tls ? start_tls(pool, tls, deadline, transport) : NULL;
    if (error)
        na_redis_transport_close(transport);
    return error;
}

void na_redis_transport_close(na_redis_transport *transport)
{
    if (!transport->is_open)
        return;
    before_tls();
    if (transport->ssl && SSL_is_init_finished(transport->ssl))
        SSL_shutdown(transport->ssl);
    SSL_free(transport->ssl);
    close(transport->fd);
    ERR_clear_error();
    transport->ssl = NULL;
    transport->is_open = 0;
}

/* ── reading and writing ── */

na_error *na_redis_transport_write(apr_pool_t *pool, na_redis_transport *transport,
                                   const char *data, apr_size_t len, na_redis_deadline deadline)
{
    while (len) {
        size_t sent = 0;
        if (transport->ssl) {
            before_tls();
            int result = SSL_write_ex(transport->ssl, data, len, &sent);
            if (result != 1)
                NA_TRY(wait_for_tls(pool, transport, result, deadline));
        } else {
            ssize_t result = send(transport->fd, data, len, MSG_NOSIGNAL);
            if (result < 0)
                NA_TRY(wait_for_socket(pool, transport, POLLOUT, deadline));
            else
                sent = (size_t)result;
        }
        data += sent;
        len -= sent;
    }
    return NULL;
}

na_error *na_redis_transport_read(apr_pool_t *pool, na_redis_transport *transport, char *buffer,
                                  apr_size_t room, apr_size_t *got, na_redis_deadline deadline)
{
    *got = 0;
    if (na_redis_deadline_passed(deadline)) /* a stream that never ends also exceeds the deadline */
        return late(pool, transport);
    while (!*got) {
        if (transport->ssl) {
            before_tls();
            int result = SSL_read_ex(transport->ssl, buffer, room, got);
            if (result != 1)
                NA_TRY(wait_for_tls(pool, transport, result, deadline));
        } else {
            ssize_t result = recv(transport->fd, buffer, room, 0);
            if (result == 0)
                return lost(pool, transport, 0);
            if (result < 0)
                NA_TRY(wait_for_socket(pool, transport, POLLIN, deadline));
            else
                *got = (apr_size_t)result;
        }
    }
    return NULL;
}

int na_redis_transport_is_quiet(na_redis_transport *transport)
{
    char byte;
    size_t got;
    struct pollfd polled = {.fd = transport->fd, .events = POLLIN};
    if (!transport->ssl)
        return poll(&polled, 1, 0) == 0;
    /* records of TLS itself, such as a session ticket, are not data */
    before_tls();
    int result = SSL_peek_ex(transport->ssl, &byte, 1, &got);
    return result != 1 && SSL_get_error(transport->ssl, result) == SSL_ERROR_WANT_READ;
}
