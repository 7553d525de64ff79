/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_EVENT_ROUTES_H
#define NA_EVENT_ROUTES_H

#include "event/deliver.h"
#include "event/event.h"

/* A sink and the kinds of events that go there, a bit each. */
typedef struct na_event_route {
    unsigned kinds;
    const na_sink *sink;
} na_event_route;

/* NextAuthEvent of one server. */
typedef struct na_event_routes {
    unsigned kinds;                   /* of all routes */
    const apr_array_header_t *routes; /* na_event_route */
} na_event_routes;

/* All kinds that NextAuth has a name for, but NA_EVENT_SESSION, which comes with every look. */
unsigned na_event_routes_all(void);

/*
 * Queues the event for every sink that wants it. Nothing is told that failed. NULL events do
 * nothing; that nobody wants an event is found out at once. One sink's error keeps no other from
 * getting it.
 */
na_error *na_event_routes_put(const na_event_routes *events, apr_pool_t *pool,
                              const na_event *event);

#endif
