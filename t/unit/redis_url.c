/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "store/redis.h"
#include "tap.h"

static na_redis_options parsed(apr_pool_t *pool, const char *url)
{
    na_redis_options options;
    succeeds(na_redis_url_parse(pool, url, &options), url);
    succeeds(na_redis_options_check(pool, &options), "and can be used");
    return options;
}

static void addresses(apr_pool_t *pool)
{
    na_redis_options options = parsed(pool, "redis://cache.example.org");
    is(options.host, "cache.example.org", "the host");
    is_number(options.port, 6379, "Redis' port by default");
    is_number(options.db, 0, "database 0");
    is(options.user, NULL, "no user");
    is(options.password, NULL, "no password");
    ok(!options.tls && !options.unix_path && !options.cluster, "plain TCP to one server");
    is_number(options.timeout_ms, 1000, "a second for an operation");
    is_number(options.connect_timeout_ms, 1000, "and for connecting");
    is_number(options.max_connections, 16, "16 connections");
    is(options.prefix, "nextauth:", "and a prefix");

    options = parsed(pool, "redis://ada:p%40ss%3aw%2Frd@10.0.0.1:7000/12");
    is(options.host, "10.0.0.1", "a host behind a user");
    is_number(options.port, 7000, "its port");
    is_number(options.db, 12, "a database");
    is(options.user, "ada", "a user");
    is(options.password, "p@ss:w/rd", "a password, decoded");

    options = parsed(pool, "redis://:se:cr@et@localhost/");
    is(options.user, NULL, "a password alone");
    is(options.password, "se:cr@et", "may have colons and at signs as they are");
    is(options.host, "localhost", "as the last at sign counts");

    options = parsed(pool, "rediss://[2001:db8::1]:6380");
    ok(options.tls, "rediss: is TLS");
    is(options.host, "2001:db8::1", "IPv6 loses its brackets");
    is_number(options.port, 6380, "and keeps its port");

    options = parsed(pool, "unix:/run/redis/redis.sock?db=3");
    is(options.unix_path, "/run/redis/redis.sock", "a unix socket");
    is(options.host, NULL, "has no host");
    is_number(options.db, 3, "its database");
    is(parsed(pool, "unix:///run/redis.sock").unix_path, "/run/redis.sock", "with three slashes");
}

static void refusals(apr_pool_t *pool)
{
    static const char *const bad[] = {"",
                                      "localhost:6379",
                                      "http://localhost",
                                      "redis://",
                                      "redis://:secret@",
                                      "redis://host:0",
                                      "redis://host:65536",
                                      "redis://host:secret",
                                      "redis://host:6379:1",
                                      "redis://::1",
                                      "redis://[::1",
                                      "redis://[]:6379",
                                      "redis://ho st",
                                      "redis://host/x",
                                      "redis://host/-1",
                                      "redis://host/1/2",
                                      "redis://host/123456",
                                      "redis://host/0?secret=1",
                                      "redis://host#secret",
                                      "redis://user:secret%zz@host",
                                      "redis://user:secret%00@host",
                                      "redis://us\ner:secret@host",
                                      "unix:relative",
                                      "unix:",
                                      "unix://host/secret",
                                      "unix:/run/redis.sock?secret=1",
                                      "unix:/run/redis.sock?db=secret"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        na_redis_options options;
        na_error *error = na_redis_url_parse(pool, bad[i], &options);
        fails(error, apr_psprintf(pool, "refused: %s", na_one_line(pool, bad[i], 100)));
        ok(!error || !strstr(na_error_text(pool, error), "secret"), "and does not show it");
    }
}

static const char *refused(apr_pool_t *pool, const na_redis_options *options)
{
    na_error *error = na_redis_options_check(pool, options);
    return error ? error->message : NULL;
}

static void combinations(apr_pool_t *pool)
{
    na_redis_options plain, tls, path, user, options;
    na_redis_url_parse(pool, "redis://localhost", &plain);
    na_redis_url_parse(pool, "rediss://localhost", &tls);
    na_redis_url_parse(pool, "unix:/run/redis.sock", &path);
    na_redis_url_parse(pool, "redis://ada@localhost", &user);
    is(refused(pool, &user), "Redis: a username requires a password", "a user alone");

    options = plain;
    options.cluster = 1;
    is(refused(pool, &options), NULL, "a cluster");
    options.db = 1;
    is(refused(pool, &options), "Redis: a cluster has only database 0", "with a database");
    options = path;
    options.cluster = 1;
    is(refused(pool, &options), "Redis: cluster=on cannot be used with a Unix socket",
       "by a unix socket");

    options = plain;
    options.sentinels = "one:26379,two,[::1]:3";
    is(refused(pool, &options), "Redis: sentinels= requires master=", "sentinels alone");
    options.master = "mymaster";
    is(refused(pool, &options), NULL, "sentinels and a master");
    options.cluster = 1;
    is(refused(pool, &options), "Redis: sentinels= cannot be used with a cluster or a Unix socket",
       "and a cluster");
    options.cluster = 0;
    options.sentinels = "one:x";
    is(refused(pool, &options), "invalid sentinel 'one:x': expected host:port", "a bad sentinel");
    options.sentinels = NULL;
    is(refused(pool, &options),
       "Redis: master= and sentinelPassword= require sentinels=", "a master alone");

    options = plain;
    options.ca_file = "/etc/ssl/certs/ca-certificates.crt";
    is(refused(pool, &options), "Redis: a CA, certificate, or key requires TLS: rediss://",
       "a CA without TLS");
    options = tls;
    options.ca_file = "/nowhere/ca.pem";
    fails(na_redis_options_check(pool, &options), "a CA file that is not there");
    options = tls;
    options.cert_file = "/nowhere/cert.pem";
    is(refused(pool, &options), "Redis: certFile= and keyFile= require each other",
       "a certificate without a key");
    options = path;
    options.tls = 1;
    is(refused(pool, &options), "Redis: TLS is not supported on a Unix socket",
       "TLS on a unix socket");

    options = plain;
    options.timeout_ms = 0;
    is(refused(pool, &options), "Redis: invalid time limit: expected at least 1 ms", "no time");
    options = plain;
    options.max_connections = 0;
    is(refused(pool, &options), "Redis: invalid number of connections: expected 1 to 1000",
       "no connection");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    addresses(pool);
    refusals(pool);
    combinations(pool);
    return tap_done();
}
