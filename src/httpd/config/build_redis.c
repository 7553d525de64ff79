/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthRedis. */
#include <stddef.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/settings.h"

static const char *text_or_dash(const char *text)
{
    return text ? text : "-";
}

/* Servers with the same options share connections. A hash, because options contain passwords. */
static const char *redis_identity(apr_pool_t *pool, const na_redis_options *o)
{
    unsigned char hash[NA_SHA256_LEN];
    const char *all =
        apr_psprintf(pool,
                     "%s\n%d\n%s\n%d\n%s\n%s\n%d\n%ld\n%ld\n%s\n%s\n%s\n%d\n%s\n%s\n%s\n%s\n%s\n%d",
                     text_or_dash(o->host), o->port, text_or_dash(o->unix_path), o->tls,
                     text_or_dash(o->user), text_or_dash(o->password), o->db, o->timeout_ms,
                     o->connect_timeout_ms, text_or_dash(o->ca_file), text_or_dash(o->cert_file),
                     text_or_dash(o->key_file), o->max_connections, text_or_dash(o->prefix),
                     text_or_dash(o->sentinels), text_or_dash(o->master),
                     text_or_dash(o->sentinel_user), text_or_dash(o->sentinel_password),
                     o->cluster);
    na_sha256(hash, na_bytes_of(all), na_bytes_of(""));
    return na_hex(pool, hash, sizeof hash);
}

na_error *na_build_redis(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {
        {"timeout", offsetof(na_redis_options, timeout_ms), na_as_duration},
        {"connectTimeout", offsetof(na_redis_options, connect_timeout_ms), na_as_duration},
        {"username", offsetof(na_redis_options, user), na_as_resolved},
        {"password", offsetof(na_redis_options, password), na_as_secret},
        {"caFile", offsetof(na_redis_options, ca_file), na_as_file},
        {"certFile", offsetof(na_redis_options, cert_file), na_as_file},
        {"keyFile", offsetof(na_redis_options, key_file), na_as_file},
        {"maxConnections", offsetof(na_redis_options, max_connections), na_as_connections},
        {"prefix", offsetof(na_redis_options, prefix), na_as_text},
        {"sentinels", offsetof(na_redis_options, sentinels), na_as_text},
        {"master", offsetof(na_redis_options, master), na_as_text},
        {"sentinelUsername", offsetof(na_redis_options, sentinel_user), na_as_resolved},
        {"sentinelPassword", offsetof(na_redis_options, sentinel_password), na_as_secret},
        {"cluster", offsetof(na_redis_options, cluster), na_as_switch},
        {NULL, 0, NULL}};
    na_redis_options *options = apr_pcalloc(b->pool, sizeof *options);
    const char *url;
    NA_TRY(na_as_url(b, w->argv[0], &url));
    NA_TRY(na_redis_url_parse(b->pool, url, options));
    NA_TRY(na_build_settings(b, w, 1, settings, options));
    b->plan->stores.redis = options;
    b->plan->stores.redis_identity = redis_identity(b->pool, options);
    return na_redis_options_check(b->pool, options);
}
