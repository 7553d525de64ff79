/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of clients that have the key of their access token (RFC 9449, DPoP). */
#include "oauth/dpop_proof.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "jose/compact.h"
#include "jose/jwk_public.h"
#include "jose/jws.h"
#include "oauth/issuer.h"

/* Section 11.1: what a server remembers must not grow with what a client sends. */
#define ID_MAX 256

static na_error *refuse(apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_SESSION, "DPoP proof refused: %s", why);
}

/* ── the key ───────────────────────────────────────────────────────────────────────────────── */

/* Section 4.3 item 7. A private or symmetric key proves nothing: others have it. */
static int is_public(const json_t *jwk)
{
    static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < sizeof private_members / sizeof *private_members; i++)
        if (json_object_get(jwk, private_members[i]))
            return 0;
    return 1;
}

static na_error *read_key(apr_pool_t *pool, const na_jws *jws, const na_jwk **key)
{
    const json_t *header;
    NA_TRY(na_jose_header(pool, NA_ERR_SESSION, jws->parts[NA_JWS_HEADER], &header));
    const json_t *jwk = json_object_get(header, "jwk");
    if (!json_is_object(jwk) || !is_public(jwk))
        return refuse(pool, "jwk is not a public key");
    na_error *error = na_jwk_parse(pool, jwk, key);
    return error ? na_error_wrap(pool, error, NA_ERR_SESSION, "DPoP proof refused: invalid jwk")
                 : NULL;
}

/* Item 12: the key is the one that the token is bound to (section 6.1). */
static na_error *check_key(apr_pool_t *pool, const na_jwk *key, const char *thumbprint)
{
    const char *own;
    NA_TRY(na_jwk_thumbprint(pool, key, &own));
    return na_equal_secret(own, thumbprint) ? NULL
                                            : refuse(pool, "the token is bound to another key");
}

/* ── the request ───────────────────────────────────────────────────────────────────────────── */

static int is_unreserved(int c)
{
    return isalnum(c) || (c && strchr("-._~", c));
}

static int hex_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* RFC 3986 sections 6.2.2 and 6.2.3: one spelling of a path, without query and fragment. */
static const char *one_path(apr_pool_t *pool, const char *path)
{
    size_t len = strcspn(path, "?#");
    char *copy = apr_palloc(pool, len + 2), *out = copy;
    if (!len)
        return "/";
    for (const char *p = path; p < path + len;) {
        int high = *p == '%' ? hex_of(p[1]) : -1, low = high < 0 ? -1 : hex_of(p[2]);
        if (low < 0) {
            *out++ = *p++;
            continue;
        }
        if (is_unreserved(high * 16 + low)) {
            *out++ = (char)(high * 16 + low);
        } else {
            *out++ = '%';
            *out++ = (char)toupper((unsigned char)p[1]);
            *out++ = (char)toupper((unsigned char)p[2]);
        }
        p += 3;
    }
    *out = '\0';
    return copy;
}

static int is_same_target(apr_pool_t *pool, const char *one, const char *other)
{
    na_url a, b;
    return one && na_url_parse(pool, one, &a) && na_url_parse(pool, other, &b) &&
           strcmp(a.origin, b.origin) == 0 &&
           strcmp(one_path(pool, a.path), one_path(pool, b.path)) == 0;
}

static int is_of_token(apr_pool_t *pool, const char *ath, const char *access_token)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(access_token), (na_bytes){0});
    return na_equal_secret(na_base64url_encode(pool, hash, sizeof hash), ath);
}

/* Section 4.3 items 8 to 12. */
static na_error *check_claims(apr_pool_t *pool, const json_t *claims, const na_dpop_use *use,
                              na_dpop_proof *proof)
{
    const char *method = na_json_string(claims, "htm");
    json_int_t iat, now = apr_time_sec(use->now);
    proof->id = na_json_string(claims, "jti");
    proof->nonce = na_json_string(claims, "nonce");
    if (!proof->id || !*proof->id || strlen(proof->id) > ID_MAX)
        return refuse(pool, "it has no jti, or a long one");
    if (!method || strcmp(method, use->method) != 0)
        return refuse(pool, "htm is not the method of the request");
    if (!is_same_target(pool, na_json_string(claims, "htu"), use->url))
        return refuse(pool, "htu is not the URL of the request");
    if (!na_json_number(claims, "iat", &iat) || iat < now - use->tolerance ||
        iat > now + use->tolerance)
        return refuse(pool, "iat is not now: check the clocks");
    return is_of_token(pool, na_json_string(claims, "ath"), use->access_token)
               ? NULL
               : refuse(pool, "ath does not match the access token");
}

/* ── the whole ─────────────────────────────────────────────────────────────────────────────── */

static na_error *verify_signature(apr_pool_t *pool, const char *text, const char *thumbprint,
                                  na_jws *jws)
{
    const na_jwk *key;
    const na_jwks keys = {&key, 1};
    NA_TRY(na_jws_read(pool, text, strlen(text), jws));
    if (!jws->typ || strcasecmp(jws->typ, "dpop+jwt") != 0)
        return refuse(pool, "its type is not dpop+jwt");
    NA_TRY(read_key(pool, jws, &key));
    NA_TRY(check_key(pool, key, thumbprint));
    return na_jws_verify(pool, jws, &keys, na_issuer_default_algs);
}

na_error *na_dpop_verify(apr_pool_t *pool, const char *text, const na_dpop_use *use,
                         na_dpop_proof *proof)
{
    na_jws jws;
    json_t *claims;
    na_error *error = verify_signature(pool, text, use->thumbprint, &jws);
    if (!error)
        error = na_json_parse(pool, NA_ERR_SESSION, (const char *)jws.payload.data, jws.payload.len,
                              &claims);
    if (error)
        return na_error_wrap(pool, error, NA_ERR_SESSION, "invalid DPoP proof");
    return check_claims(pool, claims, use, proof);
}
