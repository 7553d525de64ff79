/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/log.h"
#include "base/trace.h"
#include "tap.h"

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define PARENT_ID "b7ad6b7169203331"

static void traces(apr_pool_t *pool)
{
    static const char *const refused[] = {"",
                                          "00",
                                          "00-" TRACE_ID "-" PARENT_ID,
                                          "00-" TRACE_ID "-" PARENT_ID "-0",
                                          "00-" TRACE_ID "-" PARENT_ID "-01-",
                                          "00-" TRACE_ID "-" PARENT_ID "-01-more",
                                          "01-" TRACE_ID "-" PARENT_ID "-01more",
                                          "ff-" TRACE_ID "-" PARENT_ID "-01",
                                          "0x-" TRACE_ID "-" PARENT_ID "-01",
                                          "00-00000000000000000000000000000000-" PARENT_ID "-01",
                                          "00-" TRACE_ID "-0000000000000000-01",
                                          "00-0AF7651916CD43DD8448EB211C80319C-" PARENT_ID "-01",
                                          "00_" TRACE_ID "-" PARENT_ID "-01",
                                          "00-" TRACE_ID "-" PARENT_ID "-zz",
                                          "00-" TRACE_ID "\r\n" PARENT_ID "-01"};
    na_trace trace = na_trace_parse(pool, "00-" TRACE_ID "-" PARENT_ID "-01", NULL);
    is(trace.trace_id, TRACE_ID, "a trace is read");
    const char *child = na_trace_child(pool, &trace);
    ok(strncmp(child, "00-" TRACE_ID "-", 36) == 0 && strcmp(child + 52, "-01") == 0 &&
           !strstr(child, PARENT_ID) && strlen(child) == 55,
       "a call is part of it, with a parent id of its own: %s", child);
    is(na_trace_parse(pool, "01-" TRACE_ID "-" PARENT_ID "-00-what-comes", NULL).trace_id, TRACE_ID,
       "so is what a later version may add to");
    is(na_trace_parse(pool, NULL, NULL).trace_id, NULL, "no header, no trace");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        is(na_trace_parse(pool, refused[i], NULL).trace_id, NULL,
           apr_psprintf(pool, "refused: odd header %d", (int)i));
    trace = (na_trace){0};
    is(na_trace_child(pool, &trace), NULL, "no trace, no header");
}

static void records(apr_pool_t *pool)
{
    json_t *json;
    const na_log_record record = {.level = NA_LOG_WARNING,
                                  .event = "OAUTH_CALLBACK_ERROR",
                                  .message = "it\nfailed: \"\x01\xff",
                                  .cause = "why",
                                  .provider = "acme",
                                  .request_id = "abc",
                                  .duration = 1303};
    const char *line = na_log_json(pool, &record, apr_time_from_sec(1780000000));
    ok(!strchr(line, '\n'), "a record is one line");
    succeeds(na_json_parse(pool, NA_ERR_CONFIGURATION, line, strlen(line), &json), "of JSON");
    is(na_json_string(json, "timestamp"), "2026-05-28T20:26:40.000Z", "with its time");
    is(na_json_string(json, "level"), "warning", "level");
    is(na_json_string(json, "message"), "it failed: \" \ufffd",
       "message: what is no UTF-8 is marked");
    is(na_json_string(json, "userId"), NULL, "and nothing that is not known");
    ok(strstr(line, "\"durationMs\":1.303,") != NULL, "milliseconds");
    is(na_log_plain(pool, &record),
       "it failed: \" \ufffd: why (OAUTH_CALLBACK_ERROR, provider acme, reference abc)",
       "the same for people");
    const na_log_record bare = {.message = "hello"};
    is(na_log_plain(pool, &bare), "hello", "a message alone");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    traces(pool);
    records(pool);
    return tap_done();
}
