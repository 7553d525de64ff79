/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets, deadlines and TLS below hiredis. */
#ifndef NA_STORE_REDIS_TRANSPORT_H
#define NA_STORE_REDIS_TRANSPORT_H

#include <openssl/ssl.h>

#include "store/redis.h"

/* Bytes to and from a server of the Redis family, none of it later than a deadline. */

/* Milliseconds of a clock that nobody sets. */
typedef apr_int64_t na_redis_deadline;

na_redis_deadline na_redis_deadline_in(long ms);
int na_redis_deadline_passed(na_redis_deadline deadline);
na_redis_deadline na_redis_deadline_sooner(na_redis_deadline a, na_redis_deadline b);

/* The end of the first of `parts` equal parts of the time that is left. */
na_redis_deadline na_redis_deadline_share(na_redis_deadline deadline, int parts);

typedef struct na_redis_address {
    char host[256]; /* or the path of a unix socket */
    int port;       /* 0: a unix socket */
} na_redis_address;

/* Returns 0 if the host is empty or does not fit, or the port is none. */
int na_redis_address_set(na_redis_address *address, const char *host, int port);

/* "host:port", IPv6 in brackets or not; "host" alone where default_port is not 0. */
int na_redis_address_parse(apr_pool_t *pool, const char *text, int default_port,
                           na_redis_address *address);

const char *na_redis_address_name(apr_pool_t *pool, const na_redis_address *address);

/* What all TLS connections of one configuration share; immutable once made, gone with its pool. */
typedef struct na_redis_tls {
    SSL_CTX *context;
    BIO_METHOD *method;
} na_redis_tls;

/* *made is NULL if the options want no TLS. */
na_error *na_redis_tls_make(apr_pool_t *pool, const na_redis_options *options,
                            const na_redis_tls **made);

/* One thread's at a time. All zero: closed. */
typedef struct na_redis_transport {
    int is_open;
    int fd;
    SSL *ssl; /* NULL: plain */
    na_redis_address address;
} na_redis_transport;

/* Gives a connected socket its TLS, the handshake still to come; certificates are checked then. */
na_error *na_redis_tls_begin(apr_pool_t *pool, const na_redis_tls *tls,
                             na_redis_transport *transport);

/* `transport` must be closed, and is where this fails. Every address of the host is tried. */
na_error *na_redis_transport_open(apr_pool_t *pool, const na_redis_tls *tls,
                                  const na_redis_address *address, na_redis_deadline deadline,
                                  na_redis_transport *transport);

/* All of it. */
na_error *na_redis_transport_write(apr_pool_t *pool, na_redis_transport *transport,
                                   const char *data, apr_size_t len, na_redis_deadline deadline);

/* At least one byte; the end of the stream is an error. */
na_error *na_redis_transport_read(apr_pool_t *pool, na_redis_transport *transport, char *buffer,
                                  apr_size_t room, apr_size_t *got, na_redis_deadline deadline);

/* Returns 1 if the other side has neither closed nor said anything. Does not wait. */
int na_redis_transport_is_quiet(na_redis_transport *transport);

void na_redis_transport_close(na_redis_transport *transport);

#endif
