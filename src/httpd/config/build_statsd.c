/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthStatsD. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/settings.h"
#include "httpd/watchdog.h"

#define PREFIX_MAX 64

static na_error *as_prefix(na_builder *b, const char *value, void *member)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    *(const char **)member = value;
    return *value && strlen(value) <= PREFIX_MAX && !value[strspn(value, allowed)]
               ? NULL
               : na_wrong(b, "invalid prefix='%s': expected up to %d letters, digits, and _ . -",
                          value, PREFIX_MAX);
}

static na_error *as_format(na_builder *b, const char *value, void *member)
{
    int tagged = strcmp(value, "dogstatsd") == 0;
    *(na_statsd_format *)member = tagged ? NA_DOGSTATSD : NA_STATSD;
    return tagged || strcmp(value, "statsd") == 0
               ? NULL
               : na_wrong(b, "invalid format='%s': expected statsd or dogstatsd", value);
}

static na_error *as_interval(na_builder *b, const char *value, void *member)
{
    return na_build_number(b, value, 1, 3600, member);
}

static na_error *parse_address(na_builder *b, const char *text, na_statsd_options *options)
{
    char *host, *scope;
    apr_port_t port;
    if (apr_parse_addr_port(&host, &scope, &port, text, b->pool) != APR_SUCCESS || !host || scope ||
        !port)
        return na_wrong(b, "invalid address '%s': expected HOST:PORT, such as localhost:8125",
                        text);
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
        return na_error_with_hint(na_wrong(b, "cannot be set in <VirtualHost>"),
                                  "move it to the main server: metrics include all sites");
    NA_TRY(na_watchdog_check(b->pool, "NextAuthStatsD requires mod_watchdog"));
    NA_TRY(parse_address(b, w->argv[0], options));
    b->plan->statsd = options;
    return na_build_settings(b, w, 1, settings, options);
}
