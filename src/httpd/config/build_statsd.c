/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/watchdog.h"

#define PREFIX_MAX 64

static na_error *as_prefix(na_builder *b, const char *value, void *member)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    *(const char **)member = value;
    return *value && strlen(value) <= PREFIX_MAX && !value[strspn(value, allowed)]
               ? NULL
               : na_wrong(b, "prefix=%s: letters, digits and _ . - are wanted", value);
}

static na_error *as_format(na_builder *b, const char *value, void *member)
{
    int tagged = strcmp(value, "dogstatsd") == 0;
    *(na_statsd_format *)member = tagged ? NA_DOGSTATSD : NA_STATSD;
    return tagged || strcmp(value, "statsd") == 0
               ? NULL
               : na_wrong(b, "format=%s: statsd or dogstatsd is wanted", value);
}

static na_error *as_interval(na_builder *b, const char *value, void *member)
{
    return na_build_number(b, value, 1, 3600, member);
}

static na_error *read_address(na_builder *b, const char *text, na_statsd_options *options)
{
    char *host, *scope;
    apr_port_t port;
    if (apr_parse_addr_port(&host, &scope, &port, text, b->pool) != APR_SUCCESS || !host || scope ||
        !port)
        return na_wrong(b, "'%s': HOST:PORT is wanted, such as localhost:8125", text);
    options->host = host;
    options->port = port;
    return NULL;
}

na_error *na_build_statsd(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {
        {"prefix", offsetof(na_statsd_options, prefix), as_prefix},
        {"format", offsetof(na_statsd_options, format), as_format},
        {"interval", offsetof(na_statsd_options, interval), as_interval},
        {NULL, 0, NULL}};
    na_statsd_options *options = apr_palloc(b->pool, sizeof *options);
    *options = (na_statsd_options){.prefix = "nextauth", .interval = 10};
    if (w->server->is_virtual)
        return na_wrong(b, "metrics are the whole server's: write it outside of <VirtualHost>");
    NA_TRY(na_watchdog_check(b->pool, "NextAuthStatsD needs mod_watchdog, to send"));
    NA_TRY(read_address(b, w->argv[0], options));
    b->plan->statsd = options;
    return na_build_settings(b, w, 1, settings, options);
}
