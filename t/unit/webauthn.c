/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/crypto.h"
#include "tap.h"
#include "webauthn/webauthn.h"

/*
 * An authenticator and a browser in a few lines, on OpenSSL alone: what it signs, libfido2 must
 * accept, and every forgery must be refused for its own reason.
 */

/* ── CBOR that is written ──────────────────────────────────────────────────────────────────── */

typedef struct buffer {
    unsigned char data[65536];
    apr_size_t len;
} buffer;

static void put(buffer *out, const void *data, apr_size_t len)
{
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void put_byte(buffer *out, int byte)
{
    out->data[out->len++] = (unsigned char)byte;
}

static void put_head(buffer *out, int major, apr_size_t number)
{
    if (number < 24) {
        put_byte(out, major << 5 | (int)number);
    } else if (number < 256) {
        put_byte(out, major << 5 | 24);
        put_byte(out, (int)number);
    } else {
        put_byte(out, major << 5 | 25);
        put_byte(out, (int)(number >> 8));
        put_byte(out, (int)number & 255);
    }
}

static void put_number(buffer *out, int number)
{
    put_head(out, number < 0, (apr_size_t)(number < 0 ? -1 - number : number));
}

static void put_bytes(buffer *out, const void *data, apr_size_t len)
{
    put_head(out, 2, len);
    put(out, data, len);
}

static void put_text(buffer *out, const char *text)
{
    put_head(out, 3, strlen(text));
    put(out, text, strlen(text));
}

/* ── the authenticator ─────────────────────────────────────────────────────────────────────── */

enum { UP = 1, UV = 4, BE = 8, BS = 16, AT = 64, ED = 128 };

typedef struct authenticator {
    int alg;
    EVP_PKEY *key;
} authenticator;

/* What is asked of it, and how it lies. */
typedef struct act {
    const char *type, *challenge, *origin, *rp_id, *more; /* `more` is JSON of the client data */
    int flags;
    unsigned counter;
    const char *format;
    int with_certificate;
    int cut, stray;      /* bytes of the authenticator data's end */
    int spoiled;         /* 1 if one bit of the signature is changed */
    const char *named;   /* the ID in the answer, instead of the credential's own */
    EVP_PKEY *signed_by; /* instead of the credential's key */
} act;

static const unsigned char credential_id[] = "a credential's own ID";
#define ID_LEN (sizeof credential_id - 1)

static authenticator new_authenticator(int alg)
{
    EVP_PKEY *key = alg == -7   ? EVP_EC_gen("P-256")
                    : alg == -8 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                : EVP_RSA_gen(2048);
    return (authenticator){alg, key};
}

static void put_big_number(buffer *out, const EVP_PKEY *key, const char *name, apr_size_t len)
{
    BIGNUM *number = NULL;
    unsigned char bytes[512];
    EVP_PKEY_get_bn_param(key, name, &number);
    BN_bn2binpad(number, bytes, (int)len);
    put_bytes(out, bytes, len);
    BN_free(number);
}

static void put_cose_key(buffer *out, const authenticator *a)
{
    unsigned char raw[32];
    size_t len = sizeof raw;
    put_head(out, 5, a->alg == -7 ? 5 : 4);
    put_number(out, 1);
    put_number(out, a->alg == -7 ? 2 : a->alg == -8 ? 1 : 3);
    put_number(out, 3);
    put_number(out, a->alg);
    put_number(out, -1);
    if (a->alg == -257) {
        put_big_number(out, a->key, "n", (apr_size_t)EVP_PKEY_get_size(a->key));
        put_number(out, -2);
        put_big_number(out, a->key, "e", 3);
        return;
    }
    put_number(out, a->alg == -7 ? 1 : 6);
    put_number(out, -2);
    if (a->alg == -8) {
        EVP_PKEY_get_raw_public_key(a->key, raw, &len);
        put_bytes(out, raw, len);
        return;
    }
    put_big_number(out, a->key, "qx", 32);
    put_number(out, -3);
    put_big_number(out, a->key, "qy", 32);
}

static void sign(EVP_PKEY *key, const buffer *data, const unsigned char hash[NA_SHA256_LEN],
                 buffer *signature)
{
    buffer *all = malloc(sizeof *all);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
    size_t len = sizeof signature->data;
    *all = *data;
    put(all, hash, NA_SHA256_LEN);
    EVP_DigestSignInit(context, NULL, digest, NULL, key);
    EVP_DigestSign(context, signature->data, &len, all->data, all->len);
    signature->len = len;
    EVP_MD_CTX_free(context);
    free(all);
}

static void put_data(buffer *out, const authenticator *a, const act *does)
{
    unsigned char hash[NA_SHA256_LEN];
    static const unsigned char aaguid[16];
    na_sha256(hash, na_bytes_of(does->rp_id), (na_bytes){NULL, 0});
    put(out, hash, sizeof hash);
    put_byte(out, does->flags);
    for (int shift = 24; shift >= 0; shift -= 8)
        put_byte(out, does->counter >> shift & 255);
    if (does->flags & AT) {
        put(out, aaguid, sizeof aaguid);
        put_byte(out, 0);
        put_byte(out, ID_LEN);
        put(out, credential_id, ID_LEN);
        put_cose_key(out, a);
    }
    if (does->flags & ED) {
        put_head(out, 5, 1);
        put_text(out, "credProps");
        put_byte(out, 0xf5);
    }
    out->len -= (apr_size_t)does->cut;
    for (int i = 0; i < does->stray; i++)
        put_byte(out, 0);
}

static void put_certificate(buffer *out, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    unsigned char der[2048], *end = der;
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    int len = i2d_X509(certificate, &end);
    put_text(out, "x5c");
    put_head(out, 4, 1);
    put_bytes(out, der, (apr_size_t)len);
    X509_free(certificate);
}

static void put_attestation(buffer *out, const authenticator *a, const act *does,
                            const buffer *data, const buffer *signature)
{
    int is_packed = strcmp(does->format, "packed") == 0;
    put_head(out, 5, 3);
    put_text(out, "fmt");
    put_text(out, does->format);
    put_text(out, "attStmt");
    put_head(out, 5, is_packed ? 2 + (apr_size_t)does->with_certificate : 0);
    if (is_packed) {
        put_text(out, "alg");
        put_number(out, does->with_certificate ? -7 : a->alg);
        put_text(out, "sig");
        put_bytes(out, signature->data, signature->len);
        if (does->with_certificate)
            put_certificate(out, does->signed_by);
    }
    put_text(out, "authData");
    put_bytes(out, data->data, data->len);
}

static na_bytes keep(apr_pool_t *pool, const buffer *from)
{
    return (na_bytes){apr_pmemdup(pool, from->data, from->len), from->len};
}

static na_webauthn_answer answer_of(apr_pool_t *pool, const authenticator *a, const act *does)
{
    static buffer data, signature, attestation;
    unsigned char hash[NA_SHA256_LEN];
    const char *client = apr_pstrcat(pool, "{\"type\":\"", does->type, "\",\"challenge\":\"",
                                     does->challenge, "\",\"origin\":\"", does->origin, "\"",
                                     does->more ? does->more : "", "}", NULL);
    data.len = signature.len = attestation.len = 0;
    na_sha256(hash, na_bytes_of(client), (na_bytes){NULL, 0});
    put_data(&data, a, does);
    sign(does->signed_by ? does->signed_by : a->key, &data, hash, &signature);
    if (does->spoiled)
        signature.data[signature.len - 1] ^= 1;
    put_attestation(&attestation, a, does, &data, &signature);
    na_bytes id = {credential_id, ID_LEN};
    return (na_webauthn_answer){.id = does->named ? na_bytes_of(does->named) : id,
                                .client_data = na_bytes_of(client),
                                .attestation = keep(pool, &attestation),
                                .authenticator_data = keep(pool, &data),
                                .signature = keep(pool, &signature)};
}

/* ── the site ──────────────────────────────────────────────────────────────────────────────── */

#define CHALLENGE "Y2hhbGxlbmdl"
#define ORIGIN "https://site.example"
#define RP_ID "site.example"

static na_webauthn_rp new_rp(apr_pool_t *pool, int verifies_users)
{
    apr_array_header_t *origins = apr_array_make(pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(origins, const char *) = "https://other.example";
    APR_ARRAY_PUSH(origins, const char *) = ORIGIN;
    return (na_webauthn_rp){RP_ID, origins, verifies_users};
}

static act registering(void)
{
    return (act){.type = "webauthn.create",
                 .challenge = CHALLENGE,
                 .origin = ORIGIN,
                 .rp_id = RP_ID,
                 .flags = UP | UV | AT,
                 .format = "none"};
}

static act authenticating(void)
{
    return (act){.type = "webauthn.get",
                 .challenge = CHALLENGE,
                 .origin = ORIGIN,
                 .rp_id = RP_ID,
                 .flags = UP | UV,
                 .format = "none"};
}

static na_error *do_register(apr_pool_t *pool, const authenticator *a, const act *does,
                             na_webauthn_credential *made, na_webauthn_use *use)
{
    const na_webauthn_rp rp = new_rp(pool, 1);
    const na_webauthn_answer answer = answer_of(pool, a, does);
    return na_webauthn_register(pool, &rp, CHALLENGE, &answer, made, use);
}

static na_error *do_authenticate(apr_pool_t *pool, const authenticator *a, const act *does,
                                 const na_webauthn_credential *known, na_webauthn_use *use)
{
    const na_webauthn_rp rp = new_rp(pool, 1);
    const na_webauthn_answer answer = answer_of(pool, a, does);
    return na_webauthn_authenticate(pool, &rp, CHALLENGE, &answer, known, use);
}

/* The reason must be the forgery's own: another one could hide that the check is missing. */
static void refuses(apr_pool_t *pool, const na_error *error, const char *why, const char *name)
{
    const char *text = error ? na_error_text(pool, error) : "accepted";
    ok(error && strcmp(error->code, NA_ERR_WEBAUTHN) == 0 && strstr(text, why), "%s is refused: %s",
       name, text);
}

/* ── what is right ─────────────────────────────────────────────────────────────────────────── */

static void works(apr_pool_t *pool, int alg, const char *name)
{
    authenticator a = new_authenticator(alg);
    na_webauthn_credential made;
    na_webauthn_use use;
    act does = registering();
    does.counter = 7;
    does.flags |= BE | BS | ED;
    succeeds(do_register(pool, &a, &does, &made, &use),
             apr_pstrcat(pool, name, ": registers", NULL));
    is(use.attestation, "none", "without an attestation");
    ok(use.is_verified && use.is_backed_up && made.is_synced && made.counter == 7,
       "flags and counter are read");
    ok(made.id.len == ID_LEN && memcmp(made.id.data, credential_id, ID_LEN) == 0, "and the ID");
    act again = authenticating();
    again.flags |= BE;
    again.counter = 8;
    succeeds(do_authenticate(pool, &a, &again, &made, &use), "signs in");
    ok(use.counter == 8 && !use.is_backed_up, "the new counter and state are read");
    does.format = "packed";
    succeeds(do_register(pool, &a, &does, &made, &use), "attests itself");
    is(use.attestation, "self", "which is said");
    does.spoiled = 1;
    refuses(pool, do_register(pool, &a, &does, &made, &use), "attestation's signature",
            "one bit of its attestation");
    again.counter = 9;
    again.spoiled = 1;
    refuses(pool, do_authenticate(pool, &a, &again, &made, &use), "signature is not valid",
            "one bit of its signature");
    EVP_PKEY_free(a.key);
}

static void has_certificates(apr_pool_t *pool)
{
    authenticator a = new_authenticator(-8), maker = new_authenticator(-7);
    na_webauthn_credential made;
    na_webauthn_use use;
    act does = registering();
    does.format = "packed";
    does.with_certificate = 1;
    does.signed_by = maker.key;
    succeeds(do_register(pool, &a, &does, &made, &use), "an attestation with a certificate");
    is(use.attestation, "packed", "which is said");
    does.spoiled = 1;
    refuses(pool, do_register(pool, &a, &does, &made, &use), "attestation's signature",
            "one that its certificate's key did not sign");
    EVP_PKEY_free(a.key);
    EVP_PKEY_free(maker.key);
}

/* ── forgeries ─────────────────────────────────────────────────────────────────────────────── */

static void client_data(apr_pool_t *pool, const authenticator *a,
                        const na_webauthn_credential *known)
{
    static const struct {
        const char *name, *why;
        act does;
    } rows[] = {
        {"a registration's answer", "of type webauthn.get", {.type = "webauthn.create"}},
        {"another challenge", "another challenge", {.challenge = "b3RoZXI"}},
        {"a challenge with more at its end", "another challenge", {.challenge = CHALLENGE "A"}},
        {"another origin", "another origin", {.origin = "https://evil.example"}},
        {"an origin that begins like ours", "another origin", {.origin = ORIGIN ".evil.example"}},
        {"another scheme", "another origin", {.origin = "http://site.example"}},
        {"a frame", "a frame", {.more = ",\"crossOrigin\":true"}},
        {"a frame's top", "a frame", {.more = ",\"topOrigin\":\"https://evil.example\""}},
        {"two origins", "invalid client data", {.more = ",\"origin\":\"https://evil.example\""}},
    };
    na_webauthn_use use;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        act does = authenticating();
        does.type = rows[i].does.type ? rows[i].does.type : does.type;
        does.challenge = rows[i].does.challenge ? rows[i].does.challenge : does.challenge;
        does.origin = rows[i].does.origin ? rows[i].does.origin : does.origin;
        does.more = rows[i].does.more;
        refuses(pool, do_authenticate(pool, a, &does, known, &use), rows[i].why, rows[i].name);
    }
    act does = authenticating();
    does.origin = "https://other.example";
    does.more = ",\"crossOrigin\":false,\"other_keys\":\"can be added\"";
    succeeds(do_authenticate(pool, a, &does, known, &use), "a related origin is accepted");
    refuses(pool,
            na_webauthn_authenticate(pool, &(na_webauthn_rp){RP_ID, new_rp(pool, 1).origins, 1},
                                     NULL,
                                     &(na_webauthn_answer){
                                         .client_data = na_bytes_of("{\"type\":\"webauthn.get\"}")},
                                     known, &use),
            "another challenge", "no challenge where none was asked for");
}

static void authenticator_data(apr_pool_t *pool, const authenticator *a,
                               const na_webauthn_credential *known)
{
    static const struct {
        const char *name, *why;
        const char *rp_id;
        int flags, cut, stray;
    } rows[] = {
        {"another RP ID", "another RP ID", "evil.example", UP | UV, 0, 0},
        {"a user who is not there", "flag UP", RP_ID, UV, 0, 0},
        {"a user who is not verified", "flag UV", RP_ID, UP, 0, 0},
        {"backed up, but cannot be", "flags BE, BS", RP_ID, UP | UV | BS, 0, 0},
        {"another backup eligibility", "otherwise than before", RP_ID, UP | UV | BE, 0, 0},
        {"a credential in an authentication", "flag AT", RP_ID, UP | UV | AT, 0, 0},
        {"one byte less", "is cut", RP_ID, UP | UV, 1, 0},
        {"one byte more", "bytes at its end", RP_ID, UP | UV, 0, 1},
        {"extensions that are missing", "invalid extensions", RP_ID, UP | UV | ED, 12, 0},
        {"extensions that are cut", "invalid extensions", RP_ID, UP | UV | ED, 1, 0},
    };
    na_webauthn_use use;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        act does = authenticating();
        does.rp_id = rows[i].rp_id;
        does.flags = rows[i].flags;
        does.cut = rows[i].cut;
        does.stray = rows[i].stray;
        refuses(pool, do_authenticate(pool, a, &does, known, &use), rows[i].why, rows[i].name);
    }
    const na_webauthn_rp rp = new_rp(pool, 0);
    act does = authenticating();
    does.flags = UP;
    const na_webauthn_answer answer = answer_of(pool, a, &does);
    succeeds(na_webauthn_authenticate(pool, &rp, CHALLENGE, &answer, known, &use),
             "without verification, where none is required");
    ok(!use.is_verified, "which is said");
}

static void signatures(apr_pool_t *pool, const authenticator *a,
                       const na_webauthn_credential *known)
{
    authenticator other = new_authenticator(-7);
    na_webauthn_use use;
    act does = authenticating();
    does.signed_by = other.key;
    refuses(pool, do_authenticate(pool, a, &does, known, &use), "signature is not valid",
            "another key's signature");
    act right = authenticating();
    const na_webauthn_rp rp = new_rp(pool, 1);
    na_webauthn_answer answer = answer_of(pool, a, &right);
    answer.client_data =
        na_bytes_of(apr_pstrcat(pool,
                                "{\"type\":\"webauthn.get\",\"challenge\":\"" CHALLENGE
                                "\",\"origin\":\"" ORIGIN "\" }",
                                NULL));
    refuses(pool, na_webauthn_authenticate(pool, &rp, CHALLENGE, &answer, known, &use),
            "signature is not valid", "client data that was changed");
    answer = answer_of(pool, a, &right);
    answer.signature.len = 0;
    refuses(pool, na_webauthn_authenticate(pool, &rp, CHALLENGE, &answer, known, &use),
            "signature is not valid", "no signature");
    EVP_PKEY_free(other.key);
}

static void counters(apr_pool_t *pool, const authenticator *a, na_webauthn_credential known)
{
    static const struct {
        unsigned known, said;
        int works;
    } rows[] = {{0, 0, 1}, {0, 5, 1}, {5, 6, 1}, {5, 0xffffffffu, 1},
                {5, 5, 0}, {5, 4, 0}, {5, 0, 0}, {0xffffffffu, 0, 0}};
    na_webauthn_use use;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        act does = authenticating();
        const char *name = apr_psprintf(pool, "counter %u after %u", rows[i].said, rows[i].known);
        does.counter = rows[i].said;
        known.counter = rows[i].known;
        na_error *error = do_authenticate(pool, a, &does, &known, &use);
        if (rows[i].works)
            succeeds(error, name);
        else
            refuses(pool, error, "there might be a copy", name);
    }
}

static void registrations(apr_pool_t *pool, const authenticator *a)
{
    na_webauthn_credential made;
    na_webauthn_use use;
    act does = registering();
    does.type = "webauthn.get";
    refuses(pool, do_register(pool, a, &does, &made, &use), "type webauthn.create",
            "a registration by an authentication");
    does = registering();
    does.flags = UP | UV;
    refuses(pool, do_register(pool, a, &does, &made, &use), "flag AT", "no credential");
    does = registering();
    does.named = "another";
    refuses(pool, do_register(pool, a, &does, &made, &use), "names another", "another ID");
    does = registering();
    does.format = "fido-u2f";
    refuses(pool, do_register(pool, a, &does, &made, &use), "neither format", "another format");
    does = registering();
    does.cut = 3;
    refuses(pool, do_register(pool, a, &does, &made, &use), "not a map", "a key that is cut");
    authenticator large = {-257, EVP_RSA_gen(1024)};
    does = registering();
    refuses(pool, do_register(pool, &large, &does, &made, &use), "not a valid one",
            "RSA with 1024 bits");
    EVP_PKEY_free(large.key);
}

/* Every prefix, and every byte changed, of an attestation object. */
static void garbage(apr_pool_t *pool, const authenticator *a)
{
    const na_webauthn_rp rp = new_rp(pool, 1);
    na_webauthn_credential made;
    na_webauthn_use use;
    act does = registering();
    does.format = "packed";
    const na_webauthn_answer right = answer_of(pool, a, &does);
    int accepted = 0;
    for (apr_size_t len = 0; len < right.attestation.len; len++) {
        na_webauthn_answer answer = right;
        answer.attestation.len = len;
        accepted += !na_webauthn_register(pool, &rp, CHALLENGE, &answer, &made, &use);
    }
    is_number(accepted, 0, "no attestation object that is cut is accepted");
    for (apr_size_t at = 0; at < right.attestation.len; at++) {
        na_webauthn_answer answer = right;
        unsigned char *bytes = apr_pmemdup(pool, right.attestation.data, right.attestation.len);
        bytes[at] ^= 0x15;
        answer.attestation.data = bytes;
        accepted += !na_webauthn_register(pool, &rp, CHALLENGE, &answer, &made, &use);
    }
    is_number(accepted, 0, "nor one with any byte changed");
}

/* Lengths that only a decoder that allocates would believe. */
static void hostile_cbor(apr_pool_t *pool, const authenticator *a)
{
    static const struct {
        const char *name, *bytes;
        apr_size_t len;
    } rows[] = {
        {"nothing", "", 0},
        {"a map of 2^63 pairs", "\xbb\x80\0\0\0\0\0\0\0", 9},
        {"a map of 2^31 pairs", "\xba\x7f\xff\xff\xff\xa0", 6},
        {"an array of 2^32 items", "\x9b\0\0\0\1\0\0\0\0", 9},
        {"bytes of 2^64 - 1", "\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9},
        {"a text of 2^31", "\x7a\x80\0\0\0", 5},
        {"a map without an end", "\xbf\x61\x61\x01\xff", 5},
        {"a tag", "\xc1\xa0", 2},
        {"a number with a fraction", "\xfb\0\0\0\0\0\0\0\0", 9},
        {"an end alone", "\xff", 1},
    };
    const na_webauthn_rp rp = new_rp(pool, 1);
    na_webauthn_credential made;
    na_webauthn_use use;
    act does = registering();
    na_webauthn_answer answer = answer_of(pool, a, &does);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        answer.attestation = (na_bytes){(const unsigned char *)rows[i].bytes, rows[i].len};
        refuses(pool, na_webauthn_register(pool, &rp, CHALLENGE, &answer, &made, &use),
                "invalid attestation object", rows[i].name);
    }
    unsigned char *deep = memset(apr_palloc(pool, 16000), 0x81, 16000);
    answer.attestation = (na_bytes){deep, 16000};
    refuses(pool, na_webauthn_register(pool, &rp, CHALLENGE, &answer, &made, &use),
            "invalid attestation object", "16,000 arrays in each other");
    answer.attestation = (na_bytes){apr_pcalloc(pool, 1 << 20), 1 << 20};
    refuses(pool, na_webauthn_register(pool, &rp, CHALLENGE, &answer, &made, &use),
            "invalid attestation object", "a megabyte");
    buffer *twice = calloc(1, sizeof *twice);
    act packed = registering();
    const na_webauthn_answer right = answer_of(pool, a, &packed);
    put_head(twice, 5, 4);
    put(twice, right.attestation.data + 1, right.attestation.len - 1);
    put_text(twice, "fmt");
    put_text(twice, "none");
    answer.attestation = keep(pool, twice);
    refuses(pool, na_webauthn_register(pool, &rp, CHALLENGE, &answer, &made, &use),
            "invalid attestation object", "a member that is there twice");
    free(twice);
}

/* ── the JSON ──────────────────────────────────────────────────────────────────────────────── */

static void json(apr_pool_t *pool)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "null",
        "{\"id\":1}",
        "{\"id\":\"YQ\",\"type\":\"public-key\",\"response\":{\"clientDataJSON\":\"YQ\"}}",
        "{\"id\":\"YQ==\",\"type\":\"public-key\",\"response\":{\"clientDataJSON\":\"YQ\","
        "\"attestationObject\":\"YQ\"}}",
        "{\"id\":\"YQ\",\"type\":\"password\",\"response\":{\"clientDataJSON\":\"YQ\","
        "\"attestationObject\":\"YQ\"}}",
        "{\"id\":\"YQ\",\"type\":\"public-key\",\"response\":{\"clientDataJSON\":\"YQ\","
        "\"authenticatorData\":\"YQ\"}}"};
    na_webauthn_answer answer;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        fails(na_webauthn_parse(pool, wrong[i], &answer), wrong[i]);
    succeeds(na_webauthn_parse(pool,
                               "{\"id\":\"YWI\",\"type\":\"public-key\",\"response\":{"
                               "\"clientDataJSON\":\"eyJjaGFsbGVuZ2UiOiJ4In0\","
                               "\"attestationObject\":\"YQ\",\"transports\":[\"internal\",\"usb\","
                               "\"<b>\",1]}}",
                               &answer),
             "a registration");
    is(answer.transports, "internal,usb", "transports are names alone");
    is(na_webauthn_challenge(pool, &answer), "x", "the challenge that it claims");
    ok(answer.id.len == 2 && answer.attestation.len == 1, "the rest is decoded");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    if (!na_webauthn_is_here())
        skip_all("this build has no passkeys: install libfido2-dev");
    works(pool, -7, "ES256");
    works(pool, -8, "EdDSA");
    works(pool, -257, "RS256");
    has_certificates(pool);

    authenticator a = new_authenticator(-7);
    na_webauthn_credential known;
    na_webauthn_use use;
    act does = registering();
    succeeds(do_register(pool, &a, &does, &known, &use), "a passkey to forge");
    client_data(pool, &a, &known);
    authenticator_data(pool, &a, &known);
    signatures(pool, &a, &known);
    counters(pool, &a, known);
    registrations(pool, &a);
    garbage(pool, &a);
    hostile_cbor(pool, &a);
    json(pool);
    EVP_PKEY_free(a.key);
    return tap_done();
}
