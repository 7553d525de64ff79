/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509.h>

#include "jose_kit.h"
#include "jose/jwk_public.h"

/* Which keys and key sets are taken, and which are refused. */

static void refused(apr_pool_t *pool, const json_t *jwk, const char *part, const char *name)
{
    const na_jwk *key;
    says(pool, na_jwk_parse(pool, jwk, &key), part, name);
}

static void taken(apr_pool_t *pool, const json_t *jwk, const char *name)
{
    const na_jwk *key;
    succeeds(na_jwk_parse(pool, jwk, &key), name);
}

static void check_rsa(apr_pool_t *pool, EVP_PKEY *rsa)
{
    const json_t *jwk = kit_jwk(pool, rsa, 0), *private = kit_jwk(pool, rsa, 1);
    taken(pool, jwk, "RSA 2048");
    taken(pool, with(pool, jwk, "e", "Aw"), "RSA with e = 3");
    taken(pool, private, "RSA with its private half");
    taken(pool, with(pool, jwk, "d", na_json_string(private, "d")), "RSA with d alone");
    refused(pool, with(pool, private, "dq", NULL), "\"dq\" is missing", "RSA with p but no dq");
    refused(pool, with_json(pool, private, "oth", "[]"), "two primes", "RSA of three primes");
    refused(pool, kit_jwk(pool, kit_new_rsa(pool, 1024), 0), "1024 bits", "RSA 1024");
    refused(pool, with(pool, jwk, "e", "AQ"), "exponent", "RSA with e = 1");
    refused(pool, with(pool, jwk, "e", "AA"), "exponent", "RSA with e = 0");
    refused(pool, with(pool, jwk, "e", "Ag"), "exponent", "RSA with e = 2");
    refused(pool, with(pool, jwk, "e", "AQAA"), "exponent", "RSA with e = 65536");
    refused(pool, with(pool, jwk, "e", "AQAAAAAAAAAB"), "exponent", "RSA with e of 65 bits");
    refused(pool, with(pool, jwk, "e", ""), "\"e\" is missing", "RSA with an empty e");
    refused(pool, with(pool, jwk, "e", NULL), "\"e\" is missing", "RSA without e");
    refused(pool, with(pool, jwk, "n", NULL), "\"n\" is missing", "RSA without n");
    refused(pool, with(pool, jwk, "n", na_random_base64url(pool, 4096)), "too long", "RSA, huge n");
    refused(pool, with_json(pool, jwk, "n", "5"), "not a string", "RSA with a number as n");
    const char *padded = apr_pstrcat(pool, na_json_string(jwk, "n"), "=", NULL);
    refused(pool, with(pool, jwk, "n", padded), "base64url", "RSA with padding behind n");
    refused(pool, with(pool, jwk, "e", "AQAC+"), "base64url", "RSA with '+' in e");
    refused(pool, with(pool, jwk, "e", "AR"), "base64url", "RSA with stray bits in e");
}

/* y with its last bit turned: surely not on the curve. */
static const char *other_y(apr_pool_t *pool, const json_t *jwk)
{
    apr_size_t len;
    const char *y = na_json_string(jwk, "y");
    unsigned char *bytes = na_base64url_decode(pool, y, strlen(y), &len);
    bytes[len - 1] ^= 1;
    return na_base64url_encode(pool, bytes, len);
}

static void check_ec(apr_pool_t *pool, const char *curve)
{
    EVP_PKEY *pkey = kit_new_ec(pool, curve);
    const json_t *jwk = kit_jwk(pool, pkey, 0), *private = kit_jwk(pool, pkey, 1);
    const json_t *other = kit_jwk(pool, kit_new_ec(pool, curve), 1);
    const char *zero = na_base64url_encode(pool, "\0", 1), *x = na_json_string(jwk, "x");
    diag("%s", curve);
    taken(pool, jwk, "EC");
    taken(pool, private, "EC with its private half");
    refused(pool, with(pool, jwk, "y", other_y(pool, jwk)), "EC key", "a point off its curve");
    refused(pool, with(pool, private, "d", na_json_string(other, "d")), "does not belong",
            "the private half of another key");
    refused(pool, with(pool, private, "d", zero), "bytes instead of", "a short d");
    refused(pool, with(pool, jwk, "x", zero), "bytes instead of", "a short x");
    refused(pool, with(pool, jwk, "x", apr_pstrcat(pool, "AAAA", x, NULL)), "bytes instead of",
            "a long x");
    refused(pool, with(pool, jwk, "y", NULL), "\"y\" has 0 bytes", "no y");
    refused(pool, with(pool, jwk, "crv", "secp256k1"), "unknown curve", "a curve not ours");
    refused(pool, with(pool, jwk, "crv", "prime256v1"), "unknown curve", "OpenSSL's curve name");
    refused(pool, with(pool, jwk, "crv", NULL), "unknown curve", "no curve");
    refused(pool, with(pool, jwk, "kty", "OKP"), "unknown curve", "an EC key as OKP");
}

static void check_okp(apr_pool_t *pool)
{
    EVP_PKEY *pkey = kit_new_ed25519(pool);
    const json_t *jwk = kit_jwk(pool, pkey, 0), *private = kit_jwk(pool, pkey, 1);
    const json_t *other = kit_jwk(pool, kit_new_ed25519(pool), 1);
    taken(pool, jwk, "Ed25519");
    taken(pool, private, "Ed25519 with its private half");
    refused(pool, with(pool, private, "d", na_json_string(other, "d")), "does not belong",
            "Ed25519 with the private half of another key");
    refused(pool, with(pool, jwk, "crv", "X25519"), "unknown curve", "X25519");
    refused(pool, with(pool, jwk, "x", "AAAA"), "32 bytes", "Ed25519 with a short x");
    refused(pool, with(pool, private, "d", "AAAA"), "32 bytes", "Ed25519 with a short d");
}

static void check_oct(apr_pool_t *pool)
{
    taken(pool, kit_oct(pool, 32), "32 bytes");
    refused(pool, kit_oct(pool, 31), "too few", "31 bytes");
    refused(pool, kit_oct(pool, 0), "too few", "no bytes");
    refused(pool, with(pool, kit_oct(pool, 47), "alg", "HS384"), "too few", "47 bytes for HS384");
    refused(pool, with(pool, kit_oct(pool, 63), "alg", "HS512"), "too few", "63 bytes for HS512");
    taken(pool, with(pool, kit_oct(pool, 64), "alg", "HS512"), "64 bytes for HS512");
    refused(pool, with(pool, kit_oct(pool, 32), "alg", "A256GCM"), "unknown", "alg of a cipher");
    refused(pool, with(pool, kit_oct(pool, 64), "alg", "RS256"), "does not match",
            "alg of another type");
}

static void check_members(apr_pool_t *pool, EVP_PKEY *rsa)
{
    const json_t *jwk = kit_jwk(pool, rsa, 0), *p384 = kit_jwk(pool, kit_new_ec(pool, "P-384"), 0);
    refused(pool, with(pool, jwk, "kty", NULL), "unknown type", "no kty");
    refused(pool, with(pool, jwk, "kty", "rsa"), "unknown type", "kty in lower case");
    refused(pool, with(pool, jwk, "alg", "ES256"), "does not match", "RSA bound to ES256");
    refused(pool, with(pool, jwk, "alg", "RSA1_5"), "unknown", "RSA bound to RSA1_5");
    refused(pool, with(pool, jwk, "alg", "none"), "unknown", "RSA bound to none");
    refused(pool, with(pool, p384, "alg", "ES256"), "does not match", "P-384 bound to ES256");
    refused(pool, with_json(pool, jwk, "kid", "1"), "not a string", "a number as kid");
    refused(pool, with_json(pool, jwk, "alg", "[]"), "not a string", "a list as alg");
    refused(pool, with_json(pool, jwk, "use", "{}"), "not a string", "an object as use");
    refused(pool, with_json(pool, jwk, "key_ops", "\"verify\""), "not a list", "a text as key_ops");
    refused(pool, kit_json(pool, "[]"), "not a JSON object", "a list as key");
    ok(!kit_key(pool, with(pool, jwk, "use", "enc"))->can_verify, "use enc does not verify");
    ok(kit_key(pool, with(pool, jwk, "use", "enc"))->can_decrypt, "but decrypts");
    ok(kit_key(pool, with(pool, jwk, "use", "sig"))->can_verify, "use sig verifies");
    ok(!kit_key(pool, with(pool, jwk, "use", "sig"))->can_decrypt, "but does not decrypt");
    ok(!kit_key(pool, with(pool, jwk, "use", "tls"))->can_verify, "another use does neither");
    ok(!kit_key(pool, with(pool, jwk, "alg", "RSA-OAEP"))->can_verify, "alg RSA-OAEP, no verify");
    ok(!kit_key(pool, with(pool, jwk, "alg", "RS256"))->can_decrypt, "alg RS256, no decrypt");
    ok(!kit_key(pool, with_json(pool, jwk, "key_ops", "[\"decrypt\"]"))->can_verify, "key_ops");
    ok(kit_key(pool, with_json(pool, jwk, "key_ops", "[\"verify\"]"))->can_verify, "key_ops");
    ok(!kit_key(pool, with_json(pool, jwk, "key_ops", "[\"verify\"]"))->can_decrypt, "key_ops");
}

/* A certificate as x5c has it, followed by `trailing` zero bytes. */
static const char *certificate_by(apr_pool_t *pool, EVP_PKEY *pkey, EVP_PKEY *issuer, int trailing)
{
    X509 *x509 = X509_new();
    unsigned char der[4096] = {0}, *end = der, text[6000];
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 60);
    X509_set_pubkey(x509, pkey);
    X509_sign(x509, issuer, EVP_sha256());
    int len = i2d_X509(x509, &end);
    X509_free(x509);
    EVP_EncodeBlock(text, der, len + trailing);
    return apr_psprintf(pool, "[\"%s\"]", text);
}

static const char *certificate(apr_pool_t *pool, EVP_PKEY *pkey, int trailing)
{
    return certificate_by(pool, pkey, pkey, trailing);
}

/* The point at infinity can be written in a certificate, though not as x and y. */
static EVP_PKEY *infinity(apr_pool_t *pool)
{
    unsigned char point[] = {0};
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY_fromdata_init(context);
    EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(context);
    return kit_pkey(pool, pkey);
}

static void check_x5c(apr_pool_t *pool, EVP_PKEY *rsa)
{
    EVP_PKEY *p256 = kit_new_ec(pool, "P-256"), *weak = kit_new_rsa(pool, 1024);
    const json_t *bare = kit_json(pool, "{\"kty\":\"RSA\"}"), *jwk = kit_jwk(pool, rsa, 0);
    const json_t *bare_ec = kit_json(pool, "{\"kty\":\"EC\",\"crv\":\"P-256\"}");
    const char *mine = certificate(pool, rsa, 0), *ec = certificate(pool, p256, 0);
    taken(pool, with_json(pool, bare, "x5c", mine), "x5c alone");
    taken(pool, with_json(pool, bare_ec, "x5c", ec), "x5c alone, EC");
    taken(pool, with_json(pool, jwk, "x5c", mine), "x5c of the same key");
    const na_jwk *key = kit_key(pool, with_json(pool, bare, "x5c", mine));
    ok(EVP_PKEY_eq(key->pkey, rsa) == 1, "the key of x5c is the certificate's");
    refused(pool, with_json(pool, jwk, "x5c", certificate(pool, kit_new_rsa(pool, 2048), 0)),
            "not the same", "x5c of another key");
    refused(pool, with_json(pool, jwk, "x5c", ec), "not the same", "x5c of another type");
    refused(pool, with_json(pool, bare, "x5c", ec), "not that of", "kty is not x5c's");
    refused(pool, with(pool, with_json(pool, bare_ec, "x5c", ec), "crv", "P-384"), "not that of",
            "crv is not x5c's");
    refused(pool, with_json(pool, bare, "x5c", certificate(pool, weak, 0)), "1024 bits",
            "x5c of a weak key");
    refused(pool, with_json(pool, bare, "x5c", certificate(pool, rsa, 3)), "after the certificate",
            "x5c, a tail");
    refused(pool, with_json(pool, bare_ec, "x5c", certificate_by(pool, infinity(pool), rsa, 0)),
            "point is not valid", "x5c of the point at infinity");
    refused(pool, with_json(pool, bare, "x5c", "[]"), "not a list", "x5c, empty list");
    refused(pool, with_json(pool, bare, "x5c", "\"AAAA\""), "not a list", "x5c, no list");
    refused(pool, with_json(pool, bare, "x5c", "[\"\"]"), "not a list", "x5c, empty text");
    refused(pool, with_json(pool, bare, "x5c", "[\"A_-A\"]"), "not a list", "x5c, base64url");
    refused(pool, with_json(pool, bare, "x5c", "[\"AAAA\"]"), "x5c", "x5c, no certificate");
}

static void check_pem(apr_pool_t *pool, EVP_PKEY *rsa)
{
    const na_jwk *key;
    EVP_PKEY *p256 = kit_new_ec(pool, "P-256"), *ed = kit_new_ed25519(pool);
    EVP_PKEY *k1 = kit_new_ec(pool, "secp256k1");
    succeeds(na_jwk_from_pem(pool, kit_pem(pool, rsa, NULL), &key), "PEM, RSA");
    ok(key->kty == NA_KTY_RSA && !key->kid && !key->alg && !key->crv, "as an RSA key");
    succeeds(na_jwk_from_pem(pool, kit_pem(pool, p256, NULL), &key), "PEM, EC");
    is(key->crv, "P-256", "and its curve");
    succeeds(na_jwk_from_pem(pool, kit_pem(pool, ed, NULL), &key), "PEM, Ed25519");
    is(key->crv, "Ed25519", "and its curve");
    says(pool, na_jwk_from_pem(pool, kit_pem(pool, rsa, "secret"), &key), "encrypted",
         "PEM, encrypted");
    says(pool, na_jwk_from_pem(pool, kit_public_pem(pool, rsa), &key), "not PEM", "PEM, public");
    says(pool, na_jwk_from_pem(pool, "no PEM", &key), "not PEM", "no PEM");
    says(pool, na_jwk_from_pem(pool, kit_pem(pool, kit_new_rsa(pool, 1024), NULL), &key),
         "1024 bits", "PEM, weak");
    says(pool, na_jwk_from_pem(pool, kit_pem(pool, k1, NULL), &key), "unsupported",
         "PEM, different curves");
    is(na_jwk_from_pem(pool, "no PEM", &key)->code, NA_ERR_CONFIGURATION, "the code");
}

static void check_pem_set(apr_pool_t *pool, EVP_PKEY *rsa)
{
    const na_jwks *set;
    const char *one = kit_pem(pool, rsa, NULL), *thumbprint;
    const char *other = kit_pem(pool, kit_new_ec(pool, "P-256"), NULL);
    const char *both = apr_pstrcat(pool, one, other, NULL);
    succeeds(na_jwks_from_pem(pool, both, &set), "two private keys in one PEM text");
    is_number(set->count, 2, "both are there");
    is_number(set->keys[0]->kty, NA_KTY_RSA, "in their order");
    is_number(set->keys[1]->kty, NA_KTY_EC, "in their order");
    succeeds(na_jwk_thumbprint(pool, set->keys[1], &thumbprint), "a thumbprint");
    is(set->keys[1]->kid, thumbprint, "which is the kid");
    says(pool, na_jwks_from_pem(pool, kit_public_pem(pool, rsa), &set), "0 private keys",
         "a public key");
    says(pool, na_jwks_from_pem(pool, kit_pem(pool, rsa, "secret"), &set), "encrypted",
         "an encrypted one");
    const char *cut = apr_pstrcat(pool, one, strstr(other, "\n"), NULL);
    succeeds(na_jwks_from_pem(pool, cut, &set),
             "a key, and the rest of one without its first line");
    is_number(set->count, 1, "is one key");
    for (int i = 0; i < 8; i++)
        both = apr_pstrcat(pool, both, other, NULL);
    says(pool, na_jwks_from_pem(pool, both, &set), "10 private keys in PEM", "too many");
}

static void check_public(apr_pool_t *pool, const char *jwk, const char *expected, const char *name)
{
    const na_jwk *key;
    const char *thumbprint;
    json_t *json, *public;
    succeeds(na_json_parse(pool, NA_ERR_CONFIGURATION, jwk, strlen(jwk), &json), name);
    succeeds(na_jwk_parse(pool, json, &key), name);
    succeeds(na_jwk_public(pool, key, &public), name);
    json_object_del(json, "d");
    ok(json_equal(json, public), "%s: the public members alone", name);
    succeeds(na_jwk_thumbprint(pool, key, &thumbprint), name);
    if (expected)
        is(thumbprint, expected, name);
}

static void check_thumbprints(apr_pool_t *pool)
{
    check_public(
        pool,
        "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":"
        "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
        "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
        "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
        "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"}",
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "RFC 7638 section 3.1");
    check_public(pool,
                 "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                 "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
                 "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
                 "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "RFC 8037 appendix A.3");
    const json_t *p521 = kit_jwk(pool, kit_new_ec(pool, "P-521"), 1);
    check_public(pool, na_json_dump(pool, p521), NULL, "P-521");
}

static void check_set(apr_pool_t *pool, EVP_PKEY *rsa)
{
    const na_jwks *set;
    const json_t *one = with(pool, kit_jwk(pool, rsa, 0), "kid", "1"), *oct = kit_oct(pool, 32);
    const json_t *ec = with(pool, kit_jwk(pool, kit_new_ec(pool, "P-256"), 0), "kid", "1");
    const char *rsa_text = na_json_dump(pool, one), *oct_text = na_json_dump(pool, oct);
    const char *broken = na_json_dump(pool, with(pool, one, "e", "AR"));
    const char *unknown = "{\"kty\":\"AKP\",\"kid\":\"1\"}", *odd = "7";
#define JOIN(a, b) apr_pstrcat(pool, a, ",", b, NULL)
    is_number(kit_set(pool, one, ec)->count, 2, "one kid for two types");
    succeeds(parse_set(pool, JOIN(rsa_text, unknown), &set), "an unknown type beside a key");
    is_number(set->count, 1, "it is left out");
    succeeds(parse_set(pool, JOIN(odd, rsa_text), &set), "something that is no key");
    is_number(set->count, 1, "it is left out");
    says(pool, parse_set(pool, JOIN(rsa_text, oct_text), &set), "mixes", "a mixed set");
    says(pool, parse_set(pool, JOIN(oct_text, rsa_text), &set), "mixes", "a mixed set, turned");
    says(pool, parse_set(pool, JOIN(rsa_text, rsa_text), &set), "same \"kid\"", "one kid twice");
    says(pool, parse_set(pool, JOIN(rsa_text, broken), &set), "same \"kid\"", "of a broken key");
    says(pool, parse_set(pool, broken, &set), "no usable key", "no usable key");
    says(pool, parse_set(pool, "", &set), "empty", "an empty set");
    says(pool, na_jwks_parse(pool, "[]", 2, &set), "not a list", "a list");
    says(pool, na_jwks_parse(pool, "{\"keys\":{}}", 11, &set), "not a list", "keys is no list");
    says(pool, na_jwks_parse(pool, "{\"keys\":[],\"keys\":[]}", 21, &set), "not JSON",
         "keys twice");
    const char *many = "0";
    for (int i = 0; i < 256; i++)
        many = JOIN(many, "0");
    says(pool, parse_set(pool, many, &set), "too long", "257 keys");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    EVP_PKEY *rsa = kit_new_rsa(pool, 2048);
    check_rsa(pool, rsa);
    check_ec(pool, "P-256");
    check_ec(pool, "P-384");
    check_ec(pool, "P-521");
    check_okp(pool);
    check_oct(pool);
    check_members(pool, rsa);
    check_x5c(pool, rsa);
    check_pem(pool, rsa);
    check_pem_set(pool, rsa);
    check_thumbprints(pool);
    check_set(pool, rsa);
    return tap_done();
}
