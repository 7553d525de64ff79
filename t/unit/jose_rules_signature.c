/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_jws_kit.h"

/* Which bytes are a signature, and which keys make one. */

static void check_ecdsa(apr_pool_t *pool, const char *curve, const char *alg)
{
    EVP_PKEY *ec = kit_new_ec(pool, curve);
    const na_jwks *set = kit_set(pool, kit_jwk(pool, ec, 0), NULL);
    const char *token = sign(pool, kit_jwk(pool, ec, 1), alg);
    apr_size_t len, input_len = (apr_size_t)(signature_of(token) - token - 1);
    unsigned char *raw =
        na_base64url_decode(pool, signature_of(token), strlen(signature_of(token)), &len);
    unsigned char der[256], longer[256] = {0};
    size_t der_len = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, NULL, EVP_get_digestbyname(na_jws_digest(alg)), NULL, ec);
    EVP_DigestSign(context, der, &der_len, (const unsigned char *)token, input_len);
    EVP_MD_CTX_free(context);
    diag("%s", alg);
    memcpy(longer + 1, raw, len);
    refused(pool, with_bytes(pool, token, der, der_len), set, "not verify", "a DER signature");
    refused(pool, with_bytes(pool, token, raw, len - 1), set, "not verify", "a byte less");
    refused(pool, with_bytes(pool, token, longer + 1, len + 1), set, "not verify", "a byte more");
    refused(pool, with_bytes(pool, token, longer, len + 1), set, "not verify", "a zero before");
    refused(pool, with_bytes(pool, token, longer, len), set, "not verify", "moved by a byte");
    memset(longer, 0, sizeof longer);
    refused(pool, with_bytes(pool, token, longer, len), set, "not verify", "r = s = 0");
    refused(pool, with_bytes(pool, token, longer, 0), set, "not verify", "no signature");
}

static void check_rsa(apr_pool_t *pool, EVP_PKEY *rsa)
{
    const na_jwks *set = kit_set(pool, kit_jwk(pool, rsa, 0), NULL);
    const char *token = sign(pool, kit_jwk(pool, rsa, 1), "RS256");
    apr_size_t len;
    unsigned char longer[258] = {0};
    unsigned char *raw =
        na_base64url_decode(pool, signature_of(token), strlen(signature_of(token)), &len);
    memcpy(longer + 1, raw, len);
    refused(pool, with_bytes(pool, token, longer, len + 1), set, "not verify", "a zero before");
    refused(pool, with_bytes(pool, token, raw, len - 1), set, "not verify", "a byte less");
    refused(pool, with_bytes(pool, token, longer + 1, len + 1), set, "not verify", "a byte more");
}

/* A PSS signature that begins with zero is the same number without it, but not the same bytes. */
static void check_short_pss(apr_pool_t *pool, EVP_PKEY *rsa)
{
    const na_jwks *set = kit_set(pool, kit_jwk(pool, rsa, 0), NULL);
    const json_t *private = kit_jwk(pool, rsa, 1);
    for (int i = 0; i < 10000; i++) {
        apr_size_t len;
        const char *token = sign(pool, private, "PS256"), *text = signature_of(token);
        unsigned char *raw = na_base64url_decode(pool, text, strlen(text), &len);
        if (raw[0])
            continue;
        succeeds(verify(pool, token, set), "PS256 with a zero in front");
        refused(pool, with_bytes(pool, token, raw + 1, len - 1), set, "not verify", "cut off");
        return;
    }
    ok(0, "no PS256 signature with a zero in front");
}

static void check_sign(apr_pool_t *pool, EVP_PKEY *rsa)
{
    char *token;
    apr_size_t len;
    na_bytes payload = na_bytes_of("{}");
    EVP_PKEY *ec = kit_new_ec(pool, "P-256"), *ed = kit_new_ed25519(pool);
    const json_t *private = with(pool, kit_jwk(pool, ec, 1), "kid", "a \"b\"");
#define SIGN(jwk, alg) na_jws_sign(pool, kit_key(pool, jwk), alg, "JWT", payload, &token)
    fails(SIGN(kit_jwk(pool, rsa, 0), "RS256"), "a public RSA key does not sign");
    fails(SIGN(kit_jwk(pool, ec, 0), "ES256"), "nor an EC key");
    fails(SIGN(kit_jwk(pool, ed, 0), "EdDSA"), "nor an Ed25519 key");
    fails(SIGN(private, "ES384"), "nor a key on different curves");
    fails(SIGN(private, "none"), "nor with none");
    fails(SIGN(private, "ECDH-ES"), "nor with what is no signature");
    succeeds(SIGN(private, "ES256"), "a private key does");
    is((const char *)na_base64url_decode(pool, token, strcspn(token, "."), &len),
       "{\"alg\":\"ES256\",\"kid\":\"a \\\"b\\\"\",\"typ\":\"JWT\"}", "the header");
    succeeds(verify(pool, token, kit_set(pool, kit_jwk(pool, ec, 0), NULL)), "and it verifies");
    ok(na_jws_alg_known("PS384") && !na_jws_alg_known("none") && !na_jws_alg_known("RSA-OAEP"),
       "known algorithms");
    is(na_jws_digest("ES384"), "SHA384", "a digest");
    is(na_jws_digest("EdDSA"), "SHA512", "EdDSA's");
    is(na_jws_digest("ECDH-ES"), NULL, "none for what is no signature");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    EVP_PKEY *rsa = kit_new_rsa(pool, 2048);
    check_ecdsa(pool, "P-256", "ES256");
    check_ecdsa(pool, "P-384", "ES384");
    check_ecdsa(pool, "P-521", "ES512");
    check_rsa(pool, rsa);
    check_short_pss(pool, rsa);
    check_sign(pool, rsa);
    return tap_done();
}
