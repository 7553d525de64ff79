/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "ops/sentry.h"

#define MESSAGE_MAX 2000
#define FILTERED "[filtered]"

/* ── messages ──────────────────────────────────────────────────────────────────────────────── */

static int is_mail_address(const char *word)
{
    return strchr(word, '@') || strstr(word, "%40");
}

static const char *scrub_word(apr_pool_t *pool, const char *word, int pii)
{
    if (strstr(word, "://"))
        word = apr_pstrmemdup(pool, word, strcspn(word, "?#"));
    return !pii && is_mail_address(word) ? FILTERED : word;
}

/* Each quoted part, its quotes too; a quote that is not closed takes the rest with it. */
static const char *without_quoted(apr_pool_t *pool, const char *text)
{
    const char *out = "", *open;
    while ((open = strchr(text, '\''))) {
        const char *close = strchr(open + 1, '\'');
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, text, (apr_size_t)(open - text)),
                          FILTERED, NULL);
        text = close ? close + 1 : "";
    }
    return apr_pstrcat(pool, out, text, NULL);
}

const char *na_sentry_scrub(apr_pool_t *pool, const char *message, int pii)
{
    const char *out = "";
    char *last, *text = apr_pstrdup(pool, na_one_line(pool, message, MESSAGE_MAX));
    if (!pii)
        text = apr_pstrdup(pool, without_quoted(pool, text));
    for (char *word = apr_strtok(text, " ", &last); word; word = apr_strtok(NULL, " ", &last))
        out = apr_pstrcat(pool, out, *out ? " " : "", scrub_word(pool, word, pii), NULL);
    return out;
}

/* ── events ────────────────────────────────────────────────────────────────────────────────── */

/* Tags have values of up to 200 characters; what is not known has none. */
static json_t *tags_of(apr_pool_t *pool, const na_sentry *sentry, const na_error_report *report)
{
    const char *provider = report->provider ? na_one_line(pool, report->provider, 200) : NULL;
    return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "code", report->code, "action",
                     report->action, "provider", provider, "site", sentry->site, "mode",
                     sentry->mode, "request_id", report->request_id);
}

static json_t *request_of(apr_pool_t *pool, const na_sentry *sentry, const na_error_report *report)
{
    const char *path = report->path ? report->path : "";
    const char *url =
        apr_pstrcat(pool, sentry->site, apr_pstrmemdup(pool, path, strcspn(path, "?#;")), NULL);
    return json_pack("{s:s, s:s*}", "url", na_one_line(pool, url, 1000), "method", report->method);
}

static json_t *fingerprint_of(const na_error_report *report)
{
    return json_pack("[s, s, s, s]", "nextauth", report->code ? report->code : "",
                     report->action ? report->action : "",
                     report->provider ? report->provider : "");
}

static void add_trace(apr_pool_t *pool, json_t *event, const na_error_report *report)
{
    if (report->trace_id)
        json_object_set_new(event, "contexts",
                            json_pack("{s:{s:s, s:s}}", "trace", "trace_id", report->trace_id,
                                      "span_id", na_random_hex(pool, 8)));
}

static void add_user(json_t *event, const na_error_report *report)
{
    if (report->user || report->address)
        json_object_set_new(event, "user",
                            json_pack("{s:s*, s:s*}", "id", report->user, "ip_address",
                                      report->address));
}

json_t *na_sentry_event(const na_sentry *sentry, apr_pool_t *pool, const char *id, apr_time_t now,
                        const na_error_report *report)
{
    const na_sentry_options *options = sentry->options;
    const char *message = report->message ? report->message : "";
    json_t *event = na_json_own(
        pool,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s*, s:s*, s:s*}", "event_id", id,
                  "timestamp", na_iso8601(pool, now), "level",
                  report->level ? report->level : "error", "platform", "other", "logger",
                  "nextauth", "message", na_sentry_scrub(pool, message, options->send_default_pii),
                  "tags", tags_of(pool, sentry, report), "fingerprint", fingerprint_of(report),
                  "request", request_of(pool, sentry, report), "server_name", sentry->server_name,
                  "release", options->release, "environment", options->environment));
    if (!event)
        return NULL;
    add_trace(pool, event, report);
    if (options->send_default_pii)
        add_user(event, report);
    return event;
}
