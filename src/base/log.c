/* SPDX-License-Identifier: Apache-2.0 */
/* Log records as text. */
#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/json.h"

/* Limit of a message and of its cause: the words of a provider can be long. */
#define TEXT_MAX 2048

const char *na_level_name(na_level level)
{
    static const char *const names[] = {[NA_LOG_ERROR] = "error",
                                        [NA_LOG_WARNING] = "warning",
                                        [NA_LOG_INFO] = "info",
                                        [NA_LOG_DEBUG] = "debug"};
    return names[level];
}

static void put_text(apr_pool_t *pool, json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(na_one_line(pool, text, TEXT_MAX)));
}

/* Writes only the significant digits of a duration: 0.303, not 0.30299999999999999. */
static const char *dump(apr_pool_t *pool, const json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12));
    const char *copy = apr_pstrdup(pool, text);
    free(text);
    return copy;
}

const char *na_log_json(apr_pool_t *pool, const na_log_record *record, apr_time_t when)
{
    json_t *object = na_json_own(pool, json_object());
    put_text(pool, object, "timestamp", na_iso8601(pool, when));
    put_text(pool, object, "level", na_level_name(record->level));
    put_text(pool, object, "event", record->event);
    put_text(pool, object, "message", record->message);
    put_text(pool, object, "cause", record->cause);
    put_text(pool, object, "provider", record->provider);
    put_text(pool, object, "userId", record->user);
    put_text(pool, object, "address", record->address);
    if (record->duration > 0)
        json_object_set_new(object, "durationMs", json_real((double)record->duration / 1000));
    put_text(pool, object, "requestId", record->request_id);
    put_text(pool, object, "traceId", record->trace_id);
    put_text(pool, object, "site", record->site);
    json_object_set_new(object, "pid", json_integer(getpid()));
    return dump(pool, object);
}

static const char *add_fact(apr_pool_t *pool, const char *facts, const char *label,
                            const char *value)
{
    return value ? apr_pstrcat(pool, facts, *facts ? ", " : "", label, value, NULL) : facts;
}

const char *na_log_plain(apr_pool_t *pool, const na_log_record *record)
{
    const char *facts = add_fact(pool, "", "", record->event);
    facts = add_fact(pool, facts, "provider ", record->provider);
    facts = add_fact(pool, facts, "user ", record->user);
    facts = add_fact(pool, facts, "reference ", record->request_id);
    const char *line = apr_pstrcat(pool, record->message, record->cause ? ": " : "",
                                   record->cause ? record->cause : "", *facts ? " (" : "", facts,
                                   *facts ? ")" : "", NULL);
    return na_one_line(pool, line, 2 * TEXT_MAX);
}
