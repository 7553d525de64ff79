/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets, deadlines, and TLS below hiredis. */
#ifndef NA_STORE_REDIS_TRANSPORT_H
#define NA_STORE_REDIS_TRANSPORT_H

#include <openssl/ssl.h>

#include "store/redis.h"

/* Milliseconds of the monotonic clock. */
typedef apr_int64_t na_redis_deadline;

na_redis_deadline na_redis_deadline_in(long ms);
int na_redis_deadline_passed(na_redis_deadline deadline);
na_redis_deadline na_redis_deadline_sooner(na_redis_deadline a, na_redis_deadline b);

/* Returns the end of the first of `parts` equal parts of the remaining time. */
na_redis_deadline na_redis_deadline_share(na_redis_deadline deadline, int parts);

typedef struct na_redis_address {
    char host[256]; /* or the path of a Unix socket */
    int port;       /* 0 for a Unix socket */
} na_redis_address;

/* Returns 0 if the host is empty or does not fit, or the port is invalid. */
int na_redis_address_set(na_redis_address *address, const char *host, int port);

/* Parses "host:port", IPv6 with or without brackets; "host" alone if default_port is not 0. */
int na_redis_address_parse(apr_pool_t *pool, const char *text, int default_port,
                           na_redis_address *address);

const char *na_redis_address_name(apr_pool_t *pool, const na_redis_address *address);

/* TLS settings of one configuration. Immutable; destroyed with the pool. */
typedef struct na_redis_tls {
    SSL_CTX *context;
    BIO_METHOD *method;
} na_redis_tls;

/* Creates the settings; *made is NULL if the options do not use TLS. */
na_error *na_redis_tls_make(apr_pool_t *pool, const na_redis_options *options,
                            const na_redis_tls **made);

/* A socket, used by one thread at a time; all zero if closed. */
typedef struct na_redis_transport {
    int is_open;
    int fd;
    SSL *ssl; /* NULL without TLS */
    na_redis_address address;
} na_redis_transport;

/* Sets up TLS on a connected socket. The handshake follows later, and verifies certificates. */
na_error *na_redis_tls_begin(apr_pool_t *pool, const na_redis_tls *tls,
                             na_redis_transport *transport);

/* Tries every IP address of the host. `transport` must be closed, and stays closed on failure. */
na_error *na_redis_transport_open(apr_pool_t *pool, const na_redis_tls *tls,
                                  const na_redis_address *address, na_redis_deadline deadline,
                                  na_redis_transport *transport);

/* Writes all of the bytes. */
na_error *na_redis_transport_write(apr_pool_t *pool, na_redis_transport *transport,
                                   const char *data, apr_size_t len, na_redis_deadline deadline);

/* Reads at least one byte; the end of the stream is an error. */
na_error *na_redis_transport_read(apr_pool_t *pool, na_redis_transport *transport, char *buffer,
                                  apr_size_t room, apr_size_t *got, na_redis_deadline deadline);

/* Returns 1 if the peer has neither closed nor sent anything. Does not wait. */
int na_redis_transport_is_quiet(na_redis_transport *transport);

void na_redis_transport_close(na_redis_transport *transport);

#endif
