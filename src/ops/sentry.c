/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/sentry.h"

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "base/crypto.h"
#include "base/url.h"

/* ── where to ──────────────────────────────────────────────────────────────────────────────── */

#define DIGITS "0123456789"
#define ALPHANUMERIC DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static na_error *no_dsn(apr_pool_t *pool)
{
    return na_error_new(pool, NA_CONFIGURATION,
                        "the DSN is no https://KEY@host[:port][/prefix]/PROJECT");
}

static int consists_of(const char *text, const char *characters)
{
    return *text && strlen(text) <= 200 && strspn(text, characters) == strlen(text);
}

/* The key, and the address without it. */
static int split_key(apr_pool_t *pool, const char *text, const char **key, const char **address)
{
    const char *scheme_end = strstr(text, "://");
    const char *authority = scheme_end ? scheme_end + 3 : text;
    const char *at = memchr(authority, '@', strcspn(authority, "/?#"));
    if (!scheme_end || !at)
        return 0;
    const char *user = apr_pstrmemdup(pool, authority, (apr_size_t)(at - authority));
    *key = apr_pstrmemdup(pool, user, strcspn(user, ":"));
    *address =
        apr_pstrcat(pool, apr_pstrmemdup(pool, text, (apr_size_t)(authority - text)), at + 1, NULL);
    return consists_of(*key, ALPHANUMERIC);
}

na_error *na_sentry_dsn_parse(apr_pool_t *pool, const char *text, na_sentry_dsn *dsn)
{
    const char *key, *address;
    na_url url;
    if (strlen(text) > 1000 || !split_key(pool, text, &key, &address) ||
        !na_url_parse(pool, address, &url) || strpbrk(url.path, "?#"))
        return no_dsn(pool);
    const char *slash = strrchr(url.path, '/');
    if (!slash || !consists_of(slash + 1, ALPHANUMERIC "-_"))
        return no_dsn(pool);
    const char *prefix = apr_pstrmemdup(pool, url.path, (apr_size_t)(slash - url.path));
    if (*prefix && !consists_of(prefix, ALPHANUMERIC "-_.~/"))
        return no_dsn(pool);
    const char *rest = strchr(url.origin, '/') + 2;
    dsn->key = key;
    dsn->origin = url.origin;
    dsn->text = apr_pstrcat(pool, url.scheme, "://", key, "@", rest, url.path, NULL);
    dsn->url = apr_pstrcat(pool, url.origin, prefix, "/api/", slash + 1, "/envelope/", NULL);
    return NULL;
}

/* ── what was reported lately ──────────────────────────────────────────────────────────────── */

#define REMEMBERED 64
#define REMEMBERED_FOR apr_time_from_sec(60)

struct na_sentry_memory {
    apr_thread_mutex_t *mutex;
    struct {
        unsigned char hash[NA_SHA256_LEN];
        apr_time_t when;
    } reports[REMEMBERED];
};

na_error *na_sentry_memory_make(apr_pool_t *pool, na_sentry_memory **made)
{
    na_sentry_memory *memory = apr_pcalloc(pool, sizeof *memory);
    if (apr_thread_mutex_create(&memory->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_CONFIGURATION, "no mutex for error reports");
    *made = memory;
    return NULL;
}

/* 1 where it was there; else it is now, in the place of the oldest. */
static int remember(na_sentry_memory *memory, const unsigned char *hash, apr_time_t now)
{
    int oldest = 0, found = 0;
    apr_thread_mutex_lock(memory->mutex);
    for (int i = 0; i < REMEMBERED && !found; i++) {
        apr_interval_time_t age = now - memory->reports[i].when;
        found = age >= 0 && age < REMEMBERED_FOR &&
                memcmp(memory->reports[i].hash, hash, NA_SHA256_LEN) == 0;
        if (memory->reports[i].when < memory->reports[oldest].when)
            oldest = i;
    }
    if (!found) {
        memcpy(memory->reports[oldest].hash, hash, NA_SHA256_LEN);
        memory->reports[oldest].when = now;
    }
    apr_thread_mutex_unlock(memory->mutex);
    return found;
}

static int is_repeated(const na_sentry *sentry, const json_t *event, apr_pool_t *pool,
                       apr_time_t now)
{
    unsigned char hash[NA_SHA256_LEN];
    const char *fingerprint = na_json_dump(pool, json_object_get(event, "fingerprint"));
    na_sha256(hash, na_bytes_of(fingerprint), na_bytes_of(sentry->site));
    return sentry->memory && remember(sentry->memory, hash, now);
}

/* ── reporting ─────────────────────────────────────────────────────────────────────────────── */

static int is_sampled(double rate)
{
    apr_uint32_t random;
    na_random(&random, sizeof random);
    return random < rate * 4294967296.0;
}

void na_sentry_capture(const na_sentry *sentry, apr_pool_t *pool, const na_error_report *report)
{
    if (!sentry || !is_sampled(sentry->options->sample_rate))
        return;
    apr_time_t now = apr_time_now();
    const char *id = na_random_hex(pool, NA_SPOOL_ID_LEN / 2);
    const json_t *event = na_sentry_event(sentry, pool, id, now, report);
    if (!event)
        return;
    if (is_repeated(sentry, event, pool, now))
        na_sink_tell(sentry->sink, NA_FATE_DROPPED);
    else
        na_sink_put(sentry->sink, pool, id, event, now); /* what is dropped is counted there */
}
