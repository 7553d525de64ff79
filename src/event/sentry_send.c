/* SPDX-License-Identifier: Apache-2.0 */
/* Sends error reports to Sentry, and observes its rate limits. */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "event/sentry.h"

/* seconds; Sentry's own clients wait as long after a 429 without a limit */
#define DEFAULT_LIMIT 60
#define LIMIT_MAX (24L * 3600)

/* Reports are in category "error"; a limit without categories applies to all. */
static int limits_errors(const char *categories, size_t len)
{
    if (!len)
        return 1;
    while (len) {
        size_t name = strcspn(categories, ";:,");
        if (name == 5 && strncmp(categories, "error", 5) == 0)
            return 1;
        size_t step = name + (name < len);
        categories += step;
        len -= step;
    }
    return 0;
}

/* The header is a list of RETRY_AFTER:CATEGORY;CATEGORY:SCOPE:…, separated by commas. */
long na_sentry_limit(const char *header)
{
    long longest = 0;
    while (header && *header) {
        char *end;
        long seconds = strtol(header, &end, 10);
        size_t len = strcspn(end + (*end == ':'), ":,");
        if (end != header && (*end == ':' || *end == ',' || !*end) && seconds > longest &&
            limits_errors(end + (*end == ':'), len))
            longest = seconds < LIMIT_MAX ? seconds : LIMIT_MAX;
        header = strchr(header, ',');
        header = header ? header + 1 : NULL;
    }
    return longest;
}

/* An envelope has three lines: its header, the header of the item, the item. */
static const char *make_envelope(apr_pool_t *pool, const na_sentry_dsn *dsn, const json_t *event)
{
    const char *text = na_json_dump(pool, event);
    const json_t *header =
        na_json_own(pool,
                    json_pack("{s:s*, s:s, s:s}", "event_id", na_json_string(event, "event_id"),
                              "sent_at", na_iso8601(pool, apr_time_now()), "dsn", dsn->text));
    return apr_psprintf(pool,
                        "%s\n{\"type\":\"event\",\"length\":%" APR_SIZE_T_FMT
                        ",\"content_type\":\"application/json\"}\n%s\n",
                        na_json_dump(pool, header), strlen(text), text);
}

void na_sentry_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                    const na_spool_item *item, const json_t *json, na_attempt *attempt)
{
    const na_sentry_dsn *dsn = sink->data;
    const char *const headers[] = {
        apr_pstrcat(pool,
                    "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=mod_nextauth/" NA_VERSION
                    ", sentry_key=",
                    dsn->key, NULL),
        NULL};
    na_http_request request = {.url = dsn->url,
                               .body = make_envelope(pool, dsn, json),
                               .body_type = "application/x-sentry-envelope",
                               .headers = headers,
                               .wanted = "X-Sentry-Rate-Limits",
                               .repeatable = 1,
                               .is_cancelled = courier->is_stopping,
                               .data = courier->data};
    na_http_response response = {0};
    na_error *error = na_http_fetch(sink->http, pool, &request, &response);
    na_attempt_of_response(pool, error, &response, attempt);
    long limit = na_sentry_limit(response.wanted);
    if (limit)
        attempt->pause = apr_time_from_sec(limit);
    else if (response.status == 429 && !attempt->pause)
        attempt->pause = apr_time_from_sec(DEFAULT_LIMIT);
}
