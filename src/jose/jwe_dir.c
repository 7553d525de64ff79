/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypts and decrypts JWE with a symmetric key. */
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "jose/compact.h"
#include "jose/jwe.h"
#include "jose/jwe_content.h"

struct na_jwe_key {
    const na_content *content;
    const char *kid; /* NULL if there is none */
    na_bytes header; /* encoded, as it is written */
};

/* RFC 7638 over {"k","kty"}: the text contains the key, and is wiped. */
static const char *thumbprint(apr_pool_t *pool, const char *digest, const unsigned char *key,
                              apr_size_t key_len)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_len;
    char *k = na_base64url_encode(pool, key, key_len);
    char *text = apr_pstrcat(pool, "{\"k\":\"", k, "\",\"kty\":\"oct\"}", NULL);
    int hashed =
        EVP_Digest(text, strlen(text), hash, &hash_len, EVP_get_digestbyname(digest), NULL);
    na_wipe(k, strlen(k));
    na_wipe(text, strlen(text));
    return hashed ? na_base64url_encode(pool, hash, hash_len) : NULL;
}

static na_bytes encode_header(apr_pool_t *pool, const na_enc *enc, const char *kid)
{
    const char *text =
        apr_pstrcat(pool, "{\"alg\":\"dir\",\"enc\":\"", enc->name, "\"", kid ? ",\"kid\":\"" : "",
                    kid ? kid : "", kid ? "\"}" : "}", NULL);
    return na_bytes_of(na_base64url_encode(pool, text, strlen(text)));
}

na_error *na_jwe_key_make(apr_pool_t *pool, na_jwe_enc enc, const unsigned char *key, int with_kid,
                          const na_jwe_key **made)
{
    na_jwe_key *result = apr_pcalloc(pool, sizeof *result);
    const na_enc *found = na_enc_find(enc == NA_A256GCM ? "A256GCM" : "A256CBC-HS512");
    NA_TRY(na_content_make(pool, NA_ERR_CONFIGURATION, found, key, &result->content));
    if (with_kid) {
        const char *digest = enc == NA_A256GCM ? "SHA256" : "SHA512";
        result->kid = thumbprint(pool, digest, key, found->key_len);
        if (!result->kid)
            return na_error_new(pool, NA_ERR_CONFIGURATION, "thumbprint: %s",
                                na_openssl_error(pool));
    }
    result->header = encode_header(pool, found, result->kid);
    *made = result;
    return NULL;
}

na_error *na_jwe_seal(apr_pool_t *pool, const na_jwe_key *key, na_bytes plaintext, char **token)
{
    na_sealed sealed = {.aad = key->header};
    if (plaintext.len > NA_JWE_MAX)
        return na_error_new(pool, NA_ERR_SESSION, "JWE: the content is too long");
    if (!na_content_seal(pool, key->content, plaintext, &sealed))
        return na_error_new(pool, NA_ERR_SESSION, "JWE: could not encrypt: %s",
                            na_openssl_error(pool));
    char *made =
        apr_pstrcat(pool, (const char *)key->header.data, "..",
                    na_base64url_encode(pool, sealed.iv.data, sealed.iv.len), ".",
                    na_base64url_encode(pool, sealed.ciphertext.data, sealed.ciphertext.len), ".",
                    na_base64url_encode(pool, sealed.tag.data, sealed.tag.len), NULL);
    if (strlen(made) > NA_JWE_MAX)
        return na_error_new(pool, NA_ERR_SESSION, "JWE: the content is too long");
    *token = made;
    return NULL;
}

/* Returns 1 if the header is byte for byte the one that this key writes, and need not be parsed. */
static int header_is_ours(const na_jwe_key *key, na_bytes header)
{
    return header.len == key->header.len && memcmp(header.data, key->header.data, header.len) == 0;
}

typedef struct dir_header {
    const na_enc *enc;
    const char *kid;
} dir_header;

static na_error *read_header(apr_pool_t *pool, na_bytes part, dir_header *header)
{
    const json_t *json;
    const char *alg, *enc;
    NA_TRY(na_jose_header(pool, NA_ERR_SESSION, part, &json));
    NA_TRY(na_jose_string(pool, NA_ERR_SESSION, json, "alg", &alg));
    NA_TRY(na_jose_string(pool, NA_ERR_SESSION, json, "enc", &enc));
    NA_TRY(na_jose_string(pool, NA_ERR_SESSION, json, "kid", &header->kid));
    header->enc = na_enc_find(enc);
    if (!alg || strcmp(alg, "dir") != 0 || !header->enc)
        return na_error_new(pool, NA_ERR_SESSION, "JWE: unsupported \"alg\" or \"enc\"");
    return NULL;
}

static int header_fits(const na_jwe_key *key, const dir_header *header)
{
    if (na_content_enc(key->content) != header->enc)
        return 0;
    return !header->kid || !key->kid || strcmp(header->kid, key->kid) == 0;
}

na_error *na_jwe_open(apr_pool_t *pool, const na_jwe_key *const *keys, int key_count,
                      const char *token, apr_size_t token_len, na_bytes *plaintext)
{
    na_bytes parts[NA_JWE_PARTS];
    na_sealed sealed;
    dir_header header;
    const char *reason = "no key matches its \"enc\" and \"kid\"";
    NA_TRY(na_jwe_split(pool, NA_ERR_SESSION, token, token_len, parts, &sealed));
    if (parts[NA_JWE_KEY].len)
        return na_error_new(pool, NA_ERR_SESSION, "JWE: an encrypted key with direct encryption");
    for (int i = 0; i < key_count; i++) {
        if (!header_is_ours(keys[i], sealed.aad))
            continue;
        reason = na_content_open(pool, keys[i]->content, &sealed, plaintext);
        if (!reason)
            return NULL;
    }
    NA_TRY(read_header(pool, sealed.aad, &header));
    for (int i = 0; i < key_count; i++) {
        if (header_is_ours(keys[i], sealed.aad) || !header_fits(keys[i], &header))
            continue;
        reason = na_content_open(pool, keys[i]->content, &sealed, plaintext);
        if (!reason)
            return NULL;
    }
    return na_error_new(pool, NA_ERR_SESSION, "JWE: %s", reason);
}
