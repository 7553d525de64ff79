/* SPDX-License-Identifier: Apache-2.0 */
/* The Sentry event of an error report, without personal data unless that is allowed. */
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "event/sentry.h"

#define MESSAGE_MAX 2000
#define FILTERED "[filtered]"

/* ── messages ──────────────────────────────────────────────────────────────────────────────── */

static int is_email_address(const char *word)
{
    return strchr(word, '@') || strstr(word, "%40");
}

static const char *scrub_word(apr_pool_t *pool, const char *word, int pii)
{
    if (strstr(word, "://"))
        word = apr_pstrmemdup(pool, word, strcspn(word, "?#"));
    return !pii && is_email_address(word) ? FILTERED : word;
}

/* Replaces each quoted part; a quote that is not closed extends to the end. */
static const char *without_quoted(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *parts = apr_array_make(pool, 8, sizeof(const char *));
    const char *open;
    while ((open = strchr(text, '\''))) {
        const char *close = strchr(open + 1, '\'');
        APR_ARRAY_PUSH(parts, const char *) = apr_pstrmemdup(pool, text, (apr_size_t)(open - text));
        APR_ARRAY_PUSH(parts, const char *) = FILTERED;
        text = close ? close + 1 : "";
    }
    APR_ARRAY_PUSH(parts, const char *) = text;
    return na_join(pool, parts, "");
}

const char *na_sentry_scrub(apr_pool_t *pool, const char *message, int pii)
{
    apr_array_header_t *words = apr_array_make(pool, 16, sizeof(const char *));
    char *last, *text = apr_pstrdup(pool, na_one_line(pool, message, MESSAGE_MAX));
    if (!pii)
        text = apr_pstrdup(pool, without_quoted(pool, text));
    for (char *word = apr_strtok(text, " ", &last); word; word = apr_strtok(NULL, " ", &last))
        APR_ARRAY_PUSH(words, const char *) = scrub_word(pool, word, pii);
    return na_join(pool, words, " ");
}

/* ── events ────────────────────────────────────────────────────────────────────────────────── */

/* Sentry allows up to 200 characters in the value of a tag. */
static json_t *event_tags(apr_pool_t *pool, const na_sentry *sentry, const na_log_record *record)
{
    const char *provider = record->provider ? na_one_line(pool, record->provider, 200) : NULL;
    return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "event", record->event, "code",
                     record->code, "provider", provider, "site", sentry->site, "mode", sentry->mode,
                     "request_id", record->request_id);
}

/* Sentry groups reports with the same fingerprint. */
static json_t *event_fingerprint(const na_log_record *record)
{
    return json_pack("[s, s, s, s]", "nextauth", record->event,
                     record->provider ? record->provider : "", record->code ? record->code : "");
}

static const char *event_message(apr_pool_t *pool, const na_log_record *record, int pii)
{
    const char *message = record->message ? record->message : "";
    if (record->cause)
        message = apr_pstrcat(pool, message, ": ", record->cause, NULL);
    return na_sentry_scrub(pool, message, pii);
}

static void add_request(const na_sentry *sentry, apr_pool_t *pool, json_t *event,
                        const na_error_report *report)
{
    if (!report->path)
        return;
    const char *path = apr_pstrmemdup(pool, report->path, strcspn(report->path, "?#;"));
    const char *url = na_sentry_scrub(pool, apr_pstrcat(pool, sentry->site, path, NULL),
                                      sentry->options->send_default_pii);
    json_object_set_new(event, "request",
                        json_pack("{s:s, s:s*}", "url", url, "method", report->method));
}

static void add_trace(apr_pool_t *pool, json_t *event, const na_log_record *record)
{
    if (record->trace_id)
        json_object_set_new(event, "contexts",
                            json_pack("{s:{s:s, s:s}}", "trace", "trace_id", record->trace_id,
                                      "span_id", na_random_hex(pool, 8)));
}

static void add_user(json_t *event, const na_log_record *record)
{
    if (record->user || record->address)
        json_object_set_new(event, "user",
                            json_pack("{s:s*, s:s*}", "id", record->user, "ip_address",
                                      record->address));
}

json_t *na_sentry_event(const na_sentry *sentry, apr_pool_t *pool, const char *id, apr_time_t now,
                        const na_error_report *report)
{
    const na_sentry_options *options = sentry->options;
    const na_log_record *record = report->record;
    json_t *event =
        na_json_own(pool,
                    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s*, s:s*, s:s*}",
                              "event_id", id, "timestamp", na_iso8601(pool, now), "level",
                              na_level_name(record->level), "platform", "other", "logger",
                              "nextauth", "message",
                              event_message(pool, record, options->send_default_pii), "tags",
                              event_tags(pool, sentry, record), "fingerprint",
                              event_fingerprint(record), "server_name", sentry->server_name,
                              "release", options->release, "environment", options->environment));
    if (!event)
        return NULL;
    add_request(sentry, pool, event, report);
    add_trace(pool, event, record);
    if (options->send_default_pii)
        add_user(event, record);
    return event;
}
