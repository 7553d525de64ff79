/* SPDX-License-Identifier: Apache-2.0 */
/* Queues events for the destinations that NextAuthEvent names. */
#ifndef NA_EVENT_ROUTES_H
#define NA_EVENT_ROUTES_H

#include "event/deliver.h"
#include "event/event.h"

/* A destination and the kinds of events that go there, one bit each. */
typedef struct na_event_route {
    unsigned kinds;
    const na_sink *sink;
} na_event_route;

/* NextAuthEvent of one virtual host. */
typedef struct na_event_routes {
    unsigned kinds;                   /* of all routes */
    const apr_array_header_t *routes; /* na_event_route */
} na_event_routes;

/* Returns all kinds that have a NextAuth name, except NA_EVENT_SESSION, which is too frequent. */
unsigned na_event_routes_all(void);

/*
 * Queues a successful event for all of its destinations. `events` can be NULL if there are none.
 * Returns the first error, after trying the other destinations.
 */
na_error *na_event_routes_put(const na_event_routes *events, apr_pool_t *pool,
                              const na_event *event);

#endif
