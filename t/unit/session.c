/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "session/chunks.h"
#include "session/device.h"
#include "session/sessions.h"
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
    config.site = "https://site.test/api/auth";
    config.source_count = 2;
    config.lifetime.max_age = 3600;
    config.update_age = 600;
    config.cookie_max = 64 * 1024;
    config.identity_claims = apr_array_make(pool, 1, sizeof(na_identity_claim));
}

static char *seal(apr_pool_t *pool, const na_keyring *ring, const char *claims, long max_age)
{
    json_t *json;
    char *token = NULL;
    na_json_parse(pool, NA_ERR_SESSION, claims, strlen(claims), &json);
    na_keyring_seal(pool, ring, json, NOW, max_age, &token);
    return token;
}

static na_error *load(apr_pool_t *pool, na_token_cache *cache, const char *header, apr_time_t now,
                      const na_session **session)
{
    const na_sessions sessions = {.config = &config, .tokens = cache};
    const na_visit visit = {.pool = pool, .now = now, .cookie_header = header};
    return na_session_load(&sessions, &visit, session);
}

static const char *user_of(apr_pool_t *pool, na_token_cache *cache, const char *header,
                           apr_time_t now)
{
    const na_session *session;
    load(pool, cache, header, now, &session);
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
    succeeds(load(pool, NULL, header, NOW, &session), "a session is loaded");
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

/* `count` groups, each of one character. */
static char *with_groups(apr_pool_t *pool, int count)
{
    json_t *json = na_json_own(pool, json_pack("{s:s, s:[]}", "sub", "42", "groups"));
    for (int i = 0; i < count; i++)
        json_array_append_new(json_object_get(json, "groups"), json_string("g"));
    return na_json_dump(pool, json);
}

/* A rule over a list of which a part is missing would let in whom it is to keep out. */
static void long_lists(apr_pool_t *pool)
{
    const char *name = "next-auth.session-token=";
    const na_keyring *ring = &config.sources[0].ring;
    const na_session *session;
    char *most = seal(pool, ring, with_groups(pool, NA_CLAIMS_MAX - 4), 600);
    char *more = seal(pool, ring, with_groups(pool, NA_CLAIMS_MAX + 1), 600);
    succeeds(load(pool, NULL, apr_pstrcat(pool, name, most, NULL), NOW, &session),
             "a session of as many values as there may be");
    fails(load(pool, NULL, apr_pstrcat(pool, name, more, NULL), NOW, &session),
          "one of more is none");
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

/* All that a header's cookies can be, one after the other. */
static const char *tokens(apr_pool_t *pool, const char *header)
{
    na_chunks found;
    na_bytes token;
    const char *all = "";
    na_chunks_find(header, "n", 1, &found);
    for (int i = 0; na_chunks_token(pool, &found, i, &token); i++)
        all = apr_pstrcat(pool, all, *all ? " " : "",
                          apr_pstrmemdup(pool, (const char *)token.data, token.len), NULL);
    return all;
}

static void chunks(apr_pool_t *pool)
{
    const char *name = config.sources[0].cookie.name;
    apr_size_t len = strlen(name);
    is(tokens(pool, "n.1=b; n.0=a; n.2=c"), "abc", "chunks in any order");
    is(tokens(pool, "n.0=a; n.2=c"), "", "a missing chunk leaves none");
    is(tokens(pool, "n.1=b"), "", "nor does a tail alone");
    is(tokens(pool, "nX=s; n.x=s; n.10=s; n.01=s; N=s; n=w"), "w", "strangers do not count");
    is(tokens(pool, "n=first; n=second; n.0=a"), "first second a",
       "of several cookies, each is one: whole ones go first");
    is(tokens(pool, "n=; n.0=a"), "a", "an empty one is none");
    is(tokens(pool, "n=1; n=2; n=3; n=4; n=5; n=6"), "1 2 3 4", "no more than four");
    is(tokens(pool, "n.0=aa; n.1=b; n.2=stale"), "aab", "a short chunk ends a token");
    is(tokens(pool, "n.0=aa; n.1=a; n.0=BB; n.1=BB; n.2=B"), "aaa BBBBB aaBBB BBa",
       "two sets, one longer, and crosswise");
    is(tokens(pool, "n.0=aa; n.0=BB; n.1=B; n.1=a"), "aaB BBa aaa BBB",
       "where the later chunks came the other way round, crosswise finds them");
    is(tokens(pool, "n.0=aa; n.1=a; n.0=BB; n.1=B; n.0=cc; n.1=c; n.0=DD; n.1=D; n.0=ee; n.1=e"),
       "aaa BBB ccc DDD", "of more, the first four as they came");

    char *token = apr_palloc(pool, 8001);
    memset(token, 'k', 8000);
    token[8000] = '\0';
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(char *));
    const char *had = apr_psprintf(pool, "%s=w; %s.4=x; %sX=y", name, name, name);
    succeeds(na_chunks_write(pool, &config.sources[0].cookie, NA_V4, had, token, 16384, NOW, list),
             "8000 characters are written");
    is_number(list->nelts, 5, "as three chunks, and two cookies cleared");
    is(apr_pstrndup(pool, set_cookie(list, 0), len + 4), apr_pstrcat(pool, name, ".4=;", NULL),
       "a stale chunk first");
    is_number((long)strcspn(set_cookie(list, 2), ";"), (long)len + 3 + 3933,
              "a chunk carries what next-auth's does");
    fails(na_chunks_write(pool, &config.sources[0].cookie, NA_V4, had, token, 8190, NOW, list),
          "what would be more than the server takes is an error");
    na_cookie cookie = config.sources[0].cookie;
    cookie.elsewhere = na_cookie_elsewhere(pool, &cookie, "www.example.org");
    apr_array_clear(list);
    na_chunks_clear_elsewhere(pool, &cookie, had, list);
    is_number(list->nelts, 4, "what came is cleared for each domain that it may be of");
    ok(strstr(set_cookie(list, 3), "Domain=example.org;") != NULL, "  parents included");
    char *huge = apr_palloc(pool, 40001);
    memset(huge, 'k', 40000);
    huge[40000] = '\0';
    fails(na_chunks_write(pool, &config.sources[0].cookie, NA_V4, "", huge, 65536, NOW, list),
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
                                       "{\"a\":1,\"a\":null}",
                                       "{\"a\":1,",
                                       "{\"a\":1234567890123456}",
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
    ok(reads_plain(pool, "{\"a\":null,\"a\":1,\"b\":-7}", &read), "null is no claim");
    is_number(read.list->nelts, 2, "so that another member of its name is the first");
    is(APR_ARRAY_IDX(read.list, 0, na_claim).value, "1", "a number ends where its text does");
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        ok(!reads_plain(pool, left[i], &read), "left to the library: %s", left[i]);
}

static apr_int64_t expires_of(apr_pool_t *pool, const char *json, apr_time_t now)
{
    const na_session *session;
    const char *token = seal(pool, &config.sources[0].ring, json, 3600);
    load(pool, NULL, apr_pstrcat(pool, "next-auth.session-token=", token, NULL), now, &session);
    return session ? session->expires - apr_time_sec(NOW) : 0;
}

static void lifetimes(apr_pool_t *pool)
{
    static const char long_ago[] = "{\"sub\":\"1\",\"auth_time\":1779999000}";
    const na_lifetime all = {3600, 1200, 3000, 600, 0}, none = {3600, 0, 0, 600, 0},
                      brief = na_lifetime_of(&all, 1);
    is_number(na_lifetime_end(&none, 0, NOW), 1780003600, "a session lasts its maximum age");
    is_number(na_lifetime_end(&all, 1780000000, NOW), 1780001200, "unless it would be idle before");
    is_number(na_lifetime_end(&all, 1779997100, NOW), 1780000100, "or its sign-in is too long ago");
    is_number(na_lifetime_remember(&all), 3030,
              "its end is remembered up to its last possible day");
    is_number(na_lifetime_end(&brief, 1780000000, NOW), 1780000600, "a brief one ends sooner");
    config.lifetime.brief = 600;
    is_number(expires_of(pool, "{\"sub\":\"1\",\"brief\":true}", NOW), 600,
              "whatever its token claims");
    config.lifetime.idle = 1200;
    is_number(expires_of(pool, long_ago, NOW), 1200, "a token cannot outlast the idle time");
    is_number(expires_of(pool, long_ago, NOW + 21 * MINUTE), 0, "not used for longer, it is over");
    config.lifetime.idle = 0;
    config.lifetime.absolute = 2000;
    is_number(expires_of(pool, long_ago, NOW), 1000, "nor the time from its sign-in");
    is_number(expires_of(pool, long_ago, NOW + 18 * MINUTE), 0, "after which it is over");
    config.lifetime.absolute = 0;
}

static void devices(apr_pool_t *pool)
{
    static const char *const cases[][2] = {
        {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
         "Firefox on Linux"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
         "Edge on Windows"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
         "like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
         "Safari on iPhone"},
        {"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/126.0.0.0 Mobile Safari/537.36",
         "Chrome on Android"},
        {"curl/8.5.0", "curl"},
        {"<script>", ""},
        {NULL, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is(na_device(pool, cases[i][0]), cases[i][1], cases[i][1]);
    is(na_device_family(pool, "Firefox/128.0"), na_device_family(pool, "Firefox/129.1"),
       "versions of one browser are one family");
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
    const na_session *held = na_token_cache_get(cache, config.id, na_bytes_of(token), NOW);
    ok(held != NULL, "then it is known");
    is(held ? held->claims_json : NULL, held ? held->claims_json : "", "with all it had");
    is(held ? na_session_claim(held, "email") : NULL, "ada@example.org", "claims included");
    ok(!na_token_cache_get(cache, config.id + 1, na_bytes_of(token), NOW),
       "but to no other configuration");
    char *changed = apr_pstrdup(pool, token);
    changed[40] ^= 1;
    ok(!na_token_cache_get(cache, config.id, na_bytes_of(changed), NOW),
       "one character off is another token, its tail the same");
    ok(!na_token_cache_get(cache, config.id, na_bytes_of(token), NOW + 20 * MINUTE),
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

/*
 * What a session has is the same in the copy, whether its strings are parts of one (plain claims)
 * or not (claims that the JSON library read).
 */
static void copying(apr_pool_t *pool)
{
    static const char *const tokens[] = {
        "{\"sub\":\"42\",\"email\":\"ada@example.org\",\"roles\":[\"a\",\"b\"],\"ok\":true}",
        "{\"sub\":\"42\",\"email\":\"ada@example.org\",\"roles\":[\"a\",\"b\"],\"ok\":true,\"x\":{"
        "\"y\":\"\\n\"}}"};
    na_token_cache *cache;
    na_token_cache_make(pool, 64, &cache);
    for (int i = 0; i < 2; i++) {
        const na_session *copy;
        apr_pool_t *request;
        apr_pool_create(&request, pool);
        const char *token = seal(pool, &config.sources[0].ring, tokens[i], 600);
        const char *header = apr_pstrcat(pool, "next-auth.session-token=", token, NULL);
        load(request, cache, header, NOW, &copy);
        apr_pool_clear(request); /* the cache has its own */
        load(request, cache, header, NOW, &copy);
        is(copy->user, "42", "the user");
        is(copy->email, "ada@example.org", "  the email address");
        ok(na_session_has(copy, "roles", "b"), "  elements of a list");
        is(na_session_claim(copy, "ok"), "true", "  a word");
        is(copy->identities[1].value, "ada@example.org", "  what is handed on");
        is(copy->identities[copy->identity_count - 1].value, "a,b", "  the roles in it");
        ok(strstr(copy->claims_json, "\"sub\":\"42\"") != NULL, "  and the claims as JSON");
        apr_pool_destroy(request);
    }
    is(na_identity_claim_of(pool, "a.b-c").env, "NEXTAUTH_CLAIM_A_B_C", "a claim has a variable");
    is(na_identity_claim_of(pool, "a.b-c").header, "X-NextAuth-Claim-a-b-c", "and a header");
}

static const char *make_token(apr_pool_t *pool)
{
    return seal(pool, &config.sources[0].ring, claims, 600);
}

static int shows(apr_pool_t *pool, na_token_cache *cache, const char *token)
{
    apr_pool_t *request;
    apr_pool_create(&request, pool);
    const char *header = apr_pstrcat(request, "next-auth.session-token=", token, NULL);
    user_of(request, cache, header, NOW);
    const na_session *kept = na_token_cache_get(cache, config.id, na_bytes_of(token), NOW);
    if (kept)
        na_token_cache_release(kept);
    apr_pool_destroy(request);
    return kept != NULL;
}

/* Many tokens that are shown once do not evict those in use. */
static void crowding(apr_pool_t *pool)
{
    na_token_cache *cache;
    int stored = 0, lost = 0;
    const char *users[8];
    na_token_cache_make(pool, 8, &cache); /* one set */
    for (int i = 0; i < 8; i++)
        stored += shows(pool, cache, users[i] = make_token(pool));
    is_number(stored, 8, "a cache with room stores a token when it is first shown");
    for (int i = 0; i < 100; i++)
        lost += shows(pool, cache, make_token(pool));
    is_number(lost, 0, "a full one does not");
    for (int i = 0; i < 8; i++)
        lost += !shows(pool, cache, users[i]);
    is_number(lost, 0, "so those who were there still are");
    const char *newcomer = make_token(pool);
    ok(!shows(pool, cache, newcomer) && shows(pool, cache, newcomer),
       "a token that is shown again is stored");
}

/* Entries are in memory that others had, whatever their sizes. */
static void reusing(apr_pool_t *pool)
{
    const na_session_source *source = &config.sources[0];
    na_token_cache *cache;
    apr_pool_t *request;
    int wrong = 0;
    na_token_cache_make(pool, 8, &cache); /* one set */
    for (int i = 0; i < 500; i++) {
        apr_pool_create(&request, pool);
        char *name = apr_palloc(request, 3001);
        int len = i * 37 % (i % 5 ? 60 : 3000); /* mostly of similar size */
        memset(name, 'a' + i % 26, 3000);
        name[len] = '\0';
        const char *token =
            seal(request, &source->ring,
                 apr_psprintf(request, "{\"sub\":\"%d\",\"name\":\"%s\"}", i, name), 600);
        const na_session *first, *again;
        const char *header = apr_pstrcat(request, "next-auth.session-token=", token, NULL);
        load(request, cache, header, NOW, &first);
        load(request, cache, header, NOW, &first); /* a full cache stores it now */
        load(request, cache, header, NOW, &again);
        wrong += again != first || atoi(again->user) != i ||
                 strcmp(na_session_claim(again, "name"), name) != 0;
        apr_pool_destroy(request);
    }
    ok(!wrong, "memory of evicted sessions is used again, and each session is its own");
}

/* A key is made where it is asked for, and is the same as one that was made before. */
static void keys(apr_pool_t *pool)
{
    static const char *const tokens[] = {"{\"sub\":\"42\",\"sid\":\"one\"}",
                                         "{\"sub\":\"42\",\"auth_time\":1779999000}"};
    const na_store_key *made[2];
    for (int i = 0; i < 2; i++) {
        na_session *session;
        const char *token = seal(pool, &config.sources[0].ring, tokens[i], 600);
        succeeds(na_session_open(pool, &config.sources[0].ring, NA_V4, na_bytes_of(token),
                                 &config.lifetime, NOW, config.identity_claims, &session),
                 "a token is opened");
        made[i] = na_session_key(pool, session);
        na_session_make_key(pool, session);
        ok(memcmp(made[i]->hash, session->key.hash, sizeof session->key.hash) == 0,
           "its key is the same, whenever it is made");
    }
    ok(memcmp(made[0]->hash, made[1]->hash, sizeof made[0]->hash) != 0,
       "sessions have different keys");
}

/* One table for all sites: what one of them learned counts for no other. */
static void verifying(apr_pool_t *pool)
{
    enum { site = NA_SESSION_ID_STEP, other = 2 * NA_SESSION_ID_STEP };
    na_verified *verified;
    na_store_key a, b;
    succeeds(na_verified_make(pool, &verified), "a table is made");
    na_store_key_make(&a, NA_KIND_SESSION, "a");
    na_store_key_make(&b, NA_KIND_SESSION, "b");
    na_verified_set(verified, site, &a, 7, 100);
    is_number(na_verified_at(verified, site, &a, 7), 100, "a session is known as valid");
    is_number(na_verified_at(verified, site, &a, 8), 0, "  in the state that was looked up");
    is_number(na_verified_at(verified, site, &b, 7), 0, "  another one is not");
    is_number(na_verified_at(verified, other, &a, 7), 0, "  nor is it at another site");
    na_verified_set(verified, other, &a, 7, 200);
    is_number(na_verified_at(verified, site, &a, 7), 100, "each site has its own answer");
    na_verified_forget_all(verified, other);
    is_number(na_verified_at(verified, other, &a, 7), 0, "a site forgets all of its own");
    is_number(na_verified_at(verified, site, &a, 7), 100, "  and nothing of another one");
    na_verified_set(verified, other, &a, 7, 200);
    na_verified_forget(verified, &a);
    is_number(na_verified_at(verified, site, &a, 7) + na_verified_at(verified, other, &a, 7), 0,
              "a session that ends is forgotten at all sites");
}

/* What was last told to who observes. */
typedef struct told {
    na_session_lookup check;
    int checks;
    apr_int64_t lasted;
    int ends;
} told;

static void note_check(void *data, na_session_lookup check, double seconds)
{
    ((told *)data)->check = check;
    ((told *)data)->checks += seconds >= 0 && seconds < 60;
}

static void note_end(void *data, apr_int64_t seconds)
{
    ((told *)data)->lasted = seconds;
    ((told *)data)->ends++;
}

static na_session_lookup check_of(apr_pool_t *pool, const na_sessions *sessions, told *t,
                                  const char *header)
{
    const na_session *session;
    const na_visit visit = {.pool = pool, .now = NOW, .cookie_header = header};
    na_session_load(sessions, &visit, &session);
    return t->check;
}

static void observing(apr_pool_t *pool)
{
    told t = {.check = NA_LOOKUP_UNAVAILABLE};
    const na_session_observer observer = {.data = &t, .checked = note_check, .ended = note_end};
    na_token_cache *cache;
    apr_pool_t *request;
    apr_pool_create(&request, pool);
    na_token_cache_make(pool, 64, &cache);
    const na_sessions sessions = {.config = &config, .tokens = cache, .observer = &observer};
    const char *header = apr_pstrcat(pool, "next-auth.session-token=",
                                     seal(pool, &config.sources[0].ring, claims, 600), NULL);
    ok(check_of(request, &sessions, &t, NULL) == NA_LOOKUP_NONE, "no cookie is no session");
    ok(check_of(request, &sessions, &t, header) == NA_LOOKUP_OPENED, "a token is opened");
    ok(check_of(request, &sessions, &t, header) == NA_LOOKUP_CACHED, "then it is known");
    ok(check_of(request, &sessions, &t, "next-auth.session-token=x") == NA_LOOKUP_REFUSED,
       "rubbish is refused");
    is_number(t.checks, 4, "each is timed");
    const na_visit visit = {.pool = request, .now = NOW + 5 * MINUTE, .cookie_header = header};
    const na_session *ended;
    na_session_end(&sessions, &visit, apr_array_make(pool, 4, sizeof(char *)), &ended);
    is_number(t.ends, 1, "a sign-out ends it");
    is_number(t.lasted, 300, "after so many seconds");
    is_number(t.checks, 4, "and is no check");
    apr_pool_destroy(request);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    configure(pool);
    loading(pool);
    long_lists(pool);
    rotation(pool);
    refusals(pool);
    chunks(pool);
    claims_in_place(pool);
    lifetimes(pool);
    devices(pool);
    caching(pool);
    copying(pool);
    crowding(pool);
    reusing(pool);
    keys(pool);
    verifying(pool);
    observing(pool);
    return tap_done();
}
