/* SPDX-License-Identifier: Apache-2.0 */
/* Queues events for the destinations that NextAuthEvent names. */
#include "event/routes.h"

#include "base/clock.h"
#include "base/crypto.h"

unsigned na_event_routes_all(void)
{
    unsigned all = 0;
    for (int kind = 0; kind < NA_EVENT_KINDS; kind++)
        if (kind != NA_EVENT_SESSION && na_event_name((na_event_kind)kind))
            all |= 1u << kind;
    return all;
}

/* The members have the names of the arguments of NextAuth's event functions. */
static json_t *event_data(const na_event *event)
{
    json_t *data = json_pack("{s:{s:s?, s:s?, s:s?, s:s?}}", "user", "id", event->user, "name",
                             event->name, "email", event->email, "image", event->image);
    if (data && event->provider)
        json_object_set_new(data, "account",
                            json_pack("{s:s, s:s?, s:s?}", "provider", event->provider, "type",
                                      event->account_type, "providerAccountId", event->account_id));
    if (data && event->kind == NA_EVENT_SIGN_IN)
        json_object_set_new(data, "isNewUser", json_boolean(event->is_new_user));
    return data;
}

static json_t *event_payload(apr_pool_t *pool, const char *id, const na_event *event)
{
    const na_event_origin *origin = &event->origin;
    return na_json_own(pool, json_pack("{s:s, s:s, s:s, s:o, s:s*, s:s*, s:s*}", "type",
                                       na_event_name(event->kind), "id", id, "timestamp",
                                       na_iso8601(pool, event->time), "data", event_data(event),
                                       "site", origin->site, "requestId", origin->request_id,
                                       "traceId", origin->trace_id));
}

na_error *na_event_routes_put(const na_event_routes *events, apr_pool_t *pool,
                              const na_event *event)
{
    na_error *first = NULL;
    unsigned kind = 1u << event->kind;
    if (!events || event->failure || !(events->kinds & kind))
        return NULL;
    const char *id = na_random_hex(pool, NA_SPOOL_ID_LEN / 2);
    json_t *json = event_payload(pool, id, event);
    if (!json)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not encode event %s as JSON",
                            na_event_name(event->kind));
    for (int i = 0; i < events->routes->nelts; i++) {
        const na_event_route *route = &APR_ARRAY_IDX(events->routes, i, na_event_route);
        na_error *error =
            route->kinds & kind ? na_sink_put(route->sink, pool, id, json, apr_time_now()) : NULL;
        first = first ? first : error;
    }
    return first;
}
