/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "session/chunks.h"
#include "session/load.h"
#include "tap.h"

#define NOW apr_time_from_sec(1780000000)
#define MINUTE apr_time_from_sec(60)

static na_session_config config;

static na_session_source source_of(apr_pool_t *pool, na_dialect dialect, const char *name,
                                   const char *const *secrets, int count)
{
    na_session_source source = {.dialect = dialect,
                                .cookie = {name, NULL, "/", "Lax", 0},
                                .name_len = strlen(name)};
    succeeds(na_keyring_derive(pool, dialect, secrets, count, dialect == NA_V4 ? "" : name,
                               &source.ring),
             apr_psprintf(pool, "keys for %s", name));
    return source;
}

static void configure(apr_pool_t *pool)
{
    static const char *const secrets[] = {"the new secret, 32 bytes or more.",
                                          "the old secret, 32 bytes or more."};
    config.sources[0] = source_of(pool, NA_V4, "next-auth.session-token", secrets, 2);
    config.sources[1] = source_of(pool, NA_V5, "authjs.session-token", secrets, 2);
    config.source_count = 2;
    config.max_age = 3600;
    config.identity_claims = apr_array_make(pool, 1, sizeof(const char *));
}

static char *seal(apr_pool_t *pool, const na_keyring *ring, const char *claims, long max_age)
{
    json_t *json;
    char *token = NULL;
    na_json_parse(pool, NA_SESSION, claims, strlen(claims), &json);
    na_keyring_seal(pool, ring, json, NOW, max_age, &token);
    return token;
}

static const char *user_of(apr_pool_t *pool, na_token_cache *cache, const char *header,
                           apr_time_t now)
{
    const na_session *session;
    na_session_load(pool, &config, cache, header, now, &session);
    return session ? session->user : NULL;
}

static const char claims[] =
    "{\"sub\":\"42\",\"name\":\"Ada\",\"email\":\"ada@example.org\",\"roles\":[\"a\",\"b,c\"],"
    "\"role\":\"d\",\"x\":{\"y\":[1,true]},\"provider\":\"acme\"}";

static void loading(apr_pool_t *pool)
{
    const na_session *session;
    const char *token = seal(pool, &config.sources[0].ring, claims, 600);
    const char *header = apr_pstrcat(pool, "x=1; next-auth.session-token=", token, NULL);
    succeeds(na_session_load(pool, &config, NULL, header, NOW, &session), "a session is loaded");
    is(session->user, "42", "its user");
    is(na_session_claim(session, "x.y"), "1", "a nested claim");
    ok(na_session_has(session, "x.y", "true"), "and its second value");
    ok(na_session_has_role(session, "a") && na_session_has_role(session, "d"), "its roles");
    ok(!na_session_has_role(session, "c"), "and not others");
    is(session->identities[3].value, "a,d", "a role with a comma is not handed on");

    is(user_of(pool, NULL, header, NOW + 10 * MINUTE + apr_time_from_sec(14)), "42",
       "clocks may differ by 14 seconds");
    is(user_of(pool, NULL, header, NOW + 10 * MINUTE + apr_time_from_sec(16)), NULL,
       "but not by 16");
    is(user_of(pool, NULL, "x=1", NOW), NULL, "no cookie, no session");
    is(user_of(pool, NULL, "next-auth.session-token=rubbish", NOW), NULL, "rubbish is none");
    is(user_of(pool, NULL, apr_pstrcat(pool, "authjs.session-token=", token, NULL), NOW), NULL,
       "a v4 token under v5's name is none");
    const char *v5 = seal(pool, &config.sources[1].ring, claims, 600);
    is(user_of(pool, NULL, apr_pstrcat(pool, "authjs.session-token=", v5, NULL), NOW), "42",
       "v5's own is accepted beside v4's");
    is(user_of(pool, NULL,
               apr_pstrcat(pool, "next-auth.session-token=rubbish; authjs.session-token=", v5,
                           NULL),
               NOW),
       "42", "and is found behind a bad one of v4's");
}

static void rotation(apr_pool_t *pool)
{
    static const char *const old[] = {"the old secret, 32 bytes or more."};
    static const char *const other[] = {"another secret of 32 bytes or more."};
    na_session_source with_old = source_of(pool, NA_V4, "next-auth.session-token", old, 1);
    na_session_source with_other = source_of(pool, NA_V4, "next-auth.session-token", other, 1);
    is(user_of(pool, NULL,
               apr_pstrcat(pool, "next-auth.session-token=", seal(pool, &with_old.ring, claims, 60),
                           NULL),
               NOW),
       "42", "a token of the old secret still opens");
    is(user_of(pool, NULL,
               apr_pstrcat(pool, "next-auth.session-token=",
                           seal(pool, &with_other.ring, claims, 60), NULL),
               NOW),
       NULL, "one of a foreign secret does not");
}

static void refusals(apr_pool_t *pool)
{
    static const char *const bad[] = {"{\"name\":\"no sub\"}", "{\"sub\":\"\"}", "{\"sub\":null}",
                                      "{\"sub\":[]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        is(user_of(pool, NULL,
                   apr_pstrcat(pool, "next-auth.session-token=",
                               seal(pool, &config.sources[0].ring, bad[i], 60), NULL),
                   NOW),
           NULL, apr_psprintf(pool, "no session without a usable sub: %s", bad[i]));
    static const char *const texts[] = {"[1]",
                                        "\"x\"",
                                        "{\"sub\":\"1\"}",
                                        "not json",
                                        "{\"sub\":\"1\",\"exp\":\"later\"}",
                                        "{\"sub\":\"1\",\"exp\":1790000000,\"nbf\":1780000016}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *token = NULL;
        na_jwe_seal(pool, config.sources[0].ring.keys[0], na_bytes_of(texts[i]), &token);
        is(user_of(pool, NULL, apr_pstrcat(pool, "next-auth.session-token=", token, NULL), NOW),
           NULL, apr_psprintf(pool, "sealed, and still no session: %s", texts[i]));
    }
}

static const char *set_cookie(const apr_array_header_t *list, int i)
{
    return i < list->nelts ? APR_ARRAY_IDX(list, i, const char *) : "";
}

static void chunks(apr_pool_t *pool)
{
    const char *name = config.sources[0].cookie.name;
    apr_size_t len = strlen(name);
    na_bytes t = na_chunks_join(pool, "n.1=b; n.0=a; n.2=c", "n", 1);
    is(apr_pstrmemdup(pool, (const char *)t.data, t.len), "abc", "chunks in any order");
    ok(!na_chunks_join(pool, "n.0=a; n.2=c", "n", 1).len, "a missing chunk leaves none");
    ok(!na_chunks_join(pool, "n.1=b", "n", 1).len, "nor does a tail alone");
    t = na_chunks_join(pool, "nX=s; n.x=s; n.10=s; n.01=s; n=w; n.0=a", "n", 1);
    is(apr_pstrmemdup(pool, (const char *)t.data, t.len), "w", "strangers do not count");
    t = na_chunks_join(pool, "n=first; n=second", "n", 1);
    is(apr_pstrmemdup(pool, (const char *)t.data, t.len), "first", "the first of two counts");

    char *token = apr_palloc(pool, 8001);
    memset(token, 'k', 8000);
    token[8000] = '\0';
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(char *));
    const char *had = apr_psprintf(pool, "%s=w; %s.4=x; %sX=y", name, name, name);
    succeeds(na_chunks_write(pool, &config.sources[0].cookie, NA_V4, had, token, NOW, list),
             "8000 characters are written");
    is_number(list->nelts, 5, "as three chunks, and two cookies cleared");
    is(apr_pstrndup(pool, set_cookie(list, 0), len + 4), apr_pstrcat(pool, name, ".4=;", NULL),
       "a stale chunk first");
    is_number((long)strcspn(set_cookie(list, 2), ";"), (long)len + 3 + 3933,
              "a chunk carries what next-auth's does");
    char *huge = apr_palloc(pool, 40001);
    memset(huge, 'k', 40000);
    huge[40000] = '\0';
    fails(na_chunks_write(pool, &config.sources[0].cookie, NA_V4, "", huge, NOW, list),
          "a token that no browser would keep is an error");
}

static int reads_plain(apr_pool_t *pool, const char *text, na_claims *read)
{
    return na_claims_read_plain(pool, na_bytes_of(text), read);
}

static void claims_in_place(apr_pool_t *pool)
{
    static const char *const left[] = {"",
                                       "{}",
                                       "[]",
                                       "{\"a\":1",
                                       "{\"a\":1}x",
                                       "{\"a\":01}",
                                       "{\"a\":-0}",
                                       "{\"a\":1.5}",
                                       "{\"a\":1e3}",
                                       "{\"a\":tru}",
                                       "{\"a\":[1,]}",
                                       "{\"a\":[,1]}",
                                       "{\"a\":[1}",
                                       "{\"a\" :1}",
                                       "{\"a\":\"\\n\"}",
                                       "{\"a\":{}}",
                                       "{\"a\":[[1]]}",
                                       "{a:1}",
                                       "{\"a\":1,}",
                                       "{\"a\":1,\"a\":2}",
                                       "{\"exp\":\"1\"}",
                                       "{\"nbf\":[1]}",
                                       "{\"a\":\"\xff\"}",
                                       "{\"a\":12345678901234567890}"};
    na_claims read;
    ok(reads_plain(pool, "{\"a\":\"x\",\"b\":[1,true,null,\"null\"],\"c\":[],\"exp\":17,\"d\":-3}",
                   &read),
       "flat claims are read where they stand");
    is_number(read.list->nelts, 6, "each scalar is a claim");
    is(APR_ARRAY_IDX(read.list, 3, na_claim).value, "null", "the word null in quotes is a word");
    is(APR_ARRAY_IDX(read.list, 5, na_claim).value, "-3", "a number is text");
    is_number(read.exp, 17, "the end is a time");
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        ok(!reads_plain(pool, left[i], &read), "left to the library: %s", left[i]);
}

static void caching(apr_pool_t *pool)
{
    na_token_cache *cache;
    apr_pool_t *request;
    succeeds(na_token_cache_make(pool, 64, &cache), "a cache is made");
    apr_pool_create(&request, pool);
    const na_session_source *source = &config.sources[0];
    const char *token = seal(pool, &source->ring, claims, 600);
    const char *header = apr_pstrcat(pool, "next-auth.session-token=", token, NULL);
    is(user_of(request, cache, header, NOW), "42", "the first time it is opened");
    const na_session *held = na_token_cache_get(cache, source, na_bytes_of(token), NOW);
    ok(held != NULL, "then it is known");
    is(held ? held->claims_json : NULL, held ? held->claims_json : "", "with all it had");
    is(held ? na_session_claim(held, "email") : NULL, "ada@example.org", "claims included");
    ok(!na_token_cache_get(cache, &config.sources[1], na_bytes_of(token), NOW),
       "but to no other configuration");
    char *changed = apr_pstrdup(pool, token);
    changed[40] ^= 1;
    ok(!na_token_cache_get(cache, source, na_bytes_of(changed), NOW),
       "one character off is another token, its tail the same");
    ok(!na_token_cache_get(cache, source, na_bytes_of(token), NOW + 20 * MINUTE),
       "and it is dropped at its end");
    for (int i = 0; i < 1000; i++)
        user_of(request, cache,
                apr_pstrcat(request, "next-auth.session-token=",
                            seal(request, &source->ring, claims, 600), NULL),
                NOW);
    is(held ? held->user : NULL, "42", "a session that is held outlives its eviction");
    if (held)
        na_token_cache_release(held);
    apr_pool_destroy(request);
    ok(1, "a thousand tokens went through 64 places");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    configure(pool);
    loading(pool);
    rotation(pool);
    refusals(pool);
    chunks(pool);
    claims_in_place(pool);
    caching(pool);
    return tap_done();
}
