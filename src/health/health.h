/* SPDX-License-Identifier: Apache-2.0 */
/* Health of a site: checks of its components, and reports of them. */
#ifndef NA_HEALTH_HEALTH_H
#define NA_HEALTH_HEALTH_H

#include <jansson.h>

#include "audit/audit.h"
#include "health/peers.h"
#include "session/sessions.h"

/* The components of a site. */
typedef enum na_health_subject {
    NA_HEALTH_SESSION,
    NA_HEALTH_STORE,
    NA_HEALTH_DATABASE,
    NA_HEALTH_REPLICA,
    NA_HEALTH_REDIS,
    NA_HEALTH_PROVIDERS,
    NA_HEALTH_MAIL,
    NA_HEALTH_CLOCK,
    NA_HEALTH_AUDIT,
    NA_HEALTH_CHECKS
} na_health_subject;

typedef enum na_health_state {
    NA_HEALTH_NONE,
    NA_HEALTH_UP,
    NA_HEALTH_DEGRADED,
    NA_HEALTH_DOWN
} na_health_state;

/* A degraded site has a fault, but serves requests. */
typedef enum na_health_status { NA_HEALTHY, NA_DEGRADED, NA_UNHEALTHY } na_health_status;

typedef struct na_health_report {
    na_health_status status;
    na_health_state checks[NA_HEALTH_CHECKS]; /* NA_HEALTH_NONE if the component is not in use */
    apr_time_t at;
} na_health_report;

/* The objects that are checked; all of them belong to the child process. */
typedef struct na_health_site {
    const na_sessions *sessions;
    const apr_array_header_t *store_names; /* const char *, of the registry's stores; or NULL */
    na_db *db;                             /* NULL if none */
    const na_peers *peers;
    const na_breaker_state *mail; /* NULL without NextAuthMail */
    const na_audit *audit;        /* NULL without NextAuthAuditLog */
} na_health_site;

/* Runs all checks. This takes up to the timeouts of the components. `pool` is scratch. */
void na_health_check(const na_health_site *site, apr_pool_t *pool, na_health_report *report);

/* Returns {"status", "checks", "time"}, without names, URLs, and messages. A new reference. */
json_t *na_health_json(apr_pool_t *pool, const na_health_report *report);

/*
 * Runs one check at a time, and at most one in two seconds. There is one for each site in a child
 * process, so that sites do not wait for each other. Thread-safe.
 */
typedef struct na_health_cache na_health_cache;

/* The cache keeps a copy of `site`. */
na_error *na_health_cache_make(apr_pool_t *pool, const na_health_site *site,
                               na_health_cache **cache);

/*
 * Returns the last report if it is recent enough, and checks again otherwise. If a check has been
 * running for ten seconds, the report is unhealthy, without checks. `pool` is scratch.
 */
void na_health_ask(na_health_cache *cache, apr_pool_t *pool, na_health_report *report);

#endif
