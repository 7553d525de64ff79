/* SPDX-License-Identifier: Apache-2.0 */
/* Options of Redis, read from a URL and checked. */
#include "store/redis.h"

#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "store/redis_topology.h"

#define PORT 6379

static na_error *refuse(apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "Redis: %s", why);
}

static na_error *set_db(apr_pool_t *pool, const char *text, na_redis_options *options)
{
    options->db = na_small_number(text);
    return options->db < 0 ? refuse(pool, "invalid database in the URL: expected a number") : NULL;
}

/* Treats empty text as missing: ":password@" is the password of Redis' user "default". */
static const char *unless_empty(const char *text)
{
    return text && *text ? text : NULL;
}

/* Parses [user[:password]@]host[:port][/db]. */
static na_error *parse_network(apr_pool_t *pool, const char *text, na_redis_options *options)
{
    na_authority server;
    na_error *error = na_authority_parse(pool, text, &server);
    if (error)
        return na_error_wrap(pool, error, NULL, "Redis");
    if (strpbrk(server.rest, "?#"))
        return refuse(pool, "the URL cannot have anything after the database number");
    options->user = unless_empty(server.user);
    options->password = unless_empty(server.password);
    options->host = server.host;
    if (server.port)
        options->port = server.port;
    return *server.rest && server.rest[1] ? set_db(pool, server.rest + 1, options) : NULL;
}

/* Parses /path[?db=number], with two more slashes in front or without. */
static na_error *parse_unix(apr_pool_t *pool, const char *text, na_redis_options *options)
{
    na_redis_address address;
    char *path = apr_pstrdup(pool, strncmp(text, "///", 3) == 0 ? text + 2 : text);
    char *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    if (*path != '/' || path[1] == '/' || !na_redis_address_set(&address, path, 0))
        return refuse(pool, "unix: requires an absolute path of at most 255 bytes");
    options->unix_path = path;
    if (query && strncmp(query, "db=", 3) != 0)
        return refuse(pool, "unix:/path supports only ?db=NUMBER");
    return query ? set_db(pool, query + 3, options) : NULL;
}

na_error *na_redis_url_parse(apr_pool_t *pool, const char *url, na_redis_options *options)
{
    *options = (na_redis_options){.port = PORT,
                                  .timeout_ms = 1000,
                                  .connect_timeout_ms = 1000,
                                  .max_connections = 16,
                                  .prefix = "nextauth:"};
    if (na_has_control(url))
        return refuse(pool, "the URL contains a control character");
    if (strncasecmp(url, "redis://", 8) == 0)
        return parse_network(pool, url + 8, options);
    options->tls = strncasecmp(url, "rediss://", 9) == 0;
    if (options->tls)
        return parse_network(pool, url + 9, options);
    if (strncasecmp(url, "unix:", 5) == 0)
        return parse_unix(pool, url + 5, options);
    return refuse(pool, "invalid URL: expected redis://, rediss://, or unix:/");
}

static na_error *check_numbers(apr_pool_t *pool, const na_redis_options *options)
{
    if (options->timeout_ms < 1 || options->connect_timeout_ms < 1)
        return refuse(pool, "invalid time limit: expected at least 1 ms");
    if (options->timeout_ms > 60000)
        return refuse(pool, "invalid time limit: expected at most 60 s");
    if (options->max_connections < 1 || options->max_connections > 1000)
        return refuse(pool, "invalid number of connections: expected 1 to 1000");
    if (options->port < 1 || options->port > 65535)
        return refuse(pool, "invalid port: expected 1 to 65535");
    return options->db < 0 ? refuse(pool, "invalid database number: expected 0 or more") : NULL;
}

static na_error *check_users(apr_pool_t *pool, const na_redis_options *options)
{
    if (options->user && !options->password)
        return na_error_with_hint(refuse(pool, "a username requires a password"), "add password=");
    if (options->sentinel_user && !options->sentinel_password)
        return na_error_with_hint(refuse(pool, "sentinelUsername= requires a password"),
                                  "add sentinelPassword=");
    if (na_has_control(options->prefix))
        return refuse(pool, "the prefix contains a control character");
    return NULL;
}

static na_error *check_topology(apr_pool_t *pool, const na_redis_options *options)
{
    int count;
    const na_redis_address *sentinels;
    NA_TRY(na_redis_sentinels_parse(pool, options, &sentinels, &count));
    if (!count && (options->master || options->sentinel_password))
        return na_error_with_hint(refuse(pool, "master= and sentinelPassword= require sentinels="),
                                  "add sentinels=host:port,...");
    if (count && !options->master)
        return na_error_with_hint(refuse(pool, "sentinels= requires master="), "add master=");
    if (count && (options->cluster || options->unix_path))
        return na_error_with_hint(
            refuse(pool, "sentinels= cannot be used with a cluster or a Unix socket"),
            "remove sentinels=, or the others");
    if (options->cluster && options->unix_path)
        return na_error_with_hint(refuse(pool, "cluster=on cannot be used with a Unix socket"),
                                  "use the URL of a node, or remove cluster=on");
    if (options->cluster && options->db)
        return na_error_with_hint(refuse(pool, "a cluster has only database 0"),
                                  "remove the number");
    return NULL;
}

static na_error *check_tls(apr_pool_t *pool, const na_redis_options *options)
{
    const na_redis_tls *tls;
    if (!options->tls && (options->ca_file || options->cert_file || options->key_file))
        return refuse(pool, "a CA, certificate, or key requires TLS: rediss://");
    if (options->tls && options->unix_path)
        return na_error_with_hint(refuse(pool, "TLS is not supported on a Unix socket"),
                                  "use unix:/path without certificate files");
    if (!options->cert_file != !options->key_file)
        return na_error_with_hint(refuse(pool, "certFile= and keyFile= require each other"),
                                  "set both, or remove both");
    return na_redis_tls_make(pool, options, &tls);
}

na_error *na_redis_options_check(apr_pool_t *pool, const na_redis_options *options)
{
    NA_TRY(check_numbers(pool, options));
    NA_TRY(check_users(pool, options));
    NA_TRY(check_topology(pool, options));
    return check_tls(pool, options);
}
