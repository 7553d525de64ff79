/* SPDX-License-Identifier: Apache-2.0 */
/* Delivers queued items to destinations, and decides when to try again. */
#include "event/deliver.h"

#include <stdarg.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#define GIVE_UP_AFTER apr_time_from_sec(3 * 24 * 3600)

/* the longest pause that a destination can ask for */
#define PAUSE_MAX apr_time_from_sec(24 * 3600)

apr_interval_time_t na_delivery_wait(int failures)
{
    static const int seconds[] = {1, 5, 30, 120, 600, 3600};
    const int last = sizeof seconds / sizeof *seconds - 1;
    int step = failures - 1 < last ? failures - 1 : last;
    return apr_time_from_sec(seconds[step > 0 ? step : 0]);
}

void na_sink_tell(const na_sink *sink, na_fate fate)
{
    if (sink->told)
        sink->told(fate);
}

na_error *na_sink_put(const na_sink *sink, apr_pool_t *pool, const char *id, const json_t *json,
                      apr_time_t now)
{
    na_bytes content = na_bytes_of(na_json_dump(pool, json));
    na_error *error = na_spool_put(&sink->spool, pool, id, content, now);
    if (!error)
        return NULL;
    na_sink_tell(sink, NA_FATE_DROPPED);
    int is_full = na_error_is(error, NA_ERR_BUSY);
    return is_full && apr_atomic_inc32(&sink->state->dropped)
               ? NULL
               : na_error_wrap(pool, error, NULL, "%s", sink->name);
}

static void log_about_sink(const na_courier *courier, apr_pool_t *pool, na_level level,
                           const na_sink *sink, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static void log_about_sink(const na_courier *courier, apr_pool_t *pool, na_level level,
                           const na_sink *sink, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = apr_pvsprintf(pool, format, args);
    va_end(args);
    courier->log(courier->data, level,
                 apr_pstrcat(pool, sink->name, ": ", na_one_line(pool, text, 500), NULL));
}

static void pause_sink(na_sink *sink, apr_interval_time_t pause)
{
    sink->state->resume = apr_time_now() + (pause < PAUSE_MAX ? pause : PAUSE_MAX);
}

/*
 * Stops if the directory of the queue cannot be changed: items that stay there would be sent again
 * and again. Returns 0.
 */
static int pause_after_error(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                             const na_error *error)
{
    if (!sink->state->failures++)
        log_about_sink(courier, pool, NA_LOG_WARNING, sink, "%s", na_error_text(pool, error));
    pause_sink(sink, na_delivery_wait(sink->state->failures));
    return 0;
}

static int finish_item(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                       const na_spool_item *item, const na_attempt *attempt)
{
    na_error *error = na_spool_remove(&sink->spool, pool, item);
    if (error)
        return pause_after_error(sink, courier, pool, error);
    if (sink->state->failures)
        log_about_sink(courier, pool, NA_LOG_INFO, sink, "accepts items again");
    sink->state->failures = 0;
    if (attempt->pause)
        pause_sink(sink, attempt->pause);
    return !attempt->pause;
}

static int refuse_item(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                       const na_spool_item *item, const na_attempt *attempt)
{
    na_sink_tell(sink, NA_FATE_FAILED);
    log_about_sink(courier, pool, NA_LOG_WARNING, sink, "refused %s: %s", item->id,
                   attempt->reason);
    return finish_item(sink, courier, pool, item, attempt);
}

static na_error *give_up_item(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                              const na_spool_item *item, const na_attempt *attempt)
{
    na_sink_tell(sink, NA_FATE_FAILED);
    log_about_sink(courier, pool, NA_LOG_WARNING, sink, "gave up %s after %d attempts: %s",
                   item->id, item->attempts + 1, attempt->reason);
    return na_spool_remove(&sink->spool, pool, item);
}

static int is_hopeless(const na_sink *sink, const na_spool_item *item, apr_time_t due)
{
    return due - item->created > GIVE_UP_AFTER ||
           (sink->max_attempts && item->attempts + 1 >= sink->max_attempts);
}

/* A failed attempt pauses the destination, not only the item. */
static int postpone_item(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                         const na_spool_item *item, const na_attempt *attempt)
{
    apr_interval_time_t asked = attempt->pause < PAUSE_MAX ? attempt->pause : PAUSE_MAX;
    apr_interval_time_t item_wait = na_delivery_wait(item->attempts + 1);
    apr_time_t due = apr_time_now() + (item_wait > asked ? item_wait : asked);
    if (!sink->state->failures++)
        log_about_sink(courier, pool, NA_LOG_WARNING, sink,
                       "could not deliver %s, will try again: %s", item->id, attempt->reason);
    apr_interval_time_t sink_wait = na_delivery_wait(sink->state->failures);
    pause_sink(sink, sink_wait > asked ? sink_wait : asked);
    na_error *error = is_hopeless(sink, item, due)
                          ? give_up_item(sink, courier, pool, item, attempt)
                          : na_spool_postpone(&sink->spool, pool, item, due);
    return error ? pause_after_error(sink, courier, pool, error) : 0;
}

/* Moves what is not a valid item. Returns 1 on success. */
static int set_item_aside(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                          const na_spool_item *item, const na_error *error)
{
    na_sink_tell(sink, NA_FATE_FAILED);
    log_about_sink(courier, pool, NA_LOG_WARNING, sink, "invalid item, renamed to %s: %s",
                   na_spool_bad_name(pool, item), na_error_text(pool, error));
    error = na_spool_set_aside(&sink->spool, pool, item);
    return error ? pause_after_error(sink, courier, pool, error) : 1;
}

static na_error *read_item(const na_sink *sink, apr_pool_t *pool, const na_spool_item *item,
                           json_t **json)
{
    na_bytes content;
    NA_TRY(na_spool_read(&sink->spool, pool, item, &content));
    NA_TRY(
        na_json_parse(pool, NA_ERR_CONFIGURATION, (const char *)content.data, content.len, json));
    return json_is_object(*json) ? NULL
                                 : na_error_new(pool, NA_ERR_CONFIGURATION, "not a JSON object");
}

/* Returns 1 if the next item can be delivered. */
static int deliver_one(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                       const na_spool_item *item)
{
    na_attempt attempt = {.outcome = NA_LATER, .reason = "no response"};
    json_t *json;
    na_error *error = read_item(sink, pool, item, &json);
    if (error && na_is_unavailable(error))
        return pause_after_error(sink, courier, pool, error);
    if (error)
        return set_item_aside(sink, courier, pool, item, error);
    sink->send(sink, courier, pool, item, json, &attempt);
    if (attempt.outcome == NA_REFUSED)
        return refuse_item(sink, courier, pool, item, &attempt);
    if (attempt.outcome == NA_DELIVERED) {
        na_sink_tell(sink, NA_FATE_DELIVERED);
        return finish_item(sink, courier, pool, item, &attempt);
    }
    if (courier->is_stopping(courier->data)) /* the attempt was canceled: the item stays as it is */
        return 0;
    return postpone_item(sink, courier, pool, item, &attempt);
}

static na_error *deliver_items(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                               apr_pool_t *scratch)
{
    const na_spool_item *item;
    NA_TRY(na_spool_begin(&sink->spool, pool, apr_time_now()));
    do {
        apr_pool_clear(scratch);
        NA_TRY(na_spool_next(&sink->spool, pool, &item));
    } while (item && !courier->is_stopping(courier->data) &&
             deliver_one(sink, courier, scratch, item));
    return NULL;
}

static void deliver_due(na_sink *sink, const na_courier *courier, apr_pool_t *pool)
{
    apr_pool_t *scratch;
    apr_pool_create(&scratch, pool);
    na_error *error = deliver_items(sink, courier, pool, scratch);
    if (error)
        pause_after_error(sink, courier, pool, error);
}

/* Waits until half of the queue is free: a single free place is soon taken. */
static void log_room(na_sink *sink, const na_courier *courier, apr_pool_t *pool)
{
    na_sink_state *state = sink->state;
    if (!apr_atomic_read32(&state->dropped) ||
        apr_atomic_read32(&state->depth) > sink->spool.max_items / 2)
        return;
    log_about_sink(courier, pool, NA_LOG_WARNING, sink,
                   "the queue has room again: %u items were dropped",
                   apr_atomic_xchg32(&state->dropped, 0));
}

void na_deliver(na_sink *sink, const na_courier *courier, apr_pool_t *pool)
{
    int locked;
    apr_time_t wait = sink->state->resume - apr_time_now();
    if (wait > 0 && wait <= PAUSE_MAX) /* a longer wait means that the clock was set back */
        return;
    na_error *error = na_spool_lock(&sink->spool, pool, &locked);
    if (error)
        pause_after_error(sink, courier, pool, error);
    else if (locked)
        deliver_due(sink, courier, pool);
    log_room(sink, courier, pool);
}

/*
 * 408, 425, and 429 ask for another attempt (RFC 9110, RFC 8470, RFC 6585). A redirect is a
 * misconfiguration that will be corrected.
 */
void na_attempt_of_response(apr_pool_t *pool, const na_error *error,
                            const na_http_response *response, na_attempt *attempt)
{
    *attempt = (na_attempt){.outcome = NA_LATER};
    if (error) {
        attempt->reason = na_error_text(pool, error);
        return;
    }
    long status = response->status;
    int is_final = status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
    attempt->outcome = status >= 200 && status < 300 ? NA_DELIVERED
                       : is_final                    ? NA_REFUSED
                                                     : NA_LATER;
    attempt->reason = apr_psprintf(pool, "the response has status %ld", status);
    if (attempt->outcome == NA_LATER && response->retry_after > 0)
        attempt->pause = apr_time_from_sec(response->retry_after < 24 * 3600
                                               ? (apr_interval_time_t)response->retry_after
                                               : 24 * 3600);
}
