/* SPDX-License-Identifier: Apache-2.0 */
/* Passkeys of users: Auth.js's table of authenticators, and this module's names and times. */
#include "auth/passkey.h"

#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "auth/report.h"
#include "base/crypto.h"
#include "session/device.h"

const na_provider *na_passkey_provider(const na_config *config)
{
    return na_provider_of_type(config->providers, NA_WEBAUTHN);
}

const char *na_passkey_secret_id(apr_pool_t *pool, const char *credential_id)
{
    return na_sha256_hex(pool, credential_id, "");
}

const char *na_passkey_name(const na_request *request, const char *typed)
{
    const char *name = na_one_line(request->pool, typed, NA_PASSKEY_NAME_MAX);
    const char *device = na_device(request->pool, request->origin.user_agent);
    name += strspn(name, " ");
    return *name ? name : *device ? device : "Passkey";
}

/* ── the database ──────────────────────────────────────────────────────────────────────────── */

/* Auth.js has IDs and keys in base64 with padding. */
static const char *encode(apr_pool_t *pool, na_bytes bytes)
{
    char *text = apr_palloc(pool, (apr_size_t)apr_base64_encode_len((int)bytes.len));
    apr_base64_encode_binary(text, bytes.data, (int)bytes.len);
    return text;
}

static na_bytes decode(apr_pool_t *pool, const char *text)
{
    unsigned char *bytes = apr_palloc(pool, (apr_size_t)apr_base64_decode_len(text) + 1);
    int len = apr_base64_decode_binary(bytes, text);
    return (na_bytes){bytes, len > 0 ? (apr_size_t)len : 0};
}

static const na_db_secret *secret_of(const apr_array_header_t *secrets, const char *id)
{
    for (int i = 0; i < secrets->nelts; i++) {
        const na_db_secret *secret = &APR_ARRAY_IDX(secrets, i, const na_db_secret);
        if (strcmp(secret->id, id) == 0)
            return secret;
    }
    return NULL;
}

na_error *na_passkeys_of(const na_request *request, const char *user_id,
                         apr_array_header_t *passkeys)
{
    apr_pool_t *pool = request->pool;
    apr_array_header_t *rows = apr_array_make(pool, 4, sizeof(na_db_authenticator));
    apr_array_header_t *secrets = apr_array_make(pool, 4, sizeof(na_db_secret));
    NA_TRY(na_db_list_authenticators(request->db, pool, user_id, rows));
    NA_TRY(na_db_list_secrets(request->db, pool, user_id, NA_SECRET_PASSKEY, secrets));
    for (int i = 0; i < rows->nelts && i < NA_PASSKEYS_MAX; i++) {
        na_passkey passkey = {.row = APR_ARRAY_IDX(rows, i, na_db_authenticator)};
        const na_db_secret *secret =
            secret_of(secrets, na_passkey_secret_id(pool, passkey.row.credential_id));
        if (secret) {
            passkey.name = secret->name;
            passkey.user_handle = secret->scope;
            passkey.created_at = secret->created_at;
            passkey.used_at = secret->used_at;
        }
        APR_ARRAY_PUSH(passkeys, na_passkey) = passkey;
    }
    return NULL;
}

na_error *na_passkeys_count(const na_request *request, const char *user_id, int *count)
{
    apr_array_header_t *rows = apr_array_make(request->pool, 4, sizeof(na_db_authenticator));
    *count = 0;
    if (!na_passkey_provider(request->config))
        return NULL;
    NA_TRY(na_db_list_authenticators(request->db, request->pool, user_id, rows));
    *count = rows->nelts;
    return NULL;
}

/* ── answers ───────────────────────────────────────────────────────────────────────────────── */

static na_webauthn_rp rp_of(const na_provider *provider)
{
    return (na_webauthn_rp){.id = provider->rp_id,
                            .origins = provider->origins,
                            .verifies_users = strcmp(provider->user_verification, "required") == 0};
}

static na_error *read_answer(na_request *request, na_response *response, const char *action,
                             na_webauthn_answer *answer, na_ceremony *ceremony)
{
    const char *data = apr_table_get(request->form, "data");
    if (!data)
        return na_error_new(request->pool, NA_ERR_WEBAUTHN, "missing data");
    NA_TRY(na_webauthn_parse(request->pool, data, answer));
    return na_ceremony_take(request, response, action, answer, ceremony);
}

static na_error *find_passkey(na_request *request, const na_webauthn_answer *answer,
                              na_db_authenticator *found)
{
    const char *id = encode(request->pool, answer->id);
    int is_found = 0;
    if (strlen(id) <= NA_WEBAUTHN_ID_MAX)
        NA_TRY(na_db_find_authenticator(request->db, request->pool, id, found, &is_found));
    if (!is_found)
        return na_error_new(request->pool, NA_ERR_WEBAUTHN,
                            "the passkey is unknown or was removed");
    request->claimant = (na_user){.id = found->user_id};
    return NULL;
}

/*
 * Clients take the text of a handle as its bytes, and write those in base64url, as Level 3 has it,
 * or as text: @simplewebauthn/browser did so up to version 9, which Auth.js uses.
 */
static int is_handle(apr_pool_t *pool, const char *said, const char *handle)
{
    return na_equal_secret(said, na_base64url_encode(pool, handle, strlen(handle))) ||
           na_equal_secret(said, handle);
}

/*
 * Section 7.2 step 6: if no cookie says who the user is, the answer must, and whatever it says must
 * be right. Auth.js makes a handle for each passkey and keeps none, so that those of its passkeys
 * cannot be compared.
 */
static na_error *check_user_handle(na_request *request, const na_webauthn_answer *answer,
                                   const char *credential_id, const char *user_id)
{
    na_db_secret secret;
    int found;
    if (!answer->user_handle)
        return user_id ? NULL
                       : na_error_new(request->pool, NA_ERR_WEBAUTHN,
                                      "the answer does not say who the user is (userHandle)");
    NA_TRY(na_db_find_secret(request->db, request->pool, NA_SECRET_PASSKEY,
                             na_passkey_secret_id(request->pool, credential_id), &secret, &found));
    return !found || !secret.scope || is_handle(request->pool, answer->user_handle, secret.scope)
               ? NULL
               : na_error_new(request->pool, NA_ERR_WEBAUTHN,
                              "the passkey says that it belongs to another user (userHandle)");
}

/* Whether a device can synchronize it is all that Auth.js has of a passkey's kind. */
#define SYNCED "multiDevice"
#define NOT_SYNCED "singleDevice"

na_error *na_passkey_authenticate(na_request *request, na_response *response, const char *user_id,
                                  na_db_authenticator *found, int *is_verified)
{
    const na_webauthn_rp rp = rp_of(request->provider);
    na_webauthn_answer answer;
    na_webauthn_use use;
    na_ceremony ceremony;
    NA_TRY(read_answer(request, response, NA_CEREMONY_AUTHENTICATE, &answer, &ceremony));
    NA_TRY(find_passkey(request, &answer, found));
    NA_TRY(check_user_handle(request, &answer, found->credential_id, user_id));
    const na_webauthn_credential known = {.public_key = decode(request->pool, found->public_key),
                                          .counter = (apr_uint32_t)found->counter,
                                          .is_synced = found->device_type &&
                                                       strcmp(found->device_type, SYNCED) == 0};
    NA_TRY(na_webauthn_authenticate(request->pool, &rp, ceremony.challenge, &answer, &known, &use));
    *is_verified = use.is_verified;
    if (use.counter != known.counter)
        NA_TRY(na_db_update_counter(request->db, request->pool, found->credential_id, use.counter));
    na_error *error = na_db_use_secret(request->db, request->pool, NA_SECRET_PASSKEY,
                                       na_passkey_secret_id(request->pool, found->credential_id),
                                       apr_time_as_msec(request->now));
    if (error) /* only the page of passkeys shows it */
        na_log_error(request, NA_LOG_WARNING, "ADAPTER_ERROR", error);
    return NULL;
}

na_error *na_passkey_register(na_request *request, na_response *response, na_new_passkey *made)
{
    const na_webauthn_rp rp = rp_of(request->provider);
    na_webauthn_answer answer;
    na_webauthn_credential credential;
    na_webauthn_use use;
    NA_TRY(read_answer(request, response, NA_CEREMONY_REGISTER, &answer, &made->ceremony));
    NA_TRY(na_webauthn_register(request->pool, &rp, made->ceremony.challenge, &answer, &credential,
                                &use));
    const char *id = encode(request->pool, credential.id);
    made->attestation = use.attestation;
    made->row = (na_db_authenticator){.credential_id = id,
                                      .provider_account_id = id,
                                      .public_key = encode(request->pool, credential.public_key),
                                      .counter = credential.counter,
                                      .device_type = credential.is_synced ? SYNCED : NOT_SYNCED,
                                      .transports = answer.transports,
                                      .backed_up = use.is_backed_up};
    return NULL;
}
