/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of requests and servers, and the IDs that connect them to a request. */
#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>
#include <http_main.h>

#include "base/clock.h"
#include "httpd/module.h"

static int apache_level(na_level level)
{
    static const int levels[] = {[NA_LOG_ERROR] = APLOG_ERR,
                                 [NA_LOG_WARNING] = APLOG_WARNING,
                                 [NA_LOG_INFO] = APLOG_INFO,
                                 [NA_LOG_DEBUG] = APLOG_DEBUG};
    return levels[level];
}

static int is_level_logged(const server_rec *s, const request_rec *r, na_level level)
{
    return r ? APLOG_R_IS_LEVEL(r, apache_level(level)) : APLOG_IS_LEVEL(s, apache_level(level));
}

/* Returns 1 if such a line goes neither to the log nor to Sentry. */
static int is_dropped(const server_rec *s, const request_rec *r, na_level level)
{
    return level != NA_LOG_ERROR && !is_level_logged(s, r, level);
}

int na_log_is_dropped(const request_rec *r, na_level level)
{
    return is_dropped(r->server, r, level);
}

/* httpd's error log escapes backslashes and bytes beyond ASCII: JSON written there has none. */
static const char *without_escapes(apr_pool_t *pool, const char *text)
{
    char *copy = text ? apr_pstrdup(pool, text) : NULL;
    for (char *p = copy; p && *p; p++)
        *p = *p == '"' ? '\'' : *p == '\\' ? '/' : *p & 0x80 ? '?' : *p;
    return copy;
}

static const char *json_for_error_log(apr_pool_t *pool, const na_log_record *record)
{
    na_log_record simple = *record;
    simple.message = without_escapes(pool, record->message);
    simple.cause = without_escapes(pool, record->cause);
    simple.user = without_escapes(pool, record->user);
    return na_log_json(pool, &simple, apr_time_now());
}

static void write_to_error_log(const server_rec *s, request_rec *r, na_level level,
                               const char *line)
{
    if (r)
        ap_log_rerror(APLOG_MARK, apache_level(level), 0, r, "%s", line);
    else
        ap_log_error(APLOG_MARK, apache_level(level), 0, s, "%s", line);
}

/* Writes each line with one call, so that lines of several processes do not mix. Returns 0 on
 * failure. */
static int write_to_file(apr_pool_t *pool, const na_server_conf *conf, const na_log_record *record)
{
    apr_time_t now = apr_time_now();
    const char *line =
        conf->plan.log.json
            ? apr_pstrcat(pool, na_log_json(pool, record, now), "\n", NULL)
            : apr_psprintf(pool, "%s [%s] %s%s%s\n", na_iso8601(pool, now),
                           na_level_name(record->level), record->address ? record->address : "",
                           record->address ? " " : "", na_log_plain(pool, record));
    return apr_file_write_full(conf->log, line, strlen(line), NULL) == APR_SUCCESS;
}

/* Errors are reported independently of LogLevel. */
static void report_to_sentry(const server_rec *s, const request_rec *r, apr_pool_t *pool,
                             const na_log_record *record)
{
    const na_error_report error = {record, r ? r->method : NULL, r ? r->uri : NULL};
    if (record->level == NA_LOG_ERROR)
        na_sentry_capture(na_server_conf_of(s)->sentry, pool, &error);
}

static void write_record(const server_rec *s, request_rec *r, apr_pool_t *pool,
                         const na_log_record *record)
{
    const na_server_conf *conf = na_server_conf_of(s);
    report_to_sentry(s, r, pool, record);
    if (!is_level_logged(s, r, record->level))
        return;
    if (conf->log && write_to_file(pool, conf, record))
        return;
    write_to_error_log(s, r, record->level,
                       conf->plan.log.json && !conf->log ? json_for_error_log(pool, record)
                                                         : na_log_plain(pool, record));
}

void na_log_record_of_request(request_rec *r, const na_log_record *given)
{
    const na_config *config = na_config_of(r);
    na_state *state = na_state_of(r);
    na_log_record record = *given;
    if (is_dropped(r->server, r, record.level))
        return;
    if (!record.user && state->session)
        record.user = state->session->user;
    record.address = r->useragent_ip;
    record.site = config ? config->origin : NULL;
    record.request_id = na_request_id(r);
    record.trace_id = na_trace_of(r)->trace_id;
    record.duration = apr_time_now() - r->request_time;
    write_record(r->server, r, r->pool, &record);
}

void na_log_request(request_rec *r, na_level level, const char *event, const char *format, ...)
{
    va_list args;
    if (is_dropped(r->server, r, level))
        return;
    va_start(args, format);
    const na_log_record record = {.level = level,
                                  .event = event,
                                  .message = apr_pvsprintf(r->pool, format, args)};
    va_end(args);
    na_log_record_of_request(r, &record);
}

void na_log_server(const server_rec *s, na_level level, const char *event, const char *format, ...)
{
    apr_pool_t *pool;
    va_list args;
    if (is_dropped(s, NULL, level) || apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return;
    va_start(args, format);
    const na_config *config = na_server_conf_of(s)->config;
    const na_log_record record = {.level = level,
                                  .event = event,
                                  .message = apr_pvsprintf(pool, format, args),
                                  .site = config ? config->origin : NULL};
    va_end(args);
    write_record(s, NULL, pool, &record);
    apr_pool_destroy(pool);
}

/* ── IDs of a request ──────────────────────────────────────────────────────────────────────── */

static request_rec *initial_request(request_rec *r)
{
    while (r->main || r->prev)
        r = r->main ? r->main : r->prev;
    return r;
}

/* httpd's own log ID (%L in its formats), so that all logs name a request alike. */
const char *na_request_id(request_rec *r)
{
    request_rec *first = initial_request(r);
    if (!first->log_id)
        ap_run_generate_log_id(first->connection, first, &first->log_id);
    return first->log_id;
}

const na_trace *na_trace_of(request_rec *r)
{
    request_rec *first = initial_request(r);
    na_state *state = na_state_of(first);
    if (!state->trace) {
        na_trace *trace = apr_palloc(first->pool, sizeof *trace);
        *trace = na_trace_parse(first->pool, apr_table_get(first->headers_in, "traceparent"),
                                apr_table_get(first->headers_in, "tracestate"));
        state->trace = trace;
    }
    return state->trace;
}

na_event_origin na_origin_of(request_rec *r)
{
    const na_config *config = na_config_of(r);
    return (na_event_origin){.site = config ? config->origin : NULL,
                             .address = r->useragent_ip,
                             .user_agent = apr_table_get(r->headers_in, "User-Agent"),
                             .request_id = na_request_id(r),
                             .trace_id = na_trace_of(r)->trace_id};
}
