/* SPDX-License-Identifier: Apache-2.0 */
/* What a process keeps of credentials that come with each request is bounded, wiped, and apart. */
#include "session/answer.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/json.h"
#include "tap.h"

#define NOW apr_time_from_sec(1780000000)
#define SECONDS(n) apr_time_from_sec(n)
#define CAPACITY 64

static na_sessions sessions_of(apr_pool_t *pool, na_token_cache *cache)
{
    static apr_uint64_t id;
    na_session_config *config = apr_pcalloc(pool, sizeof *config);
    config->id = id += NA_SESSION_ID_STEP;
    config->identity_claims = apr_array_make(pool, 1, sizeof(na_identity_claim));
    return (na_sessions){.config = config, .tokens = cache};
}

static na_visit visit_at(apr_pool_t *pool, apr_time_t now)
{
    return (na_visit){.pool = pool, .now = now};
}

static const char *key_of(apr_pool_t *pool, int i)
{
    return apr_psprintf(pool, "%064x", (unsigned)i * 2654435761u);
}

static void keep(apr_pool_t *pool, const na_sessions *sessions, const char *key, const char *user)
{
    const na_session *session;
    const na_visit visit = visit_at(pool, NOW);
    json_t *claims = na_json_own(pool, json_pack("{s:s}", "sub", user));
    na_session_of_record(pool, key, claims, apr_time_sec(NOW), apr_time_sec(NOW) + 60,
                         sessions->config->identity_claims, &session);
    na_answer_keep(sessions, &visit, key, &session);
}

static const char *user_at(apr_pool_t *pool, const na_sessions *sessions, const char *key,
                           apr_time_t now, apr_int64_t *age)
{
    const na_visit visit = visit_at(pool, now);
    const na_session *session = na_answer_find(sessions, &visit, key, age);
    return session ? session->user : NULL;
}

static void test_keeping(apr_pool_t *pool, na_token_cache *cache)
{
    apr_int64_t age = -1;
    const na_sessions site = sessions_of(pool, cache), other = sessions_of(pool, cache);
    const na_visit visit = visit_at(pool, NOW);
    const char *key = key_of(pool, 1);
    is(user_at(pool, &site, key, NOW, &age), NULL, "what was not kept is not found");
    keep(pool, &site, key, "ada");
    is(user_at(pool, &site, key, NOW + SECONDS(7), &age), "ada", "what was kept is found");
    is_number(age, 7, "  with its age");
    is(user_at(pool, &other, key, NOW, &age), NULL, "  not by another site");
    is(user_at(pool, &site, key_of(pool, 2), NOW, &age), NULL, "  not by another key");
    ok(!na_token_cache_get(cache, site.config->id, na_bytes_of(key), NOW),
       "  not as the token of a cookie");
    is(user_at(pool, &site, key, NOW - SECONDS(1), &age), NULL, "  not before it was verified");
    is(user_at(pool, &site, key, NOW, &age), "ada", "  which does not remove it");
    keep(pool, &site, key, "bob");
    is(user_at(pool, &site, key, NOW, &age), "bob", "a new answer replaces it");
    na_answer_forget(&site, &visit, key);
    is(user_at(pool, &site, key, NOW, &age), NULL, "what is forgotten is not found");
    keep(pool, &site, key, "ada");
    is(user_at(pool, &site, key, NOW + SECONDS(90), &age), NULL, "nor what has expired");
}

static void test_without_cache(apr_pool_t *pool)
{
    apr_int64_t age;
    const na_sessions site = sessions_of(pool, NULL);
    const char *key = key_of(pool, 1);
    keep(pool, &site, key, "ada");
    is(user_at(pool, &site, key, NOW, &age), NULL, "without a cache, nothing is kept");
}

static void fill(apr_pool_t *pool, const na_sessions *sessions, const char *user)
{
    for (int i = 0; i < 20 * CAPACITY; i++) {
        apr_pool_t *request;
        apr_pool_create(&request, pool);
        keep(request, sessions, key_of(request, i), user);
        apr_pool_destroy(request);
    }
}

static void test_bounds(apr_pool_t *pool, na_token_cache *cache)
{
    apr_int64_t age;
    int found = 0;
    const na_sessions site = sessions_of(pool, cache);
    fill(pool, &site, "ada");
    for (int i = 0; i < 20 * CAPACITY; i++)
        found += user_at(pool, &site, key_of(pool, i), NOW, &age) != NULL;
    ok(found > CAPACITY / 2 && found <= CAPACITY, "%d of %d are kept, with room for %d", found,
       20 * CAPACITY, CAPACITY);
}

/* Returns 1 if memory has the text, whether it is in use, free, or not there any more. */
static int is_at(const char *address, const char *text)
{
    char bytes[64] = "";
    int memory = open("/proc/self/mem", O_RDONLY);
    ssize_t len = pread(memory, bytes, strlen(text), (off_t)address);
    close(memory);
    return len == (ssize_t)strlen(text) && memcmp(bytes, text, (size_t)len) == 0;
}

#define RARE "a user whom nobody else is"

/* Keeps an answer, and returns where its user is in the cache's memory. */
static const char *keep_rare(apr_pool_t *pool, const na_sessions *sessions)
{
    apr_pool_t *request;
    apr_int64_t age;
    apr_pool_create(&request, pool);
    keep(request, sessions, key_of(request, 1), RARE);
    const char *kept = user_at(request, sessions, key_of(request, 1), NOW, &age);
    apr_pool_destroy(request);
    return kept;
}

static void test_wiping(apr_pool_t *pool)
{
    apr_pool_t *child;
    na_token_cache *cache;
    apr_pool_create(&child, pool);
    na_token_cache_make(child, CAPACITY, &cache);
    const na_sessions site = sessions_of(pool, cache);
    const char *kept = keep_rare(pool, &site);
    ok(is_at(kept, RARE), "an answer is in memory");
    fill(pool, &site, "ada");
    ok(!is_at(kept, RARE), "  until others displace it");
    kept = keep_rare(pool, &site);
    ok(is_at(kept, RARE), "another one is, too");
    apr_pool_destroy(child);
    ok(!is_at(kept, RARE), "  until the process ends");
}

int main(void)
{
    apr_pool_t *pool = tap_start(), *kept;
    na_token_cache *cache;
    apr_pool_create(&kept, pool);
    succeeds(na_token_cache_make(pool, CAPACITY, &cache), "a cache is made");
    test_keeping(kept, cache);
    test_without_cache(kept);
    test_bounds(kept, cache);
    test_wiping(pool);
    apr_pool_destroy(kept);
    return tap_done();
}
