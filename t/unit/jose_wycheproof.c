/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "base/json.h"
#include "jose/jwe.h"
#include "jose/jws.h"
#include "tap.h"

/*
 * The JOSE vectors of Project Wycheproof. "valid" must be accepted where the algorithm is one of
 * ours, "invalid" must be refused for whatever reason, "acceptable" may go either way.
 */

static const char *const algs[] = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
                                   "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512", NULL};

typedef struct outcome {
    apr_pool_t *pool;    /* of one test */
    apr_pool_t *summary; /* of all of them */
    apr_table_t *skipped;
    int foreign; /* refused, but for an algorithm that is not ours */
} outcome;

static const json_t *header_of(apr_pool_t *pool, const char *token)
{
    apr_size_t len;
    json_t *json;
    const char *text = (const char *)na_base64url_decode(pool, token, strcspn(token, "."), &len);
    return text && !na_json_parse(pool, NA_ERR_SESSION, text, len, &json) ? json : NULL;
}

static const char *named(const char *prefix, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, prefix, " ", name ? name : "(none)", NULL);
}

static int is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (name && strcmp(name, *list) == 0)
            return 1;
    return 0;
}

/* Why a token that Wycheproof calls valid is refused on purpose; NULL where it is not. */
static const char *refused_jws(apr_pool_t *pool, const char *token, const json_t *key)
{
    const json_t *header = header_of(pool, token);
    const char *alg = na_json_string(header, "alg"), *bound = na_json_string(key, "alg");
    if (strchr(token, '?'))
        return "characters that are not base64url";
    if (!is_one_of(alg, algs))
        return named("the signature algorithm", alg, pool);
    if (bound && strcmp(bound, alg) != 0)
        return apr_pstrcat(pool, "the key is bound to ", bound, ", the token is ", alg, NULL);
    return NULL;
}

static const char *refused_jwe(apr_pool_t *pool, const char *token)
{
    static const char *const ours[] = {"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", NULL};
    const json_t *header = header_of(pool, token);
    const char *alg = na_json_string(header, "alg"), *enc = na_json_string(header, "enc");
    if (json_object_get(header, "zip"))
        return "zip";
    if (alg && strcmp(alg, "dir") == 0)
        return apr_pstrcat(pool, "dir with ", enc, NULL);
    return is_one_of(alg, ours) ? NULL : named("the key management algorithm", alg, pool);
}

/* Either a key set or one key, made into a set. */
static na_error *key_set(apr_pool_t *pool, const json_t *key, const na_jwks **set)
{
    const char *text = na_json_dump(pool, key);
    if (!json_object_get(key, "keys"))
        text = apr_pstrcat(pool, "{\"keys\":[", text, "]}", NULL);
    return na_jwks_parse(pool, text, strlen(text), set);
}

static na_error *verify(apr_pool_t *pool, const json_t *key, const char *token)
{
    const na_jwks *set;
    na_jws jws;
    NA_TRY(key_set(pool, key, &set));
    NA_TRY(na_jws_read(pool, token, strlen(token), &jws));
    return na_jws_verify(pool, &jws, set, algs);
}

static na_error *decrypt(apr_pool_t *pool, const json_t *json, const char *token,
                         const char *plaintext)
{
    const na_jwk *key;
    na_bytes opened;
    NA_TRY(na_jwk_parse(pool, json, &key));
    NA_TRY(na_jwe_open_private(pool, key, token, strlen(token), &opened));
    if (plaintext && strcmp(na_hex(pool, opened.data, opened.len), plaintext) != 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "another plaintext");
    return NULL;
}

static void judge(outcome *o, const char *name, const char *result, const na_error *error,
                  const char *reason)
{
    if (strcmp(result, "valid") == 0 && reason && error) {
        const char *before = apr_table_get(o->skipped, reason);
        apr_table_set(o->skipped, reason, apr_itoa(o->summary, 1 + (before ? atoi(before) : 0)));
    } else if (strcmp(result, "valid") == 0) {
        ok(!error, "%s: accepted", name);
        if (error)
            diag("%s", na_error_text(o->pool, error));
    } else if (strcmp(result, "invalid") == 0) {
        o->foreign += reason != NULL;
        ok(error != NULL, "%s: refused", name);
    } else {
        ok(1, "%s: %s", name, error ? "refused" : "accepted");
    }
}

/* JSON serialization stands there as an object. */
static const char *token_of(apr_pool_t *pool, const json_t *test, const char *name)
{
    const json_t *token = json_object_get(test, name);
    return json_is_object(token) ? na_json_dump(pool, token) : json_string_value(token);
}

/* Why a test is of no use to us; NULL where it is. */
static const char *out_of_scope(const char *comment)
{
    if (strcmp(comment, "rejectsKeyWithRocaVulnerability") == 0)
        return "ROCA-weak keys are not looked for";
    if (strncmp(comment, "invalidBase64Padding", 20) == 0)
        return "the vector has lost its padding: it is the same token as a valid one";
    return NULL;
}

static void run_test(outcome *o, const char *file, const json_t *group, const json_t *test)
{
    const json_t *private = json_object_get(group, "private");
    const json_t *public = json_object_get(group, "public");
    const char *jws = token_of(o->pool, test, "jws"), *jwe = token_of(o->pool, test, "jwe");
    const char *comment = na_json_string(test, "comment");
    json_int_t id = 0;
    na_json_number(test, "tcId", &id);
    const char *name = apr_psprintf(o->pool, "%s %d %s", file, (int)id, comment);
    if (out_of_scope(comment)) {
        ok(1, "%s # SKIP %s", name, out_of_scope(comment));
        return;
    }
    const json_t *key = public && jws ? public : private;
    na_error *error = jws ? verify(o->pool, key, jws)
                          : decrypt(o->pool, private, jwe, na_json_string(test, "pt"));
    judge(o, name, na_json_string(test, "result"), error,
          jws ? refused_jws(o->pool, jws, key) : refused_jwe(o->pool, jwe));
}

static int print_skipped(void *file, const char *reason, const char *count)
{
    ok(1, "%s: %s valid # SKIP refused on purpose: %s", (const char *)file, count, reason);
    return 1;
}

static void run_file(apr_pool_t *pool, const char *folder, const char *file)
{
    apr_size_t len, i, k;
    json_t *json, *group, *test;
    outcome o = {.summary = pool, .skipped = apr_table_make(pool, 8)};
    const char *path = apr_pstrcat(pool, folder, "/wycheproof/json_web_", file, "_test.json", NULL);
    const char *text = slurp(pool, path, &len);
    if (!text || !succeeds(na_json_parse(pool, NA_ERR_SESSION, text, len, &json), file)) {
        ok(text == NULL, "%s # SKIP %s is not there", file, path);
        return;
    }
    apr_pool_create(&o.pool, pool);
    json_array_foreach(json_object_get(json, "testGroups"), i, group)
    {
        json_array_foreach(json_object_get(group, "tests"), k, test)
        {
            run_test(&o, file, group, test);
            apr_pool_clear(o.pool);
        }
    }
    apr_table_do(print_skipped, (void *)file, o.skipped, NULL);
    diag("%s: %d of the invalid ones have an algorithm that is refused anyway", file, o.foreign);
}

int main(void)
{
    static const char *const files[] = {"signature", "encryption", "crypto", "key"};
    apr_pool_t *pool = tap_start();
    const char *folder = getenv("NEXTAUTH_VECTORS");
    if (!folder)
        folder = "../shared/vectors";
    if (!slurp(pool, apr_pstrcat(pool, folder, "/wycheproof/LICENSE", NULL), NULL))
        skip_all("Wycheproof's vectors are not there");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        run_file(pool, folder, files[i]);
    return tap_done();
}
