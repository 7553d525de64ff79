/* SPDX-License-Identifier: Apache-2.0 */
/* What processes learn of their peers by the way, and that no check is waited for without end. */
#include <string.h>

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

#include "health/health.h"
#include "provider/provider.h"
#include "tap.h"

/* ── peers ─────────────────────────────────────────────────────────────────────────────────── */

static const char *said = "";

static void hear(void *data, int is_down, const char *message)
{
    said = apr_pstrdup(data, message);
}

static const apr_array_header_t *some_providers(apr_pool_t *pool)
{
    apr_array_header_t *providers = apr_array_make(pool, 2, sizeof(na_provider *));
    static const na_provider one = {.id = "one", .type = NA_OIDC},
                             two = {.id = "two", .type = NA_OAUTH};
    APR_ARRAY_PUSH(providers, const na_provider *) = &one;
    APR_ARRAY_PUSH(providers, const na_provider *) = &two;
    return providers;
}

static void call(const na_http_observer *observer, const char *peer, long status)
{
    const na_http_call made = {.peer = peer, .had_room = 1, .status = status};
    observer->called(observer->data, &made);
}

static void peers_are_up_and_down(apr_pool_t *pool)
{
    na_peer shared[2] = {0};
    na_peers *peers = na_peers_make(pool, some_providers(pool), shared, hear, pool);
    const na_http_observer *o = na_peers_observer(pool, peers);
    call(o, "one", 404);
    ok(!na_peers_is_down(peers, 0), "whoever answers is there, whatever the answer");
    call(o, "one", 503);
    ok(na_peers_is_down(peers, 0), "5xx is no answer");
    is(said, "provider one is down: it returned status 503", "  and is told");
    ok(!na_peers_is_down(peers, 1), "of another nothing is known");
    said = "";
    call(o, "one", 0);
    is(said, "", "what lasts is not told again");
    shared[0].health.failed_at -= 301;
    ok(!na_peers_is_down(peers, 0), "after five minutes nothing is known of it, either");
    call(o, "one", 200);
    ok(strncmp(said, "provider one is back, after", 27) == 0, "its return is told");
    call(o, "https://api.example.org", 0);
    ok(!na_peers_is_down(peers, 0) && !na_peers_is_down(peers, 1), "strangers are nobody's peers");
    const na_http_call refused = {.peer = "one"};
    o->called(o->data, &refused);
    ok(!na_peers_is_down(peers, 0), "who was not called for want of room is not down");
}

static apr_uint32_t skew_of(apr_pool_t *pool, apr_interval_time_t took, apr_interval_time_t off)
{
    na_peer shared[2] = {0};
    na_peers *peers = na_peers_make(pool, some_providers(pool), shared, NULL, NULL);
    const na_http_observer *o = na_peers_observer(pool, peers);
    const na_http_call made = {.peer = "two",
                               .had_room = 1,
                               .status = 200,
                               .seconds = (double)took / APR_USEC_PER_SEC,
                               .date = apr_time_now() + off};
    o->called(o->data, &made);
    return na_peers_skew(peers);
}

static void clocks_differ(apr_pool_t *pool)
{
    const apr_interval_time_t second = apr_time_from_sec(1);
    is_number(skew_of(pool, second, 0), 0, "a clock that agrees");
    is_number(skew_of(pool, 30 * second, -29 * second), 0, "a call that took long proves nothing");
    is_number(skew_of(pool, second, 100 * second + second / 2), 100, "one that is ahead");
    is_number(skew_of(pool, second, -102 * second - second / 2), 100, "one that is behind");
    is_number(skew_of(pool, second, (1LL << 32) * second), APR_INT32_MAX,
              "one that is centuries ahead");
}

/* ── the desk ──────────────────────────────────────────────────────────────────────────────── */

/* A store that does not answer until it is let. */
typedef struct gate {
    apr_thread_mutex_t *lock;
    apr_thread_cond_t *changed;
    int entered, open;
} gate;

static na_error *wait_at(void *self, apr_pool_t *pool, const na_store_key *keys, int count,
                         na_bytes *values)
{
    gate *g = self;
    apr_thread_mutex_lock(g->lock);
    g->entered++;
    apr_thread_cond_broadcast(g->changed);
    while (!g->open)
        apr_thread_cond_wait(g->changed, g->lock);
    apr_thread_mutex_unlock(g->lock);
    values[0] = (na_bytes){0};
    return NULL;
}

typedef struct asking {
    na_health_cache *desk;
    na_health_report got;
} asking;

static void *APR_THREAD_FUNC ask(apr_thread_t *thread, void *data)
{
    asking *a = data;
    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    na_health_ask(a->desk, pool, &a->got);
    apr_pool_destroy(pool);
    return NULL;
}

static void nobody_waits_for_ever(apr_pool_t *pool)
{
    static const char *const secrets[] = {"a secret that is long enough for this"};
    static const na_store_driver driver = {.get = wait_at};
    na_session_config config = {.source_count = 1};
    na_breaker_state health = {0};
    gate g = {0};
    na_store store = {.driver = &driver,
                      .self = &g,
                      .breaker = {.name = "a store", .health = &health}};
    const na_store *stores[] = {&store};
    na_registry registry = {.stores = stores, .store_count = 1};
    na_sessions sessions = {.config = &config, .registry = &registry};
    na_peer shared[2] = {0};
    apr_array_header_t *names = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(names, const char *) = "other";
    na_peers *peers = na_peers_make(pool, some_providers(pool), shared, NULL, NULL);
    const na_health_site site = {.sessions = &sessions, .store_names = names, .peers = peers};
    asking a;
    na_health_report late;
    apr_thread_t *thread;
    apr_status_t status;

    apr_thread_mutex_create(&g.lock, APR_THREAD_MUTEX_DEFAULT, pool);
    apr_thread_cond_create(&g.changed, pool);
    succeeds(na_health_cache_make(pool, &site, &a.desk), "a desk");
    succeeds(na_keyring_derive(pool, NA_V4, secrets, 1, "", &config.sources[0].ring), "keys");
    apr_thread_create(&thread, NULL, ask, &a, pool);
    apr_thread_mutex_lock(g.lock);
    while (!g.entered)
        apr_thread_cond_wait(g.changed, g.lock);
    apr_thread_mutex_unlock(g.lock);
    na_health_ask(a.desk, pool, &late);
    is_number(late.status, NA_UNHEALTHY, "a check that does not end is an answer");
    is_number(late.checks[NA_HEALTH_SESSION], NA_HEALTH_NONE, "  without checks");

    apr_thread_mutex_lock(g.lock);
    g.open = 1;
    apr_thread_cond_broadcast(g.changed);
    apr_thread_mutex_unlock(g.lock);
    apr_thread_join(&status, thread);
    is_number(a.got.status, NA_HEALTHY, "once it ends, so it is");
    is_number(a.got.checks[NA_HEALTH_STORE], NA_HEALTH_UP, "  with checks");
    is_number(g.entered, 1, "the store was asked once");
    na_health_ask(a.desk, pool, &late);
    is_number(late.status, NA_HEALTHY, "who asks at once gets the same");
    is_number(g.entered, 1, "  and nothing is asked");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    peers_are_up_and_down(pool);
    clocks_differ(pool);
    nobody_waits_for_ever(pool);
    return tap_done();
}
