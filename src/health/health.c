/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks of a site's components. */
#include "health/health.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "provider/provider.h"

/* seconds; smaller differences than this can be the delay of a response */
#define SKEW_MAX 60

/* longer than the ten minutes that can pass between two attempts to send an email */
#define MAIL_FAILS_FOR apr_time_from_sec(900)

/* limited, because a server that gets no requests while it is unhealthy cannot recover otherwise */
#define AUDIT_FAILS_FOR apr_time_from_sec(300)

static void add_result(na_health_report *report, na_health_subject check, na_health_state status,
                       na_health_status makes)
{
    if (status > report->checks[check])
        report->checks[check] = status;
    if (status != NA_HEALTH_UP && makes > report->status)
        report->status = makes;
}

/* NA_ERR_BUSY means that the component was not asked in time, so its state is unknown. */
static na_health_state health_state(const na_error *error)
{
    if (!error)
        return NA_HEALTH_UP;
    return na_error_is(error, NA_ERR_BUSY) ? NA_HEALTH_DEGRADED : NA_HEALTH_DOWN;
}

/* ── sessions ──────────────────────────────────────────────────────────────────────────────── */

static na_error *encrypt_and_decrypt(const na_session_config *config, apr_pool_t *pool)
{
    const na_keyring *ring = &config->sources[0].ring;
    json_t *claims = na_json_own(pool, json_pack("{s:s}", "sub", "health"));
    char *token;
    NA_TRY(na_keyring_seal(pool, ring, claims, apr_time_now(), 60, &token));
    return na_keyring_open(pool, ring, na_bytes_of(token), apr_time_now(), &claims);
}

static void check_session(const na_health_site *site, apr_pool_t *pool, na_health_report *report)
{
    add_result(report, NA_HEALTH_SESSION,
               health_state(encrypt_and_decrypt(site->sessions->config, pool)), NA_UNHEALTHY);
}

/* Reads the record of a session that does not exist. */
static na_error *query_store(const na_store *store, apr_pool_t *pool)
{
    na_store_key key;
    na_bytes value;
    na_store_key_make(&key, NA_KIND_SESSION, "health");
    return na_store_get(store, pool, &key, 1, &value);
}

/* The site works without its store if whenDown=serve is set. */
static na_health_status status_without_store(const na_session_config *config,
                                             na_health_state status)
{
    return status == NA_HEALTH_DEGRADED || config->serve_for ? NA_DEGRADED : NA_UNHEALTHY;
}

static void check_stores(const na_health_site *site, apr_pool_t *pool, na_health_report *report)
{
    const na_registry *registry = site->sessions->registry;
    for (int i = 0; registry && i < registry->store_count; i++) {
        na_health_state status = health_state(query_store(registry->stores[i], pool));
        na_health_status makes = status_without_store(site->sessions->config, status);
        add_result(report, NA_HEALTH_STORE, status, makes);
        if (strcmp(APR_ARRAY_IDX(site->store_names, i, const char *), "redis") == 0)
            add_result(report, NA_HEALTH_REDIS, status, makes);
    }
}

/* ── database ──────────────────────────────────────────────────────────────────────────────── */

static void check_database(const na_health_site *site, apr_pool_t *pool, na_health_report *report)
{
    int behind;
    if (!site->db)
        return;
    na_health_state status = health_state(na_db_ping(site->db, pool, &behind));
    if (status == NA_HEALTH_UP && behind)
        add_result(report, NA_HEALTH_DATABASE, NA_HEALTH_DOWN, NA_DEGRADED);
    else
        add_result(report, NA_HEALTH_DATABASE, status,
                   status == NA_HEALTH_DOWN ? NA_UNHEALTHY : NA_DEGRADED);
}

/* Replicas are down only if all of them are, because the others take over. */
static void check_replicas(const na_health_site *site, apr_pool_t *pool, na_health_report *report)
{
    int count = site->db ? site->db->replica_count : 0, down = 0, behind;
    for (int i = 0; i < count; i++)
        down += health_state(na_db_ping(site->db->replicas[i], pool, &behind)) == NA_HEALTH_DOWN;
    if (count)
        add_result(report, NA_HEALTH_REPLICA,
                   !down           ? NA_HEALTH_UP
                   : down == count ? NA_HEALTH_DOWN
                                   : NA_HEALTH_DEGRADED,
                   NA_DEGRADED);
}

/* ── providers, email, audit log ───────────────────────────────────────────────────────────── */

static int is_remote(const na_provider *provider)
{
    return provider->type == NA_OIDC || provider->type == NA_OAUTH;
}

static void check_providers(const na_health_site *site, na_health_report *report)
{
    const apr_array_header_t *providers = site->peers->providers;
    int remote = 0, down = 0;
    for (int i = 0; i < providers->nelts; i++) {
        if (!is_remote(APR_ARRAY_IDX(providers, i, const na_provider *)))
            continue;
        remote++;
        down += na_peers_is_down(site->peers, i);
    }
    if (!remote)
        return;
    int is_sign_in_impossible = down == providers->nelts;
    add_result(report, NA_HEALTH_PROVIDERS,
               !down            ? NA_HEALTH_UP
               : down == remote ? NA_HEALTH_DOWN
                                : NA_HEALTH_DEGRADED,
               is_sign_in_impossible ? NA_UNHEALTHY : NA_DEGRADED);
    add_result(report, NA_HEALTH_CLOCK,
               na_peers_skew(site->peers) > SKEW_MAX ? NA_HEALTH_DEGRADED : NA_HEALTH_UP,
               NA_DEGRADED);
}

static void check_mail(const na_health_site *site, na_health_report *report)
{
    if (site->mail)
        add_result(report, NA_HEALTH_MAIL,
                   na_breaker_is_failing(site->mail, MAIL_FAILS_FOR) ? NA_HEALTH_DOWN
                                                                     : NA_HEALTH_UP,
                   NA_DEGRADED);
}

/* With onFailure=refuse, sign-ins are refused while no records can be written. */
static void check_audit(const na_health_site *site, na_health_report *report)
{
    if (site->audit)
        add_result(report, NA_HEALTH_AUDIT,
                   na_audit_is_failing(site->audit, AUDIT_FAILS_FOR) ? NA_HEALTH_DOWN
                                                                     : NA_HEALTH_UP,
                   site->audit->goes_on ? NA_DEGRADED : NA_UNHEALTHY);
}

void na_health_check(const na_health_site *site, apr_pool_t *pool, na_health_report *report)
{
    *report = (na_health_report){.status = NA_HEALTHY};
    check_session(site, pool, report);
    check_stores(site, pool, report);
    check_database(site, pool, report);
    check_replicas(site, pool, report);
    check_providers(site, report);
    check_mail(site, report);
    check_audit(site, report);
    report->at = apr_time_now();
}

json_t *na_health_json(apr_pool_t *pool, const na_health_report *report)
{
    static const char *const names[] = {"session",   "store", "database", "replica", "redis",
                                        "providers", "mail",  "clock",    "audit"};
    static const char *const words[] = {NULL, "up", "degraded", "down"};
    static const char *const statuses[] = {"healthy", "degraded", "unhealthy"};
    json_t *checks = json_object();
    for (int i = 0; i < NA_HEALTH_CHECKS; i++)
        if (report->checks[i] != NA_HEALTH_NONE)
            json_object_set_new(checks, names[i],
                                json_pack("{s:s}", "status", words[report->checks[i]]));
    return json_pack("{s:s,s:o,s:s}", "status", statuses[report->status], "checks", checks, "time",
                     na_iso8601(pool, report->at));
}
