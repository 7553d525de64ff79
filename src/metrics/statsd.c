/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes metrics to StatsD. */
#include "metrics/statsd.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_network_io.h>
#include <apr_strings.h>

typedef struct pushing {
    na_metrics *metrics;
    apr_pool_t *pool;
    const na_statsd_options *options;
    na_statsd_sender *send;
    void *data;
    char datagram[NA_STATSD_DATAGRAM];
    apr_size_t len;
    na_error *error; /* the first */
} pushing;

static void send_datagram(pushing *p)
{
    if (!p->len)
        return;
    na_error *error = p->send(p->data, p->pool, p->datagram, p->len);
    p->error = p->error ? p->error : error;
    p->len = 0;
}

static void add_line(pushing *p, const char *line)
{
    apr_size_t len = strlen(line);
    if (len > sizeof p->datagram)
        return;
    if (p->len && p->len + 1 + len > sizeof p->datagram)
        send_datagram(p);
    if (p->len)
        p->datagram[p->len++] = '\n';
    memcpy(p->datagram + p->len, line, len);
    p->len += len;
}

/* Replaces characters that separate parts of a line and, in names, the dots that separate levels.
 */
static const char *replace_separators(apr_pool_t *pool, const char *text, int in_name)
{
    char *scrubbed = apr_pstrdup(pool, text);
    for (char *c = scrubbed; *c; c++)
        if (strchr(":|@#,", *c) || apr_iscntrl(*c) || apr_isspace(*c) || (in_name && *c == '.'))
            *c = '_';
    return scrubbed;
}

static const char *metric_name(const pushing *p, const na_metric_family *family,
                               const na_sample *sample, const char *suffix)
{
    const char *name = apr_pstrcat(p->pool, p->options->prefix, ".", family->name, suffix, NULL);
    if (p->options->format == NA_STATSD)
        for (int i = 0; i < NA_LABELS_MAX && family->labels[i]; i++)
            name = apr_pstrcat(p->pool, name, ".",
                               replace_separators(p->pool, sample->values[i], 1), NULL);
    return name;
}

static const char *metric_tags(const pushing *p, const na_metric_family *family,
                               const na_sample *sample)
{
    const char *tags = "";
    if (p->options->format == NA_DOGSTATSD)
        for (int i = 0; i < NA_LABELS_MAX && family->labels[i]; i++)
            tags = apr_pstrcat(p->pool, tags, i ? "," : "|#", family->labels[i]->name, ":",
                               replace_separators(p->pool, sample->values[i], 0), NULL);
    return tags;
}

static void add_number(pushing *p, const na_metric_family *family, const na_sample *sample,
                       const char *suffix, const char *number, const char *type)
{
    add_line(p, apr_pstrcat(p->pool, metric_name(p, family, sample, suffix), ":", number, "|", type,
                            metric_tags(p, family, sample), NULL));
}

static void add_gain(pushing *p, const na_metric_family *family, const na_sample *sample)
{
    const char *suffix = family->type == NA_HISTOGRAM ? ".count" : "";
    apr_uint64_t gained = na_metrics_unsent(p->metrics, family, sample, 0);
    if (gained)
        add_number(p, family, sample, suffix, apr_psprintf(p->pool, "%" APR_UINT64_T_FMT, gained),
                   "c");
    gained = family->type == NA_HISTOGRAM ? na_metrics_unsent(p->metrics, family, sample, 1) : 0;
    if (gained)
        add_number(p, family, sample, ".sum",
                   apr_psprintf(p->pool, "%.6f",
                                (double)gained * 1000 / (double)family->resolution),
                   "c");
}

static void add_sample(void *data, const na_metric_family *family, const na_sample *sample)
{
    pushing *p = data;
    if (family->type == NA_COUNTER || family->type == NA_HISTOGRAM)
        add_gain(p, family, sample);
    else
        add_number(p, family, sample, "",
                   apr_psprintf(p->pool, "%" APR_INT64_T_FMT, sample->number), "g");
}

na_error *na_statsd_write(na_metrics *metrics, apr_pool_t *pool, const na_statsd_options *options,
                          const apr_array_header_t *readings, apr_time_t now,
                          na_statsd_sender *send, void *data)
{
    pushing p = {.metrics = metrics, .pool = pool, .options = options, .send = send, .data = data};
    const na_metrics_visitor visitor = {.data = &p, .sample = add_sample};
    na_metrics_each(metrics, readings, now, &visitor);
    send_datagram(&p);
    return p.error;
}

/* ── over UDP ──────────────────────────────────────────────────────────────────────────────── */

typedef struct destination {
    apr_socket_t *socket;
    apr_sockaddr_t *address;
} destination;

static na_error *statsd_error(apr_pool_t *pool, const char *what, apr_status_t status)
{
    char text[128];
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s: %s", what,
                        apr_strerror(status, text, sizeof text));
}

static na_error *send_over_udp(void *data, apr_pool_t *pool, const char *text, apr_size_t len)
{
    const destination *to = data;
    apr_status_t status = apr_socket_sendto(to->socket, to->address, 0, text, &len);
    return status == APR_SUCCESS ? NULL : statsd_error(pool, "could not send a datagram", status);
}

na_error *na_statsd_push(na_metrics *metrics, apr_pool_t *pool, const na_statsd_options *options,
                         const apr_array_header_t *readings, apr_time_t now)
{
    destination to;
    apr_status_t status = apr_sockaddr_info_get(&to.address, options->host, APR_UNSPEC,
                                                (apr_port_t)options->port, 0, pool);
    if (status != APR_SUCCESS)
        return statsd_error(pool, options->host, status);
    status = apr_socket_create(&to.socket, to.address->family, SOCK_DGRAM, APR_PROTO_UDP, pool);
    if (status != APR_SUCCESS)
        return statsd_error(pool, "could not create a socket", status);
    apr_socket_timeout_set(to.socket, 0);
    na_error *error = na_statsd_write(metrics, pool, options, readings, now, send_over_udp, &to);
    apr_socket_close(to.socket);
    return error;
}
