/* SPDX-License-Identifier: Apache-2.0 */
/* Sentry: parses the DSN, and queues reports of errors that were not reported lately. */
#include "event/sentry.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/url.h"

/* ── the DSN ───────────────────────────────────────────────────────────────────────────────── */

#define DIGITS "0123456789"
#define ALPHANUMERIC DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static na_error *invalid_dsn(apr_pool_t *pool)
{
    return na_error_with_hint(
        na_error_new(pool, NA_ERR_CONFIGURATION,
                     "invalid DSN: expected https://KEY@HOST[:PORT][/PREFIX]/PROJECT"),
        "copy it from the project's settings, Client Keys (DSN)");
}

static int consists_of(const char *text, const char *characters)
{
    return *text && strlen(text) <= 200 && strspn(text, characters) == strlen(text);
}

/* Splits a DSN into the key and the URL without it. */
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
        return invalid_dsn(pool);
    const char *slash = strrchr(url.path, '/');
    if (!slash || !consists_of(slash + 1, ALPHANUMERIC "-_"))
        return invalid_dsn(pool);
    const char *prefix = apr_pstrmemdup(pool, url.path, (apr_size_t)(slash - url.path));
    if (*prefix && !consists_of(prefix, ALPHANUMERIC "-_.~/"))
        return invalid_dsn(pool);
    const char *rest = strchr(url.origin, '/') + 2;
    dsn->key = key;
    dsn->origin = url.origin;
    dsn->text = apr_pstrcat(pool, url.scheme, "://", key, "@", rest, url.path, NULL);
    dsn->url = apr_pstrcat(pool, url.origin, prefix, "/api/", slash + 1, "/envelope/", NULL);
    return NULL;
}

/* ── recent reports ────────────────────────────────────────────────────────────────────────── */

#define REMEMBERED_FOR 60 /* seconds */

/* Returns the place of the report with that hash, or else of the oldest; *found is its content. */
static apr_uint64_t *find_report(na_sentry_memory *memory, apr_uint32_t hash, apr_uint64_t *found)
{
    apr_uint64_t *place = &memory->reports[0];
    *found = __atomic_load_n(place, __ATOMIC_RELAXED);
    for (int i = 1; i < NA_SENTRY_REMEMBERED && *found >> 32 != hash; i++) {
        apr_uint64_t each = __atomic_load_n(&memory->reports[i], __ATOMIC_RELAXED);
        if (each >> 32 != hash && (apr_uint32_t)each >= (apr_uint32_t)*found)
            continue;
        place = &memory->reports[i];
        *found = each;
    }
    return place;
}

/* Returns 1 if the report is remembered already; remembers it otherwise. */
static int remember_report(na_sentry_memory *memory, apr_uint32_t hash, apr_uint32_t now)
{
    const apr_uint64_t report = (apr_uint64_t)hash << 32 | now;
    for (;;) {
        apr_uint64_t was, *place = find_report(memory, hash, &was);
        apr_uint32_t age = now - (apr_uint32_t)was; /* large if the clock was set back */
        if (was >> 32 == hash && age < REMEMBERED_FOR)
            return 1;
        if (__atomic_compare_exchange_n(place, &was, report, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return 0;
    }
}

static int is_repeated(const na_sentry *sentry, const json_t *event, apr_pool_t *pool,
                       apr_time_t now)
{
    unsigned char digest[NA_SHA256_LEN];
    apr_uint32_t hash;
    const char *fingerprint = na_json_dump(pool, json_object_get(event, "fingerprint"));
    na_sha256(digest, na_bytes_of(fingerprint), na_bytes_of(sentry->site));
    memcpy(&hash, digest, sizeof hash);
    return remember_report(sentry->memory, hash, (apr_uint32_t)apr_time_sec(now));
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
        na_sink_put(sentry->sink, pool, id, event, now); /* which also counts drops */
}
