/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthSessionBind: the value of a request that its session is bound to, "" if it has none. */
#include <string.h>

#include <mod_ssl.h>

#include "httpd/module.h"
#include "session/device.h"

static const char *client_certificate(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(ssl_var_lookup) *lookup = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);
    if (!lookup)
        return "";
    const char *verified =
        lookup(r->pool, r->server, r->connection, r, (char *)"SSL_CLIENT_VERIFY");
    const char *pem = lookup(r->pool, r->server, r->connection, r, (char *)"SSL_CLIENT_CERT");
    return verified && strcmp(verified, "SUCCESS") == 0 && pem ? pem : "";
}

const char *na_shown_certificate(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(ssl_var_lookup) *lookup = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);
    const char *pem =
        lookup ? lookup(r->pool, r->server, r->connection, r, (char *)"SSL_CLIENT_CERT") : NULL;
    return pem && *pem ? pem : NULL;
}

static const char *binding_value(request_rec *r, const na_config *config)
{
    const char *error = NULL;
    if (config->bind == NA_BIND_CERTIFICATE)
        return client_certificate(r);
    if (config->bind == NA_BIND_FINGERPRINT)
        return na_device_family(r->pool, apr_table_get(r->headers_in, "User-Agent"));
    const char *value =
        ap_expr_str_exec(r, (const ap_expr_info_t *)config->bind_expression, &error);
    if (!error)
        return value ? value : "";
    na_log_request(r, NA_LOG_ERROR, "SESSION_BINDING_ERROR",
                   "could not evaluate NextAuthSessionBind: %s", error);
    return "";
}

const char *na_binding_of(request_rec *r)
{
    const na_config *config = na_config_of(r);
    if (config->bind == NA_BIND_NOTHING)
        return NULL;
    const char *value = binding_value(r, config);
    return *value ? na_session_binding(r->pool, value) : "";
}
