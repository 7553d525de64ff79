/* SPDX-License-Identifier: Apache-2.0 */
/* Writes metrics as text for Prometheus and OpenMetrics. */
#include "metrics/text.h"

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#define PREFIX "nextauth_"

/* ── choosing a format ─────────────────────────────────────────────────────────────────────── */

const char *na_exposition_type(na_exposition format)
{
    return format == NA_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                    : "text/plain; version=0.0.4; charset=utf-8";
}

/* Returns the weight of one entry of Accept (RFC 9110 section 12.4.2). */
static double accept_weight(const char *parameters)
{
    const char *q = parameters ? strstr(parameters, ";q=") : NULL;
    return q ? strtod(q + 3, NULL) : 1;
}

static void remove_spaces(char *text)
{
    char *to = text;
    for (; *text; text++)
        if (!apr_isspace(*text))
            *to++ = (char)apr_tolower(*text);
    *to = '\0';
}

na_exposition na_exposition_of(apr_pool_t *pool, const char *accept)
{
    double open_metrics = 0, plain = 0;
    char *last, *copy = apr_pstrdup(pool, accept ? accept : "");
    remove_spaces(copy);
    for (char *entry = apr_strtok(copy, ",", &last); entry; entry = apr_strtok(NULL, ",", &last)) {
        size_t len = strcspn(entry, ";");
        double weight = accept_weight(entry + len);
        if (len == 28 && strncmp(entry, "application/openmetrics-text", len) == 0)
            open_metrics = weight > open_metrics ? weight : open_metrics;
        if (len == 10 && strncmp(entry, "text/plain", len) == 0)
            plain = weight > plain ? weight : plain;
    }
    return open_metrics > 0 && open_metrics >= plain ? NA_OPENMETRICS : NA_PROMETHEUS;
}

/* ── writing ───────────────────────────────────────────────────────────────────────────────── */

typedef struct writer {
    apr_pool_t *pool; /* cleared after each sample */
    na_exposition format;
    na_metrics_writer *write;
    void *data;
} writer;

/* Escapes the value of a label, or a help text, in which Prometheus keeps quotes (`quote` is 0). */
static const char *escape_text(apr_pool_t *pool, const char *text, int quote)
{
    char *escaped = apr_palloc(pool, 2 * strlen(text) + 1), *to = escaped;
    for (; *text; text++) {
        if (*text == '\\' || *text == '\n' || (quote && *text == '"'))
            *to++ = '\\';
        *to++ = *text;
        if (*text == '\n')
            to[-1] = 'n';
    }
    *to = '\0';
    return escaped;
}

/* In OpenMetrics, the name of a counter family lacks the "_total" of its samples; so does "_info".
 */
static const char *family_name(const writer *w, const na_metric_family *family)
{
    if (family->type == NA_COUNTER && w->format == NA_PROMETHEUS)
        return apr_pstrcat(w->pool, PREFIX, family->name, "_total", NULL);
    if (family->type == NA_INFO && w->format == NA_OPENMETRICS)
        return apr_pstrcat(w->pool, PREFIX,
                           apr_pstrndup(w->pool, family->name, strlen(family->name) - 5), NULL);
    return apr_pstrcat(w->pool, PREFIX, family->name, NULL);
}

static void write_family(void *data, const na_metric_family *family)
{
    const writer *w = data;
    static const char *const types[] = {[NA_COUNTER] = "counter",
                                        [NA_GAUGE] = "gauge",
                                        [NA_HISTOGRAM] = "histogram",
                                        [NA_INFO] = "info"};
    int known = family->type != NA_INFO || w->format == NA_OPENMETRICS;
    const char *name = family_name(w, family);
    w->write(w->data, apr_pstrcat(w->pool, "# HELP ", name, " ",
                                  escape_text(w->pool, family->help, w->format == NA_OPENMETRICS),
                                  "\n# TYPE ", name, " ", types[known ? family->type : NA_GAUGE],
                                  "\n", NULL));
    apr_pool_clear(w->pool);
}

/* Returns the labels of a sample, such as a="1",b="2". */
static const char *format_labels(const writer *w, const na_metric_family *family,
                                 const na_sample *sample)
{
    const char *labels = "";
    for (int i = 0; i < NA_LABELS_MAX && family->labels[i]; i++)
        labels = apr_pstrcat(w->pool, labels, i ? "," : "", family->labels[i]->name, "=\"",
                             escape_text(w->pool, sample->values[i], 1), "\"", NULL);
    return labels;
}

static void write_line(const writer *w, const na_metric_family *family, const char *suffix,
                       const char *labels, const char *number)
{
    int has_labels = *labels != '\0';
    w->write(w->data, apr_pstrcat(w->pool, PREFIX, family->name, suffix, has_labels ? "{" : "",
                                  labels, has_labels ? "} " : " ", number, "\n", NULL));
}

const char *na_metrics_seconds(apr_pool_t *pool, const na_metric_family *family, apr_uint64_t sum)
{
    apr_uint64_t whole = sum / family->resolution, part = sum % family->resolution;
    int digits = 0;
    for (apr_uint64_t unit = family->resolution; unit > 1; unit /= 10)
        digits++;
    return digits ? apr_psprintf(pool, "%" APR_UINT64_T_FMT ".%0*" APR_UINT64_T_FMT, whole, digits,
                                 part)
                  : apr_psprintf(pool, "%" APR_UINT64_T_FMT, whole);
}

static void write_histogram(const writer *w, const na_metric_family *family,
                            const na_sample *sample, const char *labels)
{
    for (int i = 0; i <= family->bound_count; i++)
        write_line(w, family, "_bucket",
                   apr_pstrcat(w->pool, labels, *labels ? "," : "", "le=\"",
                               i < family->bound_count ? family->bounds[i].text : "+Inf", "\"",
                               NULL),
                   apr_psprintf(w->pool, "%" APR_UINT64_T_FMT, sample->buckets[i]));
    write_line(w, family, "_sum", labels, na_metrics_seconds(w->pool, family, sample->sum));
    write_line(w, family, "_count", labels,
               apr_psprintf(w->pool, "%" APR_INT64_T_FMT, sample->number));
}

static void write_sample(void *data, const na_metric_family *family, const na_sample *sample)
{
    const writer *w = data;
    const char *labels = format_labels(w, family, sample);
    if (family->type == NA_HISTOGRAM)
        write_histogram(w, family, sample, labels);
    else
        write_line(w, family, family->type == NA_COUNTER ? "_total" : "", labels,
                   apr_psprintf(w->pool, "%" APR_INT64_T_FMT, sample->number));
    apr_pool_clear(w->pool);
}

void na_metrics_write(const na_metrics *metrics, apr_pool_t *pool, na_exposition format,
                      const apr_array_header_t *readings, apr_time_t now, na_metrics_writer *write,
                      void *data)
{
    writer w = {.format = format, .write = write, .data = data};
    const na_metrics_visitor visitor = {&w, write_family, write_sample};
    apr_pool_create(&w.pool, pool);
    na_metrics_each(metrics, readings, now, &visitor);
    if (format == NA_OPENMETRICS)
        write(data, "# EOF\n");
    apr_pool_destroy(w.pool);
}
