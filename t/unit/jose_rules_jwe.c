/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwe.h"
#include "jose_kit.h"

/* Direct encryption: which tokens open, and which are refused. */

#define CLAIMS "{\"sub\":\"1\"}"

static const unsigned char secret[64] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDE";

typedef struct fixture {
    apr_pool_t *pool;
    const char *name;
    const na_jwe_key *key;
    const char *token;
} fixture;

static fixture make(apr_pool_t *pool, na_jwe_enc enc, int with_kid)
{
    fixture f = {pool, enc == NA_A256GCM ? "A256GCM" : "A256CBC-HS512", NULL, NULL};
    char *token;
    na_error *error = na_jwe_key_make(pool, enc, secret, with_kid, &f.key);
    if (!error)
        error = na_jwe_seal(pool, f.key, na_bytes_of(CLAIMS), &token);
    if (error)
        abort();
    f.token = token;
    return f;
}

static na_error *open_token(const fixture *f, const char *token)
{
    na_bytes plaintext;
    na_error *error = na_jwe_open(f->pool, &f->key, 1, token, strlen(token), &plaintext);
    if (error && !na_error_is(error, NA_ERR_SESSION))
        ok(0, "the public code is not that of a session");
    if (!error && strcmp((const char *)plaintext.data, CLAIMS) != 0)
        ok(0, "another plaintext");
    return error;
}

static void refused(const fixture *f, const char *token, const char *part, const char *name)
{
    says(f->pool, open_token(f, token), part, apr_pstrcat(f->pool, f->name, ": ", name, NULL));
}

static char **parts_of(apr_pool_t *pool, const char *token)
{
    char **parts = apr_pcalloc(pool, 5 * sizeof *parts);
    for (int i = 0; i < 5; i++) {
        apr_size_t len = strcspn(token, ".");
        parts[i] = apr_pstrndup(pool, token, len);
        token += len + 1;
    }
    return parts;
}

static const char *join(apr_pool_t *pool, char **parts)
{
    return apr_pstrcat(pool, parts[0], ".", parts[1], ".", parts[2], ".", parts[3], ".", parts[4],
                       NULL);
}

static const char *with_part(const fixture *f, int index, const char *part)
{
    char **parts = parts_of(f->pool, f->token);
    parts[index] = (char *)part;
    return join(f->pool, parts);
}

static const char *with_header(const fixture *f, const char *header)
{
    return with_part(f, 0, b64(f->pool, header));
}

/* One part of the token cut, or filled with zeros, to `len` bytes. */
static const char *with_length(const fixture *f, int index, apr_size_t len)
{
    const char *part = parts_of(f->pool, f->token)[index];
    apr_size_t have;
    unsigned char *bytes = na_base64url_decode(f->pool, part, strlen(part), &have);
    unsigned char *out = apr_pcalloc(f->pool, len + 1);
    memcpy(out, bytes, have < len ? have : len);
    return with_part(f, index, na_base64url_encode(f->pool, out, len));
}

static const char *with_bit(const fixture *f, int index, apr_size_t at)
{
    const char *part = parts_of(f->pool, f->token)[index];
    apr_size_t len;
    unsigned char *bytes = na_base64url_decode(f->pool, part, strlen(part), &len);
    bytes[at % len] ^= 1;
    return with_part(f, index, na_base64url_encode(f->pool, bytes, len));
}

static void check_shape(const fixture *f)
{
    apr_pool_t *pool = f->pool;
    int taken = 0;
    for (apr_size_t len = 0; len < strlen(f->token); len++)
        taken += !open_token(f, apr_pstrndup(pool, f->token, len));
    is_number(taken, 0, "no token that was cut short");
    succeeds(open_token(f, f->token), "the whole one");
    refused(f, apr_pstrcat(pool, f->token, ".", NULL), "five parts", "a sixth part");
    refused(f, strchr(f->token, '.') + 1, "five parts", "no header");
    refused(f, apr_pstrcat(pool, f->token, "=", NULL), "base64url", "padding");
    refused(f, apr_pstrcat(pool, f->token, "\n", NULL), "base64url", "a line end");
    refused(f, apr_pstrcat(pool, " ", f->token, NULL), "base64url", "a space before");
    refused(f, with_part(f, 1, "AAAA"), "encrypted key", "an encrypted key");
    refused(f, "{\"protected\":\"e30\"}", "five parts", "JSON");
    char *huge = apr_palloc(pool, NA_JWE_MAX + 2);
    memset(huge, 'A', NA_JWE_MAX + 1);
    huge[NA_JWE_MAX + 1] = '\0';
    refused(f, huge, "longer than", "too long");
    char **parts = parts_of(pool, f->token), *swap = parts[2];
    parts[2] = parts[3], parts[3] = swap;
    refused(f, join(pool, parts), "", "IV and ciphertext swapped");
    parts = parts_of(pool, f->token), swap = parts[3];
    parts[3] = parts[4], parts[4] = swap;
    refused(f, join(pool, parts), "", "ciphertext and tag swapped");
    for (int i = 2; i < 5; i++)
        for (apr_size_t at = 0; at < 32; at++)
            refused(f, with_bit(f, i, at), "does not match", "a bit turned");
}

/* 16 bytes are 22 characters, 32 are 43: the last has bits that must be zero. */
static void check_stray_bits(const fixture *f)
{
    char *token = apr_pstrdup(f->pool, f->token);
    token[strlen(token) - 1] += 1;
    refused(f, token, "base64url", "stray bits");
}

static void check_lengths(const fixture *f, apr_size_t tag, apr_size_t iv)
{
    static const apr_size_t lengths[] = {0, 1, 4, 8, 11, 12, 13, 15, 16, 17, 24, 31, 32, 33, 64};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        apr_size_t len = lengths[i];
        if (len != tag)
            refused(f, with_length(f, 4, len), "the tag's length",
                    apr_psprintf(f->pool, "a tag of %d bytes", (int)len));
        if (len != iv)
            refused(f, with_length(f, 2, len), "the IV's length",
                    apr_psprintf(f->pool, "an IV of %d bytes", (int)len));
    }
    refused(f, with_part(f, 3, ""), "does not match", "no ciphertext");
}

/* AES-256-GCM made here, so that header and IV can be anything. */
static const char *gcm_token(apr_pool_t *pool, const char *header, int iv_len, int tag_len)
{
    unsigned char iv[64] = {1}, out[64], tag[16];
    int len, ignored;
    const char *aad = b64(pool, header);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, NULL, NULL);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, iv_len, NULL);
    EVP_EncryptInit_ex(context, NULL, NULL, secret, iv);
    EVP_EncryptUpdate(context, NULL, &ignored, (const unsigned char *)aad, (int)strlen(aad));
    EVP_EncryptUpdate(context, out, &len, (const unsigned char *)CLAIMS, sizeof CLAIMS - 1);
    EVP_EncryptFinal_ex(context, out + len, &ignored);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_len, tag);
    EVP_CIPHER_CTX_free(context);
    return apr_pstrcat(pool, aad, "..", na_base64url_encode(pool, iv, (apr_size_t)iv_len), ".",
                       na_base64url_encode(pool, out, (apr_size_t)len), ".",
                       na_base64url_encode(pool, tag, (apr_size_t)tag_len), NULL);
}

static void check_gcm_header(const fixture *f)
{
    static const struct {
        const char *header, *part;
    } cases[] = {
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", NULL},
        {"{\"enc\":\"A256GCM\",\"alg\":\"dir\"}", NULL},
        {"{ \"alg\": \"dir\", \"enc\": \"A256GCM\", \"typ\": \"JWT\" }", NULL},
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"kid\":\"whatever\"}", NULL},
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"jku\":\"https://evil.example/\"}", NULL},
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"kid\":1}", "not a string"},
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"zip\":\"DEF\"}", "zip"},
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"crit\":[\"exp\"],\"exp\":1}", "crit"},
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"b64\":false}", "b64"},
        {"{\"alg\":\"dir\",\"alg\":\"dir\",\"enc\":\"A256GCM\"}", "not JSON"},
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"enc\":\"A256GCM\"}", "not JSON"},
        {"{\"alg\":\"none\",\"enc\":\"A256GCM\"}", "unsupported"},
        {"{\"alg\":\"A256KW\",\"enc\":\"A256GCM\"}", "unsupported"},
        {"{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\"}", "unsupported"},
        {"{\"alg\":[\"dir\"],\"enc\":\"A256GCM\"}", "not a string"},
        {"{\"alg\":\"dir\",\"enc\":256}", "not a string"},
        {"{\"alg\":\"dir\"}", "unsupported"},
        {"{\"enc\":\"A256GCM\"}", "unsupported"},
        {"{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}", "no key matches"},
        {"{\"alg\":\"dir\",\"enc\":\"A128CBC-HS256\"}", "no key matches"},
        {"{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", "no key matches"},
        {"{\"alg\":\"dir\",\"enc\":\"a256gcm\"}", "unsupported"},
        {"[\"dir\",\"A256GCM\"]", "not a JSON object"},
        {"", "not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *token = gcm_token(f->pool, cases[i].header, 12, 16);
        if (cases[i].part)
            refused(f, token, cases[i].part, cases[i].header);
        else
            succeeds(open_token(f, token), cases[i].header);
    }
    refused(f, gcm_token(f->pool, cases[0].header, 16, 16), "the IV's length", "a good IV of 16");
    refused(f, gcm_token(f->pool, cases[0].header, 8, 16), "the IV's length", "a good IV of 8");
    for (int len = 4; len < 16; len++)
        refused(f, gcm_token(f->pool, cases[0].header, 12, len), "the tag's length",
                "a good tag, cut");
}

static void check_keys(apr_pool_t *pool)
{
    unsigned char another[64] = "another";
    const na_jwe_key *keys[4];
    na_bytes plaintext;
    fixture gcm = make(pool, NA_A256GCM, 0), gcm_kid = make(pool, NA_A256GCM, 1);
    fixture cbc = make(pool, NA_A256CBC_HS512, 0), cbc_kid = make(pool, NA_A256CBC_HS512, 1);
#define OPEN(f, n) na_jwe_open(pool, keys, n, (f).token, strlen((f).token), &plaintext)
    succeeds(open_token(&gcm, gcm_kid.token), "a key made without kid takes any");
    succeeds(open_token(&gcm_kid, gcm.token), "a token without kid is tried with every key");
    succeeds(open_token(&cbc, cbc_kid.token), "the same, CBC");
    succeeds(open_token(&cbc_kid, cbc.token), "the same, CBC");
    refused(&gcm, cbc.token, "no key matches", "a token of another enc");
    refused(&cbc, gcm.token, "no key matches", "a token of another enc");
    refused(&gcm_kid,
            gcm_token(pool, "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"kid\":\"x\"}", 12, 16),
            "no key matches", "the right key, another kid");
    na_jwe_key_make(pool, NA_A256GCM, another, 0, &keys[0]);
    na_jwe_key_make(pool, NA_A256CBC_HS512, another, 1, &keys[1]);
    says(pool, OPEN(gcm, 2), "does not match", "another key");
    says(pool, OPEN(cbc, 2), "does not match", "another key, CBC");
    says(pool, OPEN(cbc_kid, 2), "no key matches", "another kid, CBC");
    says(pool, OPEN(gcm, 0), "no key matches", "no keys");
    keys[2] = gcm.key;
    keys[3] = cbc_kid.key;
    succeeds(OPEN(gcm, 4), "the third of four keys");
    succeeds(OPEN(gcm_kid, 4), "with a kid");
    succeeds(OPEN(cbc_kid, 4), "the fourth");
    succeeds(OPEN(cbc, 4), "without a kid");
}

static void check_seal(apr_pool_t *pool, na_jwe_enc enc)
{
    const fixture f = make(pool, enc, 1), again = make(pool, enc, 1);
    char *token, *big = apr_palloc(pool, NA_JWE_MAX + 1);
    na_bytes plaintext;
    ok(strcmp(f.token, again.token) != 0, "%s: sealed twice, another token", f.name);
    for (apr_size_t len = 0; len < 50; len++) {
        na_bytes text = {(const unsigned char *)"0123456789012345678901234567890123456789012345678",
                         len};
        if (na_jwe_seal(pool, f.key, text, &token) ||
            na_jwe_open(pool, &f.key, 1, token, strlen(token), &plaintext) ||
            plaintext.len != len || memcmp(plaintext.data, text.data, len) != 0 ||
            plaintext.data[len])
            ok(0, "%s: %d bytes do not come back", f.name, (int)len);
    }
    memset(big, 'x', NA_JWE_MAX + 1);
    for (apr_size_t len = NA_JWE_MAX / 4 * 3 - 250; len < NA_JWE_MAX / 4 * 3; len++) {
        na_error *error = na_jwe_seal(pool, f.key, (na_bytes){(unsigned char *)big, len}, &token);
        if (!error && na_jwe_open(pool, &f.key, 1, token, strlen(token), &plaintext))
            ok(0, "%s: what is sealed does not open", f.name);
    }
    big[NA_JWE_MAX] = '\0';
    says(pool, na_jwe_seal(pool, f.key, na_bytes_of(big), &token), "too long", "too long a text");
    big[NA_JWE_MAX / 4 * 3] = '\0';
    says(pool, na_jwe_seal(pool, f.key, na_bytes_of(big), &token), "too long", "with its header");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    fixture gcm = make(pool, NA_A256GCM, 0), cbc = make(pool, NA_A256CBC_HS512, 1);
    ok(strncmp(gcm.token, b64(pool, "{\"alg\":\"dir\",\"enc\":\"A256GCM\"}"), 39) == 0, "header");
    check_shape(&gcm);
    check_shape(&cbc);
    check_stray_bits(&gcm);
    check_stray_bits(&cbc);
    check_lengths(&gcm, 16, 12);
    check_lengths(&cbc, 32, 16);
    check_gcm_header(&gcm);
    refused(&cbc, with_header(&cbc, "{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}"),
            "does not match", "another header");
    check_keys(pool);
    check_seal(pool, NA_A256GCM);
    check_seal(pool, NA_A256CBC_HS512);
    return tap_done();
}
