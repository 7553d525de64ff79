/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: SetHandler nextauth-metrics, and the section in mod_status. */
#include <apr_lib.h>
#include <apr_strings.h>
#include <mod_status.h>

#include "httpd/handler/answer.h"
#include "httpd/process.h"
#include "metrics/text.h"

static na_metrics *metrics_of_child(void)
{
    return na_process_of_child()->metrics;
}

/* ── SetHandler nextauth-metrics ───────────────────────────────────────────────────────────── */

static void write_text(void *data, const char *text)
{
    ap_rputs(text, data);
}

int na_answer_metrics(request_rec *r)
{
    na_metrics *metrics = metrics_of_child();
    if (!metrics)
        return na_answer_error(r, HTTP_NOT_FOUND, "NextAuthEngine is off in all virtual hosts");
    na_exposition format = na_exposition_of(r->pool, apr_table_get(r->headers_in, "Accept"));
    ap_set_content_type(r, na_exposition_type(format));
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    if (!r->header_only)
        na_metrics_write(metrics, r->pool, format, na_metrics_readings(r->pool), apr_time_now(),
                         write_text, r);
    return OK;
}

/* ── mod_status ────────────────────────────────────────────────────────────────────────────── */

/* A family is one line, with the sum of its samples. */
typedef struct status {
    request_rec *r;
    int is_short; /* ?auto */
    const na_metric_family *family;
    int count;
    apr_int64_t number;
    apr_uint64_t sum;
} status;

/* Returns "NextAuthMailQueueDepth" for "mail_queue_depth", in the style of mod_status. */
static const char *camel_case(apr_pool_t *pool, const char *name)
{
    char *text = apr_pstrcat(pool, "NextAuth_", name, NULL), *to = text;
    for (const char *from = text; *from; from++) {
        int begins = *from == '_' && from[1];
        from += begins;
        *to++ = (char)(begins ? apr_toupper(*from) : *from);
    }
    *to = '\0';
    return text;
}

static void write_short(const status *is, const na_metric_family *family)
{
    int is_histogram = family->type == NA_HISTOGRAM;
    const char *name = camel_case(is->r->pool, family->name);
    ap_rprintf(is->r, "%s%s: %" APR_INT64_T_FMT "\n", name, is_histogram ? "Count" : "",
               is->number);
    if (is_histogram)
        ap_rprintf(is->r, "%sSum: %s\n", name, na_metrics_seconds(is->r->pool, family, is->sum));
}

static void write_row(const status *is, const na_metric_family *family)
{
    ap_rprintf(is->r, "<tr><td>%s</td><td>%" APR_INT64_T_FMT,
               ap_escape_html(is->r->pool, family->help), is->number);
    if (family->type == NA_HISTOGRAM && is->number)
        ap_rprintf(is->r, " (mean %.6f s)",
                   (double)is->sum / (double)family->resolution / (double)is->number);
    ap_rputs("</td></tr>\n", is->r);
}

static void finish_family(status *is)
{
    if (is->family && is->count && is->is_short)
        write_short(is, is->family);
    else if (is->family && is->count)
        write_row(is, is->family);
}

static void begin_family(void *data, const na_metric_family *family)
{
    status *is = data;
    finish_family(is);
    *is = (status){.r = is->r, .is_short = is->is_short, .family = family};
}

static void add_sample(void *data, const na_metric_family *family, const na_sample *sample)
{
    status *is = data;
    if (family->type == NA_INFO)
        return;
    is->count++;
    is->number += sample->number;
    is->sum += sample->sum;
}

static int show_status(request_rec *r, int flags)
{
    status is = {.r = r, .is_short = flags & AP_STATUS_SHORT};
    const na_metrics_visitor visitor = {&is, begin_family, add_sample};
    if (!metrics_of_child())
        return DECLINED;
    if (!is.is_short)
        ap_rputs("<hr />\n<h2>NextAuth</h2>\n<table border=\"0\">\n", r);
    na_metrics_each(metrics_of_child(), na_metrics_readings(r->pool), apr_time_now(), &visitor);
    finish_family(&is);
    if (!is.is_short)
        ap_rputs("</table>\n", r);
    return OK;
}

void na_register_status(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, show_status, NULL, NULL, APR_HOOK_MIDDLE);
}
