/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "jose/jwe.h"
#include "tap.h"

/* Tokens that NextAuth made: v4 (A256GCM) and v5 (A256CBC-HS512), and what they say. */

typedef struct vector {
    const char *name;
    const char *secret;
    const char *salt;
    const char *key; /* hex */
    const char *kid;
    const char *token;
    const char *claims;
} vector;

/* clang-format off */
static const vector known[] = {
    {"v4.1", "mod_nextauth-vector-secret-number-one-32b+", "", "b7ece18b176a371c7156df1f47d03a6014d510035e95261d45399d1607893a92", NULL, "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..WtU2U27pDe3ThIEC.ynAwa-BY2P9O-XkDS8f3pLDNfK8L49Z_P59VvmNmIAIqOZqZX7Filb3BjXNQNtfqnF_N4giiWFBH6owCRMS9RX7wNxVBV0-ICacFMc91M6WLKH4XVahxpyuzSqqpm2wX2ZzR3R5_3R7ZyTp-CW8ORNa9w8v0PuMLzfhK7aXJt9mk7vDlVRiNktQTjrjJb9SdMIfKES6X1nnhJg.HnpsXX69jVBnyEZwwo7vag", "{\"name\":\"Ada Lovelace\",\"email\":\"ada@example.org\",\"picture\":null,\"sub\":\"42\",\"iat\":1780000000,\"exp\":1782592000,\"jti\":\"0977dccd-f48d-4854-b4ee-c4e2b85cf8f0\"}"},
    {"v4.2", "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG0=", "", "c53c467bc353655f5d9176f9890dcf5b07214ad70c668b7b898f845cc8e0e0e8", NULL, "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0.._3Bh7pmWfnZvZjwo.NLId8ASfJBAMup_bAs821-gboKOQkFrBQyA1MU4Kma7OIa8PC6F0ABz7ebvQblvp2iTlW-OnDWgqnv5C-pCsTO6_Af7c7VUvUKxUSwFdR18vuINg7l38YOMUlFH8E23zUxF-H7yKuBAdx0Qw1PY35D_zCSyH1cy81CMn9mf1hXssWqYZtUQvCqwJgMBmO3dLYJr2qRWpghYg8SgYSGUrS8JjcNi_7ihqL84q8bdy_lsvUNZ3WugXAFRujgcETX6hV5lMKrokYK0WYeamNksxyhHMklIewGRfDWZhGyVs4JtM4LOUpZb98EUP_ZKUCHtugdIIQTW_YLvxXzcr_6o3n-_7yRwMcHTm9W0vRoG9kgDBKfq_Dw.RUw3DodmWWBl4q32czu-2g", "{\"name\":\"Zoë “Q” Müller 😀\",\"email\":\"zoe@example.org\",\"picture\":\"https://cdn.example.org/z.png?s=96&v=1\",\"sub\":\"cmb1v5x8k0000v8l4d2h3q9aa\",\"role\":\"admin\",\"roles\":[\"a\",\"b\"],\"n\":1.5,\"ok\":true,\"iat\":1780000000,\"exp\":1780604800,\"jti\":\"a233f077-a227-48aa-a2f2-253e065534a2\"}"},
    {"v4.3", "pässwörd – 秘密 – long enough for a secret", "next-auth.state", "85934566d2da59c54d20220b3b47ccde34196d8ca4e79bf537a07af12cde8e6c", NULL, "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..eLEjZoBiYuGZzLTe.Yvpr2eYi8Fcd2JWNXsId9mYeLcvB9SA4R2a6MTCoH1ESNJvFm1hKj_3KOQ5ZP5ipG6ZclNqjIpBw-tRCkuskXDmEtxpoYZ1HR3Oxugidy1rTI4N1vkSuvuMRGADvM8xSkMUgt31bIR03RSCYJTOnGj1zjIsxItCUU3iZx9zYt0vLbHeYKFT77ifqV76dQ15A4Rcm4BXtFchL9Q.KBerX2Oq6tWJbgoINBKUjA", "{\"value\":\"q2yY0mZ1uPj8b3Jc7w5nXK0H5R1d2f3g4h5j6k7l8m9\",\"provider\":\"github\",\"iat\":1780000000,\"exp\":1780000900,\"jti\":\"03cf51b0-df45-4672-8d68-f2b1e08906d1\"}"},
    {"v5.1", "mod_nextauth-vector-secret-number-one-32b+", "authjs.session-token", "ada42880b49b72c3b448244b6f6aaf0e4087707684a916588e73ca9761de2bcf73627809cad5e72f9b30d0df0096d41f5c4695a8de83c7a05e628dde0d7b1313", "xnCtuErYZJFBPYLDQaOS68_UJPn4Xq30FvOwBNstO7dk-i-ZauBnIQj8yBkmAT0Lgd3sfI2rfNDoQ-ktRaWWLQ", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoieG5DdHVFcllaSkZCUFlMRFFhT1M2OF9VSlBuNFhxMzBGdk93Qk5zdE83ZGstaS1aYXVCbklRajh5QmttQVQwTGdkM3NmSTJyZk5Eb1Eta3RSYVdXTFEifQ..tjy75P9CR5Ob7Es9pYd8jQ.E5kpweKd2y0oVCBZ-TPzU5ejuXVOY8qZggH-mlbhX1Pks0_qhvZY-L9tFZd8mOXUG89U0LTlKd829FNsIrr14wsZx1r3Mdc6m3nkZnpPoSzNlx9G5U2FBwkfA_4y710pP93_vQslJHvzVYudo5Eao66kM79WL-UcUkwr-WgFfkv4o9o-gM-yvPGlmIEijG2vBZo94u1Y_0fx9JVD4OQ2_Q.AugfxS1vF1qPb7Ds58x06hyWPHbNA4RKU2pOR8zfHvA", "{\"name\":\"Ada Lovelace\",\"email\":\"ada@example.org\",\"picture\":null,\"sub\":\"42\",\"iat\":1780000000,\"exp\":1782592000,\"jti\":\"1e590fc8-e0f6-4991-aa86-a0f6d81306ac\"}"},
    {"v5.2", "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG0=", "__Secure-authjs.session-token", "2d9964a0350c5e53f0d0979455dd3e310c932093cc8aead17964a6a008a365ba84bc83c74c36d0cdb40f9ce172d864d4fc5d1c8f6b775eb364399e8ae9965604", "C1dUbgXd5cWbcScvH7pvc-u4ZIshpd9ptOiMnvpv6L1vqFdhJVR7zgQ_7_6j66ZQcI0vfJ7EDYQk5OGfhdj1XA", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoiQzFkVWJnWGQ1Y1diY1Njdkg3cHZjLXU0WklzaHBkOXB0T2lNbnZwdjZMMXZxRmRoSlZSN3pnUV83XzZqNjZaUWNJMHZmSjdFRFlRazVPR2ZoZGoxWEEifQ..4gDAActM2hntE-sPI6d43A.a8FF9zexUq5tASh8R0KYCbWU_mDHwdpuRVRwZWEiSiQJv_o9dqY_AEqa8fph64berHD4RP7gkdy2MKDxEI0H7M9G8YbLp9Yis10ijtzAxVp0kIDCTYlFW3mrg5dsJ1DOO_C2tn-U2ZXNj48Po9QOgw7NLYM5sJSeyXbek30qgtxa3U_43s29cYCewOGtQjbiAcOmAhewK8urGMAkloSk-YSinmS3QKrNoKhsnqLGJNj5KpGJLvQWydxjDYoE4TMVIjhGx1Nawq5mSKbuZl-yJsnDGgnsj9qseyn-ARUH4mXOQPWar-3q8DvSeYGODVYTpJ5wyomDFC2P6WCmxJzEdIipTqGWNBIwZyvAcg6A8Q_qZKOioT6GR-IhxnqmEzqO_hYqBsyeGF7AKthLEH2WgA.iCidqIyb-S-UEjD8kaui-5GJXJJkd89pdhiA9bZdec4", "{\"name\":\"Zoë “Q” Müller 😀\",\"email\":\"zoe@example.org\",\"picture\":\"https://cdn.example.org/z.png?s=96&v=1\",\"sub\":\"3f0d7d0e-4d0b-4a0c-9a55-0c1a2b3c4d5e\",\"role\":\"admin\",\"roles\":[\"a\",\"b\"],\"n\":1.5,\"ok\":true,\"iat\":1780000000,\"exp\":1780604800,\"jti\":\"8bc18168-ecf9-4f83-88e1-5fc2048ffe57\"}"},
    {"v5.3", "pässwörd – 秘密 – long enough for a secret", "authjs.pkce.code_verifier", "cd71595c6b2ec2f1c021ebbbdc189ffb03ed118361e82f42a04732b5f2e464f58cecf5c34314ffc98df4044dccbe20f5591fa88e3c2967903d3c3a932d84ff43", "mpzLeKx6W3bsWl43GwewiMUjbYcdlnoEUt9g-Zo8y_yZr03zMOUnYFo7GrsjTooYXQotiamdD8F18holuY-x6w", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoibXB6TGVLeDZXM2JzV2w0M0d3ZXdpTVVqYlljZGxub0VVdDlnLVpvOHlfeVpyMDN6TU9VbllGbzdHcnNqVG9vWVhRb3RpYW1kRDhGMThob2x1WS14NncifQ..WxSPp8JAwVou3V4gdkcpLw.pLOZG6jQPGrJOMNl0U0EqnVXQnRVWUZmRH2IlS8QFkZWvoqB3A085ebH46Dugs5e2dEMtlyb1Ge1R5rbGG1CN1iVgzQsH7tHvajTySF27-W9lfzwfVAQgVqHr_jp90Dqvb5myZubqw1lO0Pm49wG_5ABBwpAJ4R46W3OVQQs0imGn6hko0C3yrNRqqxalc6Z5na0cqhBDpf_zBG6FGBpvw.MVeJfGtuXOtBUG4FTeoNK_ZDzWGCvj2linBD58kJ_3k", "{\"value\":\"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\",\"provider\":\"google\",\"iat\":1780000000,\"exp\":1780000900,\"jti\":\"39f1e38b-4179-4ed2-ab8c-b65309ee7d9b\"}"},
};
/* clang-format on */

/* NextAuth's key derivation: both versions name themselves in HKDF's info. */
static const unsigned char *derive(apr_pool_t *pool, int v5, const char *secret, const char *salt,
                                   apr_size_t len)
{
    const char *info = "NextAuth.js Generated Encryption Key";
    unsigned char *key = apr_palloc(pool, len);
    if (v5)
        info = "Auth.js Generated Encryption Key";
    if (v5 || *salt)
        info = apr_pstrcat(pool, info, " (", salt, ")", NULL);
    na_error *error =
        na_hkdf_sha256(pool, na_bytes_of(secret), na_bytes_of(salt), na_bytes_of(info), key, len);
    return error ? NULL : key;
}

static const na_jwe_key *make_key(apr_pool_t *pool, int v5, const unsigned char *bytes)
{
    const na_jwe_key *key;
    na_error *error = na_jwe_key_make(pool, v5 ? NA_A256CBC_HS512 : NA_A256GCM, bytes, v5, &key);
    return error ? NULL : key;
}

static int same_json(apr_pool_t *pool, na_bytes text, const json_t *expected)
{
    json_t *json;
    if (na_json_parse(pool, NA_ERR_SESSION, (const char *)text.data, text.len, &json))
        return 0;
    return json_equal(json, expected);
}

static void check_token(apr_pool_t *pool, const char *name, const na_jwe_key *key,
                        const char *token, const json_t *claims)
{
    na_bytes plaintext = {NULL, 0};
    if (succeeds(na_jwe_open(pool, &key, 1, token, strlen(token), &plaintext), name))
        ok(same_json(pool, plaintext, claims), "%s: the claims", name);
}

/* A token of ours has the same header as theirs, and can be read back. */
static void check_round_trip(apr_pool_t *pool, const char *name, const na_jwe_key *key,
                             const char *theirs, const json_t *claims)
{
    char *token;
    const char *text = na_json_dump(pool, claims);
    if (!succeeds(na_jwe_seal(pool, key, na_bytes_of(text), &token), name))
        return;
    size_t header_len = strcspn(theirs, ".");
    ok(strncmp(token, theirs, header_len + 2) == 0, "%s: header as NextAuth writes it", name);
    is_number((long long)strlen(token), (long long)strlen(theirs), "and the same length");
    check_token(pool, name, key, token, claims);
}

static void check_known(apr_pool_t *pool, const vector *v)
{
    int v5 = v->kid != NULL;
    const unsigned char *bytes = derive(pool, v5, v->secret, v->salt, v5 ? 64 : 32);
    const na_jwe_key *key = make_key(pool, v5, bytes);
    json_t *claims;
    is(na_hex(pool, bytes, v5 ? 64 : 32), v->key, apr_pstrcat(pool, v->name, ": key", NULL));
    if (na_json_parse(pool, NA_ERR_SESSION, v->claims, strlen(v->claims), &claims))
        return;
    check_token(pool, v->name, key, v->token, claims);
    check_round_trip(pool, v->name, key, v->token, claims);
    if (!v5)
        return;
    apr_size_t len;
    const char *header =
        (const char *)na_base64url_decode(pool, v->token, strcspn(v->token, "."), &len);
    ok(strstr(header, v->kid) != NULL, "%s: kid in its header", v->name);
}

static void check_file_entry(apr_pool_t *pool, size_t index, const json_t *entry)
{
    const char *format = na_json_string(entry, "format");
    const char *salt = na_json_string(entry, "salt");
    int v5 = strcmp(format, "v5") == 0;
    const char *name = apr_psprintf(pool, "nextauth.json token %d, %s", (int)index + 1, format);
    const unsigned char *bytes =
        derive(pool, v5, na_json_string(entry, "secret"), salt ? salt : "", v5 ? 64 : 32);
    check_token(pool, name, make_key(pool, v5, bytes), na_json_string(entry, "token"),
                json_object_get(entry, "claims"));
}

static void check_file(apr_pool_t *pool)
{
    const char *folder = getenv("NEXTAUTH_VECTORS");
    if (!folder)
        folder = "../shared/vectors";
    apr_size_t len, i;
    json_t *json, *entry;
    const char *text = slurp(pool, apr_pstrcat(pool, folder, "/nextauth.json", NULL), &len);
    if (!text) {
        ok(1, "tokens of nextauth.json # SKIP %s/nextauth.json is not there", folder);
        return;
    }
    if (!succeeds(na_json_parse(pool, NA_ERR_SESSION, text, len, &json), "nextauth.json"))
        return;
    const json_t *tokens = json_object_get(json, "jwe");
    ok(json_array_size(tokens) > 0, "nextauth.json has tokens");
    json_array_foreach((json_t *)tokens, i, entry) check_file_entry(pool, i, entry);
}

/* Auth.js also reads A256GCM tokens, their kid a SHA-256 thumbprint; the caller brings both keys.
 */
static void check_two_encs(apr_pool_t *pool)
{
    const na_jwe_key *keys[2];
    char *token;
    na_bytes plaintext;
    const unsigned char *bytes = derive(pool, 1, known[0].secret, "authjs.session-token", 64);
    const unsigned char *short_bytes = derive(pool, 1, known[0].secret, "authjs.session-token", 32);
    na_error *error = na_jwe_key_make(pool, NA_A256CBC_HS512, bytes, 1, &keys[0]);
    if (!error)
        error = na_jwe_key_make(pool, NA_A256GCM, short_bytes, 1, &keys[1]);
    succeeds(error, "two keys of one secret");
    for (int i = 0; i < 2; i++) {
        succeeds(na_jwe_seal(pool, keys[i], na_bytes_of("{}"), &token), "sealed with one");
        succeeds(na_jwe_open(pool, keys, 2, token, strlen(token), &plaintext), "opened with both");
        is((const char *)plaintext.data, "{}", "and says the same");
    }
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        check_known(pool, &known[i]);
    check_two_encs(pool);
    check_file(pool);
    return tap_done();
}
