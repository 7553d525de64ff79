/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of connections to Redis. */
#include "store/redis_transport.h"

#include <errno.h>

#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a lost connection would end the program. */
static int bio_write(BIO *bio, const char *data, int len)
{
    const na_redis_transport *transport = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(transport->fd, data, (size_t)len, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)sent;
}

static int bio_read(BIO *bio, char *data, int len)
{
    const na_redis_transport *transport = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got = recv(transport->fd, data, (size_t)len, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)got;
}

static long bio_ctrl(BIO *bio, int command, long number, void *data)
{
    return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static apr_status_t free_tls(void *data)
{
    na_redis_tls *tls = data;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->method);
    return APR_SUCCESS;
}

static na_error *unusable(apr_pool_t *pool, const char *what, const char *file)
{
    return na_error_with_hint(
        na_error_new(pool, NA_ERR_CONFIGURATION, "could not load %s '%s': %s", what, file,
                     na_openssl_error(pool)),
        "check that it exists, is in PEM, and that the httpd user can read it");
}

static na_error *load_files(apr_pool_t *pool, const na_redis_options *options, SSL_CTX *context)
{
    ERR_clear_error();
    if (options->ca_file && SSL_CTX_load_verify_locations(context, options->ca_file, NULL) != 1)
        return unusable(pool, "the CA file", options->ca_file);
    if (!options->ca_file && SSL_CTX_set_default_verify_paths(context) != 1)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not load the system's CA certificates: %s",
                            na_openssl_error(pool));
    if (!options->cert_file)
        return NULL;
    if (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1)
        return unusable(pool, "the client certificate", options->cert_file);
    if (SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) != 1)
        return unusable(pool, "the client key", options->key_file);
    return NULL;
}

na_error *na_redis_tls_make(apr_pool_t *pool, const na_redis_options *options,
                            const na_redis_tls **made)
{
    *made = NULL;
    if (!options->tls)
        return NULL;
    na_redis_tls *tls = apr_pcalloc(pool, sizeof *tls);
    apr_pool_cleanup_register(pool, tls, free_tls, apr_pool_cleanup_null);
    tls->context = SSL_CTX_new(TLS_client_method());
    tls->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "Redis");
    if (!tls->context || !tls->method)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not set up TLS: %s",
                            na_openssl_error(pool));
    BIO_meth_set_write(tls->method, bio_write);
    BIO_meth_set_read(tls->method, bio_read);
    BIO_meth_set_ctrl(tls->method, bio_ctrl);
    BIO_meth_set_create(tls->method, bio_create);
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    /* the rest of a partial write is retried from its own position in the buffer */
    SSL_CTX_set_mode(tls->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    NA_TRY(load_files(pool, options, tls->context));
    *made = tls;
    return NULL;
}

/* Requires that the peer's certificate is valid for `host`. */
static int expect_peer(SSL *ssl, const char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
        return 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

na_error *na_redis_tls_begin(apr_pool_t *pool, const na_redis_tls *tls,
                             na_redis_transport *transport)
{
    transport->ssl = SSL_new(tls->context);
    BIO *bio = BIO_new(tls->method);
    if (!transport->ssl || !bio || !expect_peer(transport->ssl, transport->address.host)) {
        BIO_free(bio);
        return na_error_new(pool, NA_ERR_UNAVAILABLE, "could not set up TLS: %s",
                            na_openssl_error(pool));
    }
    BIO_set_data(bio, transport);
    SSL_set_bio(transport->ssl, bio, bio);
    return NULL;
}
