/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "jose_jws_kit.h"

/* Which signed tokens are taken, and which are refused. */

/* A token with any header, its HMAC over `key`'s bytes. */
static const char *hmac_token(apr_pool_t *pool, const char *header, na_bytes key)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len;
    const char *input =
        apr_pstrcat(pool, b64(pool, header), ".", b64(pool, "{\"sub\":\"1\"}"), NULL);
    HMAC(EVP_sha256(), key.data, (int)key.len, (const unsigned char *)input, strlen(input), mac,
         &len);
    return apr_pstrcat(pool, input, ".", na_base64url_encode(pool, mac, len), NULL);
}

/* The parts of a token, put together anew. */
static const char *rejoin(apr_pool_t *pool, const char *token, const char *order)
{
    char *copy = apr_pstrdup(pool, token), *state, *parts[3];
    const char *out = "";
    for (int i = 0; i < 3; i++)
        parts[i] = apr_strtok(i ? NULL : copy, ".", &state);
    for (; *order; order++)
        out = apr_pstrcat(pool, out, *out ? "." : "", parts[*order - '0'], NULL);
    return out;
}

/* Every byte of the signature counts. */
static int changes_taken(apr_pool_t *pool, const char *token, const na_jwks *set)
{
    apr_size_t len;
    const char *text = signature_of(token);
    unsigned char *bytes = na_base64url_decode(pool, text, strlen(text), &len);
    int taken = 0;
    for (apr_size_t i = 0; i < len; i++) {
        bytes[i] ^= 1;
        taken += !verify(pool, with_bytes(pool, token, bytes, len), set);
        bytes[i] ^= 1;
    }
    return taken;
}

static void check_round_trip(apr_pool_t *pool, const json_t *private, const json_t *public,
                             const char *alg)
{
    na_jws jws;
    const char *one[] = {alg, NULL}, *none[] = {NULL};
    const char *token = sign(pool, private, alg);
    const na_jwks *set = kit_set(pool, public, NULL);
    succeeds(kit_verify(pool, token, strlen(token), set, one, &jws), alg);
    is(jws.alg, alg, "alg");
    is((const char *)jws.payload.data, "{\"sub\":\"1\"}", "payload");
    says(pool, kit_verify(pool, token, strlen(token), set, none, &jws), "not accepted here",
         "an algorithm that the caller does not list");
    is_number(changes_taken(pool, token, set), 0, "no changed signature");
    const char *forged =
        with_signature(pool, sign(pool, with(pool, private, "kid", "2"), alg), signature_of(token));
    refused(pool, forged, set, "does not verify", "another header");
    succeeds(verify(pool, token, kit_set(pool, with(pool, public, "alg", alg), NULL)), "key bound");
    for (const char *const *other = all; *other; other++) {
        const na_jwk *key;
        if (strcmp(*other, alg) == 0 || na_jwk_parse(pool, with(pool, public, "alg", *other), &key))
            continue;
        refused(pool, token, kit_set(pool, with(pool, public, "alg", *other), NULL), "no key",
                apr_pstrcat(pool, "a key bound to ", *other, NULL));
    }
}

static void check_algorithms(apr_pool_t *pool, EVP_PKEY *rsa)
{
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    const json_t *private = kit_jwk(pool, rsa, 1), *public = kit_jwk(pool, rsa, 0);
    const json_t *oct = kit_oct(pool, 64);
    EVP_PKEY *ed = kit_new_ed25519(pool);
    for (int i = 0; i < 6; i++)
        check_round_trip(pool, private, public, all[i]);
    for (int i = 0; i < 3; i++) {
        EVP_PKEY *ec = kit_new_ec(pool, curves[i]);
        check_round_trip(pool, kit_jwk(pool, ec, 1), kit_jwk(pool, ec, 0), all[6 + i]);
    }
    check_round_trip(pool, kit_jwk(pool, ed, 1), kit_jwk(pool, ed, 0), "EdDSA");
    for (int i = 10; i < 13; i++)
        check_round_trip(pool, oct, oct, all[i]);
}

static void check_header(apr_pool_t *pool)
{
    static const struct {
        const char *header, *part, *name;
    } cases[] = {
        {"{\"alg\":\"none\"}", "unsupported", "none"},
        {"{\"alg\":\"NONE\"}", "unsupported", "NONE"},
        {"{\"alg\":\"hs256\"}", "unsupported", "lower case"},
        {"{\"alg\":\"RSA-OAEP\"}", "unsupported", "an encryption algorithm"},
        {"{\"alg\":\"\"}", "unsupported", "an empty alg"},
        {"{\"typ\":\"JWT\"}", "(none given)", "no alg"},
        {"{\"alg\":256}", "not a string", "alg a number"},
        {"{\"alg\":[\"HS256\"]}", "not a string", "alg a list"},
        {"{\"alg\":null}", "not a string", "alg null"},
        {"{\"alg\":\"HS256\",\"kid\":1}", "not a string", "kid a number"},
        {"{\"alg\":\"HS256\",\"crit\":[]}", "crit", "crit, empty"},
        {"{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", "crit", "crit"},
        {"{\"alg\":\"HS256\",\"b64\":false}", "b64", "b64"},
        {"{\"alg\":\"HS256\",\"b64\":true}", "b64", "b64, even true"},
        {"{\"alg\":\"HS256\",\"zip\":\"DEF\"}", "zip", "zip"},
        {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "not JSON", "alg twice"},
        {"{\"alg\":\"none\",\"alg\":\"HS256\"}", "not JSON", "two algs"},
        {"{\"alg\":\"HS256\"} ", NULL, "white space is fine"},
        {"[\"HS256\"]", "not a JSON object", "a list"},
        {"{\"alg\":\"HS256\"", "not JSON", "cut short"},
        {"{\"alg\":\"HS256\"}}", "not JSON", "too much"},
        {"", "not JSON", "empty"},
    };
    na_bytes secret = na_bytes_of("0123456789abcdef0123456789abcdef");
    const na_jwk *key = na_jwk_from_secret(pool, secret);
    na_jwks set = {&key, 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *token = hmac_token(pool, cases[i].header, secret);
        if (cases[i].part)
            refused(pool, token, &set, cases[i].part, cases[i].name);
        else
            succeeds(verify(pool, token, &set), cases[i].name);
    }
    const char *bare =
        apr_pstrcat(pool, b64(pool, "{\"alg\":\"none\"}"), ".", b64(pool, "{}"), ".", NULL);
    refused(pool, bare, &set, "unsupported", "none without a signature");
}

/* RS256's public key as the secret of HS256: the set decides, never the header. */
static void check_confusion(apr_pool_t *pool, EVP_PKEY *rsa)
{
    const na_jwks *set = kit_set(pool, kit_jwk(pool, rsa, 0), NULL);
    const char *pem = kit_public_pem(pool, rsa), *header = "{\"alg\":\"HS256\"}";
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(rsa, &der);
    refused(pool, hmac_token(pool, header, na_bytes_of(pem)), set, "no key", "HS256 over the PEM");
    refused(pool, hmac_token(pool, header, (na_bytes){der, (apr_size_t)len}), set, "no key",
            "HS256 over the DER");
    OPENSSL_free(der);
    const json_t *oct = kit_oct(pool, 64);
    refused(pool, sign(pool, kit_jwk(pool, rsa, 1), "RS256"), kit_set(pool, oct, NULL), "no key",
            "RS256 against a symmetric key");
    EVP_PKEY *p384 = kit_new_ec(pool, "P-384"), *p256 = kit_new_ec(pool, "P-256");
    refused(pool, sign(pool, kit_jwk(pool, p256, 1), "ES256"),
            kit_set(pool, kit_jwk(pool, p384, 0), NULL), "no key", "ES256 against P-384");
}

/* Keys in a header are whoever's who wrote it. */
static void check_embedded(apr_pool_t *pool, EVP_PKEY *rsa)
{
    EVP_PKEY *theirs = kit_new_rsa(pool, 2048);
    na_bytes secret = na_bytes_of("0123456789abcdef0123456789abcdef");
    const na_jwk *key = na_jwk_from_secret(pool, secret);
    na_jwks set = {&key, 1};
    const char *header = apr_pstrcat(pool, "{\"alg\":\"RS256\",\"jwk\":",
                                     na_json_dump(pool, kit_jwk(pool, theirs, 0)), "}", NULL);
    const char *token = sign(pool, kit_jwk(pool, theirs, 1), "RS256");
    refused(pool, token, kit_set(pool, kit_jwk(pool, rsa, 0), NULL), "does not verify",
            "another's key");
    token = apr_pstrcat(pool, b64(pool, header), strchr(token, '.'), NULL);
    refused(pool, token, kit_set(pool, kit_jwk(pool, rsa, 0), NULL), "does not verify",
            "another's key in the header");
    header = "{\"alg\":\"HS256\",\"jku\":\"https://evil.example/\",\"x5u\":\"file:///etc/passwd\","
             "\"x5c\":[\"AAAA\"],\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}";
    succeeds(verify(pool, hmac_token(pool, header, secret), &set), "jku, x5u, x5c, jwk ignored");
}

static void check_shape(apr_pool_t *pool)
{
    const json_t *oct = kit_oct(pool, 64);
    const na_jwks *set = kit_set(pool, oct, NULL);
    const char *token = sign(pool, oct, "HS256"), *signature = signature_of(token);
    int taken = 0;
    na_jws jws;
    for (apr_size_t len = 0; len < strlen(token); len++)
        taken += !kit_verify(pool, apr_pstrndup(pool, token, len), len, set, all, &jws);
    is_number(taken, 0, "no token that was cut short");
    refused(pool, rejoin(pool, token, "01"), set, "three parts", "no third part");
    refused(pool, rejoin(pool, token, "0121"), set, "three parts", "four parts");
    refused(pool, rejoin(pool, token, "021"), set, "does not verify", "parts swapped");
    refused(pool, rejoin(pool, token, "102"), set, "", "parts swapped");
    refused(pool, rejoin(pool, token, "012") + 1, set, "", "first character gone");
    refused(pool, apr_pstrcat(pool, token, ".", NULL), set, "three parts", "a dot behind");
    refused(pool, apr_pstrcat(pool, token, "=", NULL), set, "base64url", "padding");
    refused(pool, apr_pstrcat(pool, token, "\n", NULL), set, "base64url", "a line end");
    refused(pool, apr_pstrcat(pool, " ", token, NULL), set, "base64url", "a space before");
    refused(pool, apr_pstrcat(pool, token, "A", NULL), set, "", "a character more");
    refused(pool, apr_pstrcat(pool, token, "AAAA", NULL), set, "does not verify", "bytes more");
    /* 32 bytes are 43 characters, the last with two bits that must be zero. */
    char *stray = apr_pstrdup(pool, signature);
    stray[42] += 1;
    refused(pool, with_signature(pool, token, stray), set, "base64url", "stray bits");
    stray = apr_pstrdup(pool, signature);
    stray[5] = '+';
    refused(pool, with_signature(pool, token, stray), set, "base64url", "standard base64");
    char *huge = apr_palloc(pool, NA_JWS_MAX + 2);
    memset(huge, 'A', NA_JWS_MAX + 1);
    huge[NA_JWS_MAX + 1] = '\0';
    refused(pool, huge, set, "longer than", "too long");
    refused(pool, "{\"payload\":\"e30\",\"signatures\":[]}", set, "three parts", "JSON");
}

static void check_kid(apr_pool_t *pool)
{
    na_jws jws;
    const json_t *bare = kit_oct(pool, 64), *other = with(pool, kit_oct(pool, 64), "kid", "b");
    const json_t *a = with(pool, bare, "kid", "a");
    const char *token = sign(pool, a, "HS256"), *no_kid = sign(pool, bare, "HS256");
    succeeds(verify(pool, token, kit_set(pool, other, a)), "the key with the same kid");
    refused(pool, token, kit_set(pool, other, NULL), "no key for algorithm HS256 and kid a",
            "no key with the kid");
    refused(pool, token, kit_set(pool, with(pool, bare, "kid", "c"), NULL), "no key",
            "the right key under another kid");
    refused(pool, token, kit_set(pool, with(pool, kit_oct(pool, 64), "kid", "a"), NULL),
            "does not verify", "another key under the right kid");
    succeeds(verify(pool, no_kid, kit_set(pool, other, a)), "no kid: every key is tried");
    refused(pool, no_kid, kit_set(pool, other, NULL), "does not verify", "no kid, no right key");
    succeeds(verify(pool, token, kit_set(pool, other, bare)), "a key without kid is tried too");
    succeeds(na_jws_read(pool, token, strlen(token), &jws), "peek");
    is(jws.kid, "a", "kid");
    is(jws.alg, "HS256", "alg");
    ok(jws.payload.data == NULL, "no payload before it is verified");
    ok(na_jws_has_key(&jws, kit_set(pool, other, a)), "the set has its key");
    ok(!na_jws_has_key(&jws, kit_set(pool, other, NULL)), "that one has not");
    ok(!na_jws_has_key(&jws, kit_set(pool, with(pool, a, "use", "enc"), NULL)), "nor that");
}

static void check_permissions(apr_pool_t *pool, EVP_PKEY *rsa)
{
    const json_t *public = kit_jwk(pool, rsa, 0);
    const char *token = sign(pool, kit_jwk(pool, rsa, 1), "RS256");
    refused(pool, token, kit_set(pool, with(pool, public, "use", "enc"), NULL), "no key",
            "use enc");
    refused(pool, token, kit_set(pool, with_json(pool, public, "key_ops", "[\"encrypt\"]"), NULL),
            "no key", "key_ops without verify");
    succeeds(verify(pool, token,
                    kit_set(pool, with_json(pool, public, "key_ops", "[\"verify\"]"), NULL)),
             "key_ops with verify");
}

static void check_secret(apr_pool_t *pool)
{
    na_bytes secret = na_bytes_of("0123456789abcdef0123456789abcde");
    const na_jwk *key = na_jwk_from_secret(pool, secret);
    na_jwks set = {&key, 1};
    char *token;
    refused(pool, hmac_token(pool, "{\"alg\":\"HS256\"}", secret), &set, "has 31 bytes",
            "a client secret of 31 bytes");
    says(pool, na_jws_sign(pool, key, "HS256", NULL, secret, &token), "too short",
         "nor does it sign");
    key = na_jwk_from_secret(pool, na_bytes_of(""));
    refused(pool, hmac_token(pool, "{\"alg\":\"HS256\"}", na_bytes_of("")), &set, "has 0 bytes",
            "an empty client secret");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    EVP_PKEY *rsa = kit_new_rsa(pool, 2048);
    check_algorithms(pool, rsa);
    check_header(pool);
    check_confusion(pool, rsa);
    check_embedded(pool, rsa);
    check_shape(pool);
    check_kid(pool);
    check_permissions(pool, rsa);
    check_secret(pool);
    return tap_done();
}
