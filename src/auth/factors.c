/* SPDX-License-Identifier: Apache-2.0 */
/* The second factors of a user: what the database has of them, and whether a code is right. */
#include "auth/factors.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/passkey.h"
#include "auth/report.h"
#include "base/json.h"
#include "twofactor/recovery.h"
#include "twofactor/totp.h"

/* ── what the user has ─────────────────────────────────────────────────────────────────────── */

static void add_secret(const na_request *request, const na_db_secret *secret, na_factors *factors)
{
    apr_int64_t now = apr_time_as_msec(request->now);
    if (strcmp(secret->kind, NA_SECRET_TOTP) == 0 && !factors->totp)
        factors->totp = secret;
    else if (strcmp(secret->kind, NA_SECRET_RECOVERY) == 0)
        factors->recovery_codes += !secret->counter;
    else if (strcmp(secret->kind, NA_SECRET_BROWSER) == 0 && secret->expires_at > now)
        APR_ARRAY_PUSH(factors->browsers, na_db_secret) = *secret;
}

na_error *na_factors_find(const na_request *request, const char *user_id, na_factors *factors)
{
    apr_array_header_t *secrets = apr_array_make(request->pool, 16, sizeof(na_db_secret));
    *factors = (na_factors){.user_id = user_id,
                            .browsers = apr_array_make(request->pool, 2, sizeof(na_db_secret))};
    NA_TRY(na_db_list_secrets(request->db, request->pool, user_id, NULL, secrets));
    for (int i = 0; i < secrets->nelts; i++)
        add_secret(request, &APR_ARRAY_IDX(secrets, i, na_db_secret), factors);
    return na_passkeys_count(request, user_id, &factors->passkeys);
}

int na_factors_are_any(const na_factors *factors)
{
    return factors->totp || factors->passkeys;
}

int na_factors_are_asked(const na_request *request, const na_factors *factors)
{
    na_two_factor mode = request->config->session.two_factor;
    return mode != NA_TWO_FACTOR_OFF &&
           (factors->totp || (factors->passkeys && mode == NA_TWO_FACTOR_REQUIRED));
}

na_error *na_user_has_second_factor(apr_pool_t *pool, const na_db *db, const na_config *config,
                                    const char *user_id, int *has)
{
    apr_array_header_t *keys = apr_array_make(pool, 1, sizeof(na_db_secret));
    *has = config->session.two_factor == NA_TWO_FACTOR_REQUIRED;
    if (config->session.two_factor != NA_TWO_FACTOR_OPTIONAL)
        return NULL;
    NA_TRY(na_db_list_secrets(db, pool, user_id, NA_SECRET_TOTP, keys));
    *has = keys->nelts > 0;
    return NULL;
}

/* ── the key ───────────────────────────────────────────────────────────────────────────────── */

/*
 * The key of the encryption belongs to the user, so that no row is of use with another one, and
 * does not depend on the format of sessions, which an administrator can change.
 */
static na_error *derive_ring(const na_request *request, const char *user_id, na_keyring *ring)
{
    return na_keyring_derive(request->pool, NA_V5, request->config->secrets,
                             request->config->secret_count,
                             apr_pstrcat(request->pool, "second factor of ", user_id, NULL), ring);
}

static na_error *seal_key(const na_request *request, const char *user_id, const char *key,
                          const char **sealed)
{
    na_keyring ring;
    char *jwe;
    NA_TRY(derive_ring(request, user_id, &ring));
    NA_TRY(na_jwe_seal(request->pool, ring.keys[0], na_bytes_of(key), &jwe));
    *sealed = jwe;
    return NULL;
}

/* Opens the key of a row; *is_old is 1 if another than the newest secret sealed it. */
static na_error *open_key(const na_request *request, const char *user_id, const na_db_secret *row,
                          const char **key, int *is_old)
{
    na_keyring ring;
    na_bytes text;
    const char *sealed = row->sealed ? row->sealed : "";
    NA_TRY(derive_ring(request, user_id, &ring));
    *is_old = na_jwe_open(request->pool, ring.keys, 1, sealed, strlen(sealed), &text) != NULL;
    na_error *error =
        *is_old ? na_jwe_open(request->pool, ring.keys, ring.count, sealed, strlen(sealed), &text)
                : NULL;
    if (error)
        return na_error_with_hint(na_error_wrap(request->pool, error, NA_ERR_CONFIGURATION,
                                                "could not decrypt the key of the second factor "
                                                "of user '%s'",
                                                na_percent_encode(request->pool, user_id)),
                                  "add the secret that was used before to NextAuthSecret");
    *key = apr_pstrmemdup(request->pool, (const char *)text.data, text.len);
    na_wipe_with_pool(request->pool, (void *)text.data, text.len);
    na_wipe_with_pool(request->pool, (void *)*key, text.len);
    return NULL;
}

/* ── codes ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *check_totp(const na_request *request, const na_factors *factors, const char *typed,
                            const char **method, na_db_secret *spend)
{
    const char *text = NULL;
    na_bytes key;
    int is_old;
    NA_TRY(open_key(request, factors->user_id, factors->totp, &text, &is_old));
    if (!na_totp_decode_key(request->pool, text, &key))
        return na_error_new(request->pool, NA_ERR_CONFIGURATION,
                            "the key of a second factor is not one");
    *spend = *factors->totp;
    spend->counter = na_totp_check(key, typed, request->now, factors->totp->counter);
    *method = spend->counter ? NA_METHOD_OTP : NULL;
    return is_old && *method ? seal_key(request, factors->user_id, text, &spend->sealed) : NULL;
}

static na_error *check_recovery(const na_request *request, const char *user_id, const char *typed,
                                const char **method, na_db_secret *spend)
{
    int found;
    const char *hash = na_recovery_hash(request->pool, user_id, typed);
    NA_TRY(na_db_find_secret(request->db, request->pool, NA_SECRET_RECOVERY, hash, spend, &found));
    if (!found || strcmp(spend->user_id, user_id) != 0 || spend->counter)
        return NULL;
    spend->counter = 1;
    *method = NA_METHOD_RECOVERY;
    return NULL;
}

na_error *na_factors_check(const na_request *request, const na_factors *factors, const char *typed,
                           const char **method, na_db_secret *spend)
{
    *method = NULL;
    *spend = (na_db_secret){0};
    if (!typed || !factors->totp)
        return NULL;
    NA_TRY(na_recovery_is_code(typed)
               ? check_recovery(request, factors->user_id, typed, method, spend)
               : check_totp(request, factors, typed, method, spend));
    spend->used_at = apr_time_as_msec(request->now);
    return NULL;
}

na_error *na_factors_new_totp(const na_request *request, const char *user_id, const char *key,
                              apr_int64_t step, na_db_secret *row)
{
    apr_int64_t now = apr_time_as_msec(request->now);
    *row = (na_db_secret){.id = na_random_hex(request->pool, 16),
                          .user_id = user_id,
                          .kind = NA_SECRET_TOTP,
                          .counter = step,
                          .created_at = now,
                          .used_at = now};
    return seal_key(request, user_id, key, &row->sealed);
}

const apr_array_header_t *na_factors_new_codes(const na_request *request, const char *user_id,
                                               apr_array_header_t *rows)
{
    apr_array_header_t *codes = apr_array_make(request->pool, NA_RECOVERY_CODES, sizeof(char *));
    for (int i = 0; i < NA_RECOVERY_CODES; i++) {
        const char *code = na_recovery_new_code(request->pool);
        APR_ARRAY_PUSH(codes, const char *) = code;
        APR_ARRAY_PUSH(rows, na_db_secret) =
            (na_db_secret){.id = na_recovery_hash(request->pool, user_id, code),
                           .user_id = user_id,
                           .kind = NA_SECRET_RECOVERY,
                           .created_at = apr_time_as_msec(request->now)};
    }
    return codes;
}

void na_factors_remove_all(apr_array_header_t *removed)
{
    static const char *const kinds[] = {NA_SECRET_TOTP, NA_SECRET_RECOVERY, NA_SECRET_BROWSER};
    for (int i = 0; i < 3; i++)
        APR_ARRAY_PUSH(removed, na_db_secret) = (na_db_secret){.kind = kinds[i]};
}
