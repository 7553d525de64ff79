/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "mail/queue.h"
#include "base/log.h"
#include "tap.h"

/*
 * Sends mails as each line of its input says, where NEXTAUTH_TEST_MAIL is set. A line is an array,
 * its first member the verb; the answer is a line of JSON. The log goes there as well, as
 * {"log": line}.
 *
 *   ["open", "smtp://…" or a transport, {option: value}]
 *   ["send", {to, from, subject, text, html, id}]
 *   ["queue", capacity], ["put", message, seconds until it expires], ["counts"], ["stop"]
 */

static apr_pool_t *pool;
static na_mail_options options;
static na_mail *mail;
static apr_pool_t *process;
static na_mail_queue *queue;

static void answer(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    printf("%s\n", text);
    fflush(stdout);
    free(text);
    json_decref(json);
}

static void answer_error(const na_error *error, apr_time_t start)
{
    answer(json_pack("{s:s?, s:b, s:I}", "error", error ? na_error_text(pool, error) : NULL,
                     "temporary", error && na_mail_is_temporary(error), "ms",
                     (json_int_t)apr_time_as_msec(apr_time_now() - start)));
}

static void write_log(void *data, na_level level, const char *line)
{
    answer(json_pack("{s:s, s:s}", "log", line, "level", na_level_name(level)));
}

static void set_option(const char *name, const json_t *value)
{
    static const struct {
        const char *name;
        size_t offset;
    } texts[] = {{"from", offsetof(na_mail_options, from)},
                 {"caFile", offsetof(na_mail_options, ca_file)},
                 {"apiKey", offsetof(na_mail_options, api_key)},
                 {"baseUrl", offsetof(na_mail_options, base_url)},
                 {"accessKeyId", offsetof(na_mail_options, access_key_id)},
                 {"secretAccessKey", offsetof(na_mail_options, secret_access_key)},
                 {"sessionToken", offsetof(na_mail_options, session_token)},
                 {"region", offsetof(na_mail_options, region)},
                 {"domain", offsetof(na_mail_options, domain)},
                 {"transactionalId", offsetof(na_mail_options, transactional_id)}};
    if (strcmp(name, "timeoutMs") == 0)
        options.timeout_ms = (long)json_integer_value(value);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i].name) == 0)
            *(const char **)((char *)&options + texts[i].offset) = json_string_value(value);
}

static na_error *open_mail(json_t *request)
{
    static na_http_options http_options = {.connect_timeout_ms = 1000,
                                           .max_bytes = 65536,
                                           .max_concurrent = 4,
                                           .allow_http = 1};
    const na_mail_log log = {write_log, NULL};
    const char *name;
    json_t *value;
    na_http *http;
    NA_TRY(na_mail_options_start(pool, json_string_value(json_array_get(request, 1)), &options));
    json_object_foreach(json_array_get(request, 2), name, value) set_option(name, value);
    http_options.timeout_ms = options.timeout_ms;
    NA_TRY(na_mail_options_check(pool, &options));
    NA_TRY(na_http_make(pool, &http_options, &http));
    return na_mail_make(pool, &options, http, &log, &mail);
}

static na_mail_message message_of(const json_t *json)
{
    na_mail_message message = {.to = na_json_string(json, "to"),
                               .from = na_json_string(json, "from"),
                               .subject = na_json_string(json, "subject"),
                               .text = na_json_string(json, "text"),
                               .html = na_json_string(json, "html"),
                               .url = na_json_string(json, "url"),
                               .id = na_json_string(json, "id")};
    return message;
}

static na_error *put(const json_t *request)
{
    na_mail_message message = message_of(json_array_get(request, 1));
    json_int_t seconds = json_integer_value(json_array_get(request, 2));
    return na_mail_queue_put(queue, pool, &message, json_string_value(json_array_get(request, 3)),
                             seconds ? apr_time_now() + apr_time_from_sec(seconds) : 0);
}

static na_error *obey(const char *verb, json_t *request)
{
    na_mail_message message;
    if (strcmp(verb, "open") == 0)
        return open_mail(request);
    if (strcmp(verb, "send") == 0) {
        message = message_of(json_array_get(request, 1));
        return na_mail_send(mail, pool, &message);
    }
    if (strcmp(verb, "queue") == 0) {
        apr_pool_create(&process, pool);
        return na_mail_queue_make(process, mail,
                                  (int)json_integer_value(json_array_get(request, 1)), &queue);
    }
    if (strcmp(verb, "put") == 0)
        return put(request);
    apr_pool_destroy(process);
    return NULL;
}

static void answer_counts(void)
{
    na_mail_counts counts;
    na_mail_queue_counts(queue, &counts);
    answer(json_pack("{s:I, s:I, s:I, s:I}", "sent", (json_int_t)counts.sent, "failed",
                     (json_int_t)counts.failed, "dropped", (json_int_t)counts.dropped, "queued",
                     (json_int_t)counts.queued));
}

static void answer_line(const char *line)
{
    json_t *request;
    apr_time_t start = apr_time_now();
    na_error *error = na_json_parse(pool, NA_ERR_CONFIGURATION, line, strlen(line), &request);
    const char *verb = error ? "" : json_string_value(json_array_get(request, 0));
    if (strcmp(verb, "counts") == 0)
        answer_counts();
    else
        answer_error(error ? error : obey(verb, request), start);
}

int main(void)
{
    static char line[1024 * 1024];
    if (!getenv("NEXTAUTH_TEST_MAIL"))
        skip_all("NEXTAUTH_TEST_MAIL is not set");
    pool = tap_start();
    signal(SIGPIPE, SIG_IGN);
    na_http_global_init();
    while (fgets(line, sizeof line, stdin))
        answer_line(line);
    return 0;
}
