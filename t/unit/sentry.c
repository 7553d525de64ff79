/* SPDX-License-Identifier: Apache-2.0 */
#include "event/sentry.h"

#include <string.h>

#include <apr_strings.h>

#include "event/webhook.h"
#include "tap.h"

static void addresses(apr_pool_t *pool)
{
    static const struct {
        const char *text, *url, *dsn;
    } good[] = {
        {"https://abc@sentry.example.org/1", "https://sentry.example.org/api/1/envelope/",
         "https://abc@sentry.example.org/1"},
        {"https://abc:secret@o1.ingest.sentry.io/42",
         "https://o1.ingest.sentry.io/api/42/envelope/", "https://abc@o1.ingest.sentry.io/42"},
        {"https://abc@sentry.example.org:9000/a/prefix/42",
         "https://sentry.example.org:9000/a/prefix/api/42/envelope/",
         "https://abc@sentry.example.org:9000/a/prefix/42"},
        {"http://abc@[::1]:9000/x-1", "http://[::1]:9000/api/x-1/envelope/",
         "http://abc@[::1]:9000/x-1"},
    };
    static const char *const bad[] = {"",
                                      "secret",
                                      "https://",
                                      "https://secret",
                                      "https://host/1",
                                      "https://@host/1",
                                      "https://secret@host",
                                      "https://secret@host/",
                                      "https://secret@/1",
                                      "https://secret@host/1/",
                                      "https://secret@host/1?secret",
                                      "https://secret@host/1#secret",
                                      "https://secret@host:0/1",
                                      "https://sec ret@host/1",
                                      "https://secret@ho st/1",
                                      "https://secret\r\nX: y@host/1",
                                      "https://secret@host/1\r\nX: y",
                                      "https://a@secret@host/1",
                                      "https://host/secret@x/1",
                                      "https://secret@host/a@b/1",
                                      "ftp://secret@host/1",
                                      "https://secret@host/\xc3\xa4"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        na_sentry_dsn dsn = {0};
        succeeds(na_sentry_dsn_parse(pool, good[i].text, &dsn), good[i].text);
        is(dsn.key, "abc", "the key");
        is(dsn.url, good[i].url, "where envelopes go");
        is(dsn.text, good[i].dsn, "the DSN, without a secret key");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        na_sentry_dsn dsn;
        na_error *error = na_sentry_dsn_parse(pool, bad[i], &dsn);
        fails(error, apr_psprintf(pool, "refused: %s", na_one_line(pool, bad[i], 100)));
        ok(!error || !strstr(error->message, "secret"), "and not shown");
    }
}

static void limits(void)
{
    static const struct {
        const char *header;
        long seconds;
    } cases[] = {{NULL, 0},
                 {"", 0},
                 {"60", 60},
                 {"60:", 60},
                 {"60::organization", 60},
                 {"60:error:key", 60},
                 {"60:transaction:key", 0},
                 {"60:transaction;error;default:key:reason", 60},
                 {"60:errors:key", 0},
                 {"60:transaction:key,30:error:key", 30},
                 {"10::key,30:error:key,20:error:org", 30},
                 {"x:error:key", 0},
                 {"-5:error:key", 0},
                 {"60x:error:key", 0},
                 {"99999999999999999999:error:key", 24L * 3600},
                 {",,,", 0},
                 {":::", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_number(na_sentry_limit(cases[i].header), cases[i].seconds,
                  cases[i].header ? cases[i].header : "no header");
}

static void messages(apr_pool_t *pool)
{
    static const struct {
        const char *message, *scrubbed;
    } cases[] = {
        {"a plain message", "a plain message"},
        {"no session for 'ada%40example.org': full", "no session for [filtered]: full"},
        {"mail to ada@example.org failed", "mail to [filtered] failed"},
        {"a quote that 'is not closed ada", "a quote that [filtered]"},
        {"calling https://op.example.org/token?code=secret#x failed",
         "calling https://op.example.org/token failed"},
        {"two\nlines", "two lines"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is(na_sentry_scrub(pool, cases[i].message, 0), cases[i].scrubbed, cases[i].message);
    is(na_sentry_scrub(pool, "'ada' at https://x.org/?code=secret", 1), "'ada' at https://x.org/",
       "with personal data, queries are left out all the same");
}

static void webhook_keys(apr_pool_t *pool)
{
    apr_array_header_t *keys = apr_array_make(pool, 2, sizeof(na_bytes));
    succeeds(na_webhook_add_keys(pool, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", keys), "a key");
    is_number(APR_ARRAY_IDX(keys, 0, na_bytes).len, 24, "of 24 bytes");
    succeeds(na_webhook_add_keys(pool, " a-text-of-24-bytes-at-all\n another-text-of-24-bytes-x",
                                 keys),
             "and two that are text");
    is_number(keys->nelts, 3, "are three");
    succeeds(na_webhook_add_keys(pool, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", keys),
             "padded");
    is_number(APR_ARRAY_IDX(keys, 3, na_bytes).len, 26, "of 26 bytes");
    static const char *const bad[] = {"tooshort",
                                      "whsec_",
                                      "whsec_AAAA",
                                      "whsec_not base64 at all!",
                                      "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA*=",
                                      "a-text-of-24-bytes-at-all short"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fails(na_webhook_add_keys(pool, bad[i], keys), bad[i]);
    keys->nelts = 1;
    is(na_webhook_signature(pool, keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                            "{\"test\": 2432232314}"),
       "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "the signature that the libraries make");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    addresses(pool);
    limits();
    messages(pool);
    webhook_keys(pool);
    return tap_done();
}
