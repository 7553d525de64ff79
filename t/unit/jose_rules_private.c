/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/rsa.h>

#include "jose/jwe.h"
#include "jose/jwe_agree.h"
#include "jose/jwe_content.h"
#include "jose_kit.h"

/* What is encrypted to our private key: RSA-OAEP and ECDH-ES. */

#define CLAIMS "{\"sub\":\"1\"}"

static const char *const encs[] = {"A128GCM",       "A192GCM",       "A256GCM",
                                   "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"};

static na_error *open_token(apr_pool_t *pool, const json_t *jwk, const char *token)
{
    na_bytes plaintext;
    na_error *error =
        na_jwe_open_private(pool, kit_key(pool, jwk), token, strlen(token), &plaintext);
    if (error && !na_error_is(error, NA_ERR_OAUTH_CALLBACK))
        ok(0, "the public code is not that of a callback");
    if (!error && strcmp((const char *)plaintext.data, CLAIMS) != 0)
        ok(0, "another plaintext");
    return error;
}

/* The last three parts, with `cek`; the header's enc may be another than what is done. */
static const char *seal(apr_pool_t *pool, const char *header, const char *encrypted_key,
                        const char *enc, const unsigned char *cek)
{
    const na_content *content;
    na_sealed sealed = {.aad = na_bytes_of(b64(pool, header))};
    if (na_content_make(pool, NA_ERR_SESSION, na_enc_find(enc), cek, &content) ||
        !na_content_seal(pool, content, na_bytes_of(CLAIMS), &sealed))
        abort();
    return apr_pstrcat(pool, (const char *)sealed.aad.data, ".", encrypted_key, ".",
                       na_base64url_encode(pool, sealed.iv.data, sealed.iv.len), ".",
                       na_base64url_encode(pool, sealed.ciphertext.data, sealed.ciphertext.len),
                       ".", na_base64url_encode(pool, sealed.tag.data, sealed.tag.len), NULL);
}

static const unsigned char cek[64] = "a content encryption key";

/* `len` bytes of it, encrypted to `rsa`. */
static const char *wrap(apr_pool_t *pool, EVP_PKEY *rsa, int padding, const char *digest,
                        apr_size_t len)
{
    unsigned char out[512];
    size_t out_len = sizeof out;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(rsa, NULL);
    EVP_PKEY_encrypt_init(context);
    EVP_PKEY_CTX_set_rsa_padding(context, padding);
    if (padding == RSA_PKCS1_OAEP_PADDING)
        EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_get_digestbyname(digest));
    if (EVP_PKEY_encrypt(context, out, &out_len, cek, len) != 1)
        abort();
    EVP_PKEY_CTX_free(context);
    return na_base64url_encode(pool, out, out_len);
}

static const char *header_of(apr_pool_t *pool, const char *alg, const char *enc)
{
    return apr_psprintf(pool, "{\"alg\":\"%s\",\"enc\":\"%s\"}", alg, enc);
}

static const char *rsa_token(apr_pool_t *pool, EVP_PKEY *rsa, const char *alg, const char *enc)
{
    const char *digest = strcmp(alg, "RSA-OAEP") == 0 ? "SHA1" : "SHA256";
    const char *key = wrap(pool, rsa, RSA_PKCS1_OAEP_PADDING, digest, na_enc_find(enc)->key_len);
    return seal(pool, header_of(pool, alg, enc), key, enc, cek);
}

/* Whatever is wrong with the encrypted key, the answer is the one of a changed tag. */
static void check_no_oracle(apr_pool_t *pool, EVP_PKEY *rsa, const json_t *jwk)
{
    const int oaep = RSA_PKCS1_OAEP_PADDING;
    const char *header = header_of(pool, "RSA-OAEP-256", "A256GCM");
    char *zeros = na_base64url_encode(pool, apr_pcalloc(pool, 256), 256);
    struct {
        const char *key, *name;
    } cases[] = {
        {wrap(pool, rsa, oaep, "SHA1", 32), "wrapped with another hash"},
        {wrap(pool, rsa, RSA_PKCS1_PADDING, NULL, 32), "PKCS #1 v1.5"},
        {wrap(pool, rsa, oaep, "SHA256", 16), "a key too short for its enc"},
        {wrap(pool, rsa, oaep, "SHA256", 64), "a key too long for its enc"},
        {wrap(pool, rsa, oaep, "SHA256", 0), "no key in it"},
        {wrap(pool, kit_new_rsa(pool, 2048), oaep, "SHA256", 32), "wrapped to another key"},
        {zeros, "zeros"},
        {"", "nothing"},
        {"AAAA", "too short"},
        {apr_pstrcat(pool, zeros, "AA", NULL), "too long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        says(pool, open_token(pool, jwk, seal(pool, header, cases[i].key, "A256GCM", cek)),
             "JWE: the tag does not match", cases[i].name);
    /* A sender without the key knows only zeros: they must not be what a failure goes on with. */
    unsigned char nothing[64] = {0};
    says(pool, open_token(pool, jwk, seal(pool, header, zeros, "A256GCM", nothing)),
         "JWE: the tag does not match", "encrypted with zeros");
    header = header_of(pool, "RSA-OAEP-256", "A256CBC-HS512");
    says(pool, open_token(pool, jwk, seal(pool, header, zeros, "A256CBC-HS512", nothing)),
         "JWE: the tag does not match", "encrypted with zeros, CBC");
}

static void check_rsa(apr_pool_t *pool)
{
    EVP_PKEY *rsa = kit_new_rsa(pool, 2048);
    const json_t *jwk = kit_jwk(pool, rsa, 1);
    for (int i = 0; i < 6; i++) {
        succeeds(open_token(pool, jwk, rsa_token(pool, rsa, "RSA-OAEP", encs[i])), encs[i]);
        succeeds(open_token(pool, jwk, rsa_token(pool, rsa, "RSA-OAEP-256", encs[i])), encs[i]);
    }
    check_no_oracle(pool, rsa, jwk);
    const char *token = rsa_token(pool, rsa, "RSA-OAEP-256", "A256GCM");
    na_bytes plaintext;
    const na_jwk *pem;
    succeeds(na_jwk_from_pem(pool, kit_pem(pool, rsa, NULL), &pem), "the key as PEM");
    succeeds(na_jwe_open_private(pool, pem, token, strlen(token), &plaintext), "opens too");
    const na_jwk *oct = na_jwk_from_secret(pool, (na_bytes){cek, 32});
    says(pool, na_jwe_open_private(pool, oct, token, strlen(token), &plaintext),
         "cannot be used for", "a symmetric key");
    says(pool, open_token(pool, kit_jwk(pool, rsa, 0), token), "tag does not match",
         "a public key");
    says(pool, open_token(pool, with(pool, jwk, "alg", "RSA-OAEP"), token), "cannot be used for",
         "a key bound to RSA-OAEP");
    succeeds(open_token(pool, with(pool, jwk, "alg", "RSA-OAEP-256"), token), "bound to its alg");
    says(pool, open_token(pool, with(pool, jwk, "alg", "RS256"), token), "cannot be used for",
         "a key bound to RS256");
    says(pool, open_token(pool, with(pool, jwk, "use", "sig"), token), "cannot be used for",
         "a key for signatures");
    says(pool, open_token(pool, kit_jwk(pool, kit_new_ec(pool, "P-256"), 1), token),
         "cannot be used for", "an EC key");
    says(pool, open_token(pool, jwk, apr_pstrcat(pool, token, "=", NULL)), "base64url", "padding");
}

static void check_header(apr_pool_t *pool)
{
    static const struct {
        const char *header, *part;
    } cases[] = {
        {"{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"kid\":\"a\",\"cty\":\"JWT\"}", NULL},
        {"{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"kid\":\"b\"}", "another key, kid b"},
        {"{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"zip\":\"DEF\"}", "zip"},
        {"{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"crit\":[]}", "crit"},
        {"{\"alg\":\"RSA1_5\",\"enc\":\"A256GCM\"}", "unsupported"},
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", "unsupported"},
        {"{\"alg\":\"RS256\",\"enc\":\"A256GCM\"}", "unsupported"},
        {"{\"alg\":\"RSA-OAEP-512\",\"enc\":\"A256GCM\"}", "unsupported"},
        {"{\"alg\":\"RSA-OAEP-256\",\"enc\":\"none\"}", "unsupported"},
        {"{\"alg\":\"RSA-OAEP-256\"}", "unsupported"},
        {"{\"enc\":\"A256GCM\"}", "unsupported"},
        {"{\"alg\":1,\"enc\":\"A256GCM\"}", "not a string"},
        {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"}", "cannot be used for"},
    };
    EVP_PKEY *rsa = kit_new_rsa(pool, 2048);
    const json_t *jwk = with(pool, kit_jwk(pool, rsa, 1), "kid", "a");
    const char *key = wrap(pool, rsa, RSA_PKCS1_OAEP_PADDING, "SHA256", 32);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        na_error *error = open_token(pool, jwk, seal(pool, cases[i].header, key, "A256GCM", cek));
        if (cases[i].part)
            says(pool, error, cases[i].part, cases[i].header);
        else
            succeeds(error, cases[i].header);
    }
}

/*
 * A token to `ours` from a fresh key; `extra` is more of its header. Key agreement gives the same
 * from either side, so that what opens tokens makes them as well.
 */
static const char *agreed_token(apr_pool_t *pool, EVP_PKEY *ours, const char *curve,
                                const char *enc, const char *extra, const char *encrypted_key)
{
    unsigned char agreed[64];
    EVP_PKEY *fresh = kit_new_ec(pool, curve);
#define AGREED_HEADER(key)                                                                         \
    apr_pstrcat(pool, "{\"alg\":\"ECDH-ES\",\"enc\":\"", enc,                                      \
                "\",\"epk\":", na_json_dump(pool, kit_jwk(pool, key, 0)), extra, "}", NULL)
    const char *mirrored = AGREED_HEADER(ours), *header = AGREED_HEADER(fresh);
    na_error *error = na_jwe_agree(pool, kit_key(pool, kit_jwk(pool, fresh, 1)),
                                   kit_json(pool, mirrored), na_enc_find(enc), agreed);
    if (error)
        abort();
    return seal(pool, header, encrypted_key, enc, agreed);
}

static void check_curve(apr_pool_t *pool, const char *curve)
{
    EVP_PKEY *ours = kit_new_ec(pool, curve);
    const json_t *jwk = kit_jwk(pool, ours, 1);
    diag("%s", curve);
    for (int i = 0; i < 6; i++)
        succeeds(open_token(pool, jwk, agreed_token(pool, ours, curve, encs[i], "", "")), encs[i]);
    const char *parties = ",\"apu\":\"QWxpY2U\",\"apv\":\"Qm9i\"";
    succeeds(open_token(pool, jwk, agreed_token(pool, ours, curve, "A256GCM", parties, "")),
             "with apu and apv");
    says(pool, open_token(pool, jwk, agreed_token(pool, ours, curve, "A256GCM", "", "AAAA")),
         "encrypted key", "an encrypted key");
    says(pool,
         open_token(pool, with(pool, jwk, "use", "sig"),
                    agreed_token(pool, ours, curve, "A256GCM", "", "")),
         "cannot be used for", "a key for signatures");
}

static void refused_epk(apr_pool_t *pool, const json_t *jwk, const json_t *epk, const char *part,
                        const char *name)
{
    const char *header = apr_psprintf(pool, "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":%s}",
                                      epk ? na_json_dump(pool, epk) : "null");
    says(pool, open_token(pool, jwk, seal(pool, header, "", "A256GCM", cek)), part, name);
}

static void check_epk(apr_pool_t *pool)
{
    const json_t *jwk = kit_jwk(pool, kit_new_ec(pool, "P-256"), 1);
    const json_t *epk = kit_jwk(pool, kit_new_ec(pool, "P-256"), 0);
    const json_t *p384 = kit_jwk(pool, kit_new_ec(pool, "P-384"), 0);
    const json_t *okp = kit_jwk(pool, kit_new_ed25519(pool), 0);
    refused_epk(pool, jwk, epk, "tag does not match", "an epk of another token");
    refused_epk(pool, jwk, p384, "different curves", "an epk on different curves");
    refused_epk(pool, jwk, with(pool, epk, "y", na_json_string(epk, "x")), "EC key",
                "an epk off its curve");
    refused_epk(pool, jwk, with(pool, epk, "crv", "P-384"), "bytes instead of",
                "an epk that says different curves");
    refused_epk(pool, jwk, okp, "not an EC key", "an epk of another type");
    refused_epk(pool, jwk, NULL, "not an EC key", "no epk");
    refused_epk(pool, jwk, with(pool, epk, "x", NULL), "bytes instead of", "an epk without x");
    const char *header =
        apr_pstrcat(pool, "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"apu\":\"A\",\"epk\":",
                    na_json_dump(pool, epk), "}", NULL);
    says(pool, open_token(pool, jwk, seal(pool, header, "", "A256GCM", cek)), "\"apu\"",
         "an apu that is not base64url");
}

/* RFC 7518 appendix C. */
static void check_rfc7518(apr_pool_t *pool)
{
    const json_t *bob = kit_json(pool, "{\"kty\":\"EC\",\"crv\":\"P-256\","
                                       "\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
                                       "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\","
                                       "\"d\":\"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw\"}");
    const json_t *header =
        kit_json(pool,
                 "{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"apu\":\"QWxpY2U\",\"apv\":\"Qm9i\","
                 "\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
                 "\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\","
                 "\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\"}}");
    unsigned char derived[16];
    succeeds(na_jwe_agree(pool, kit_key(pool, bob), header, na_enc_find("A128GCM"), derived),
             "RFC 7518 appendix C");
    is(na_base64url_encode(pool, derived, 16), "VqqN6vgjbSBcIijNcacQGg", "its derived key");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    check_rsa(pool);
    check_header(pool);
    check_curve(pool, "P-256");
    check_curve(pool, "P-384");
    check_curve(pool, "P-521");
    check_epk(pool);
    check_rfc7518(pool);
    return tap_done();
}
