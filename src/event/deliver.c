/* SPDX-License-Identifier: Apache-2.0 */
#include "event/deliver.h"

#include <stdarg.h>

#include <apr_atomic.h>
#include <apr_strings.h>

/* Items that are looked up at once. */
#define BATCH 500

#define GIVE_UP_AFTER apr_time_from_sec(3 * 24 * 3600)

/* No sink may ask for a longer pause. */
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

static void tell(const na_courier *courier, apr_pool_t *pool, na_level level, const na_sink *sink,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void tell(const na_courier *courier, apr_pool_t *pool, na_level level, const na_sink *sink,
                 const char *format, ...)
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

/* The folder itself is in trouble: what is there would be sent again and again. */
static int stop_for(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                    const na_error *error)
{
    if (!sink->state->failures++)
        tell(courier, pool, NA_LOG_WARNING, sink, "%s", na_error_text(pool, error));
    pause_sink(sink, na_delivery_wait(sink->state->failures));
    return 0;
}

static int done(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                const na_spool_item *item, const na_attempt *attempt)
{
    na_error *error = na_spool_remove(&sink->spool, pool, item);
    if (error)
        return stop_for(sink, courier, pool, error);
    if (sink->state->failures)
        tell(courier, pool, NA_LOG_INFO, sink, "takes items again");
    sink->state->failures = 0;
    if (attempt->pause)
        pause_sink(sink, attempt->pause);
    return !attempt->pause;
}

static int refuse(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                  const na_spool_item *item, const na_attempt *attempt)
{
    na_sink_tell(sink, NA_FATE_FAILED);
    tell(courier, pool, NA_LOG_WARNING, sink, "does not take %s: %s", item->id, attempt->reason);
    return done(sink, courier, pool, item, attempt);
}

static na_error *give_up(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                         const na_spool_item *item, const na_attempt *attempt)
{
    na_sink_tell(sink, NA_FATE_FAILED);
    tell(courier, pool, NA_LOG_WARNING, sink, "%s is given up after %d attempts: %s", item->id,
         item->attempts + 1, attempt->reason);
    return na_spool_remove(&sink->spool, pool, item);
}

static int is_hopeless(const na_sink *sink, const na_spool_item *item, apr_time_t due)
{
    return due - item->created > GIVE_UP_AFTER ||
           (sink->max_attempts && item->attempts + 1 >= sink->max_attempts);
}

/* The sink rests after an attempt that failed, whatever item it was. */
static int postpone(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                    const na_spool_item *item, const na_attempt *attempt)
{
    apr_interval_time_t asked = attempt->pause < PAUSE_MAX ? attempt->pause : PAUSE_MAX;
    apr_interval_time_t item_wait = na_delivery_wait(item->attempts + 1);
    apr_time_t due = apr_time_now() + (item_wait > asked ? item_wait : asked);
    if (!sink->state->failures++)
        tell(courier, pool, NA_LOG_WARNING, sink, "takes nothing just now (%s): %s", item->id,
             attempt->reason);
    apr_interval_time_t sink_wait = na_delivery_wait(sink->state->failures);
    pause_sink(sink, sink_wait > asked ? sink_wait : asked);
    na_error *error = is_hopeless(sink, item, due)
                          ? give_up(sink, courier, pool, item, attempt)
                          : na_spool_postpone(&sink->spool, pool, item, due);
    return error ? stop_for(sink, courier, pool, error) : 0;
}

/* A file in the queue that is no item: 1 where it is out of the way. */
static int set_aside(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                     const na_spool_item *item, const na_error *error)
{
    na_sink_tell(sink, NA_FATE_FAILED);
    tell(courier, pool, NA_LOG_WARNING, sink, "set aside as bad-%s: %s", item->name,
         na_error_text(pool, error));
    error = na_spool_set_aside(&sink->spool, pool, item);
    return error ? stop_for(sink, courier, pool, error) : 1;
}

static na_error *read_item(const na_sink *sink, apr_pool_t *pool, const na_spool_item *item,
                           json_t **json)
{
    na_bytes content;
    NA_TRY(na_spool_read(&sink->spool, pool, item, &content));
    NA_TRY(
        na_json_parse(pool, NA_ERR_CONFIGURATION, (const char *)content.data, content.len, json));
    return json_is_object(*json) ? NULL
                                 : na_error_new(pool, NA_ERR_CONFIGURATION, "no JSON object");
}

/* 1 where the next one may follow. */
static int deliver_one(na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                       const na_spool_item *item)
{
    na_attempt attempt = {.outcome = NA_LATER, .reason = "no answer"};
    json_t *json;
    na_error *error = read_item(sink, pool, item, &json);
    if (error && na_is_unavailable(error))
        return stop_for(sink, courier, pool, error);
    if (error)
        return set_aside(sink, courier, pool, item, error);
    sink->send(sink, courier, pool, item, json, &attempt);
    if (attempt.outcome == NA_REFUSED)
        return refuse(sink, courier, pool, item, &attempt);
    if (attempt.outcome == NA_DELIVERED) {
        na_sink_tell(sink, NA_FATE_DELIVERED);
        return done(sink, courier, pool, item, &attempt);
    }
    if (courier->is_stopping(courier->data)) /* which is why: the item is as it was */
        return 0;
    return postpone(sink, courier, pool, item, &attempt);
}

static void deliver_due(na_sink *sink, const na_courier *courier, apr_pool_t *pool)
{
    const apr_array_header_t *items;
    apr_pool_t *scratch;
    na_error *error = na_spool_due(&sink->spool, pool, apr_time_now(), BATCH, &items);
    if (error) {
        stop_for(sink, courier, pool, error);
        return;
    }
    apr_pool_create(&scratch, pool);
    for (int i = 0; i < items->nelts; i++) {
        apr_pool_clear(scratch);
        if (courier->is_stopping(courier->data) ||
            !deliver_one(sink, courier, scratch, &APR_ARRAY_IDX(items, i, na_spool_item)))
            break;
    }
}

/* Not at the first free place, which the next item takes. */
static void tell_room(na_sink *sink, const na_courier *courier, apr_pool_t *pool)
{
    na_sink_state *state = sink->state;
    if (!apr_atomic_read32(&state->dropped) ||
        apr_atomic_read32(&state->depth) > sink->spool.max_items / 2)
        return;
    tell(courier, pool, NA_LOG_WARNING, sink, "the queue has room again; %u items were dropped",
         apr_atomic_xchg32(&state->dropped, 0));
}

void na_deliver(na_sink *sink, const na_courier *courier, apr_pool_t *pool)
{
    int locked;
    apr_time_t wait = sink->state->resume - apr_time_now();
    if (wait > 0 && wait <= PAUSE_MAX) /* else the clock was put back */
        return;
    na_error *error = na_spool_lock(&sink->spool, pool, &locked);
    if (error)
        stop_for(sink, courier, pool, error);
    else if (locked)
        deliver_due(sink, courier, pool);
    tell_room(sink, courier, pool);
}

/* RFC 9110: 408, 425 and 429 ask for another attempt; a redirect is somebody's mistake that ends.
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
    attempt->reason = apr_psprintf(pool, "the answer is %ld", status);
    if (attempt->outcome == NA_LATER && response->retry_after > 0)
        attempt->pause = apr_time_from_sec(response->retry_after < 24 * 3600
                                               ? (apr_interval_time_t)response->retry_after
                                               : 24 * 3600);
}
