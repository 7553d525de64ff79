/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HEALTH_HEALTH_H
#define NA_HEALTH_HEALTH_H

#include <jansson.h>

#include "audit/audit.h"
#include "health/peers.h"
#include "session/sessions.h"

/* What a site rests on. */
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

/* Degraded: something is wrong, but requests are answered. */
typedef enum na_health_status { NA_HEALTHY, NA_DEGRADED, NA_UNHEALTHY } na_health_status;

typedef struct na_health_report {
    na_health_status status;
    na_health_state checks[NA_HEALTH_CHECKS]; /* NA_HEALTH_NONE: there is nothing to check */
    apr_time_t at;
} na_health_report;

/* What the checks of a site are made on; all of it belongs to the process. */
typedef struct na_health_site {
    const na_sessions *sessions;
    const apr_array_header_t *store_names; /* const char *, of the registry's stores; or NULL */
    na_db *db;                             /* NULL where there is no database */
    const na_peers *peers;
    const na_breaker_state *mail; /* NULL where no mail is sent */
    const na_audit *audit;        /* NULL where nothing is recorded */
} na_health_site;

/* Makes all checks, which takes as long as what does not answer is given. `pool` is scratch. */
void na_health_check(const na_health_site *site, apr_pool_t *pool, na_health_report *report);

/* {"status", "checks", "time"}: no names, addresses or messages. A new reference. */
json_t *na_health_json(apr_pool_t *pool, const na_health_report *report);

/*
 * One for each site of a process, so that none waits for another's: lets one check be made at a
 * time, and none more often than every two seconds, whatever asks. Safe for threads.
 */
typedef struct na_health_desk na_health_desk;

/* The desk keeps a copy of `site`. */
na_error *na_health_desk_make(apr_pool_t *pool, const na_health_site *site, na_health_desk **desk);

/*
 * The site's last report where it is young enough or a check is being made just now, else a new
 * one. A check that has not come to an end after ten seconds is an answer itself: unhealthy,
 * without checks. `pool` is scratch.
 */
void na_health_ask(na_health_desk *desk, apr_pool_t *pool, na_health_report *report);

#endif
