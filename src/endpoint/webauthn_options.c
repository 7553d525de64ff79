/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint that begins ceremonies of passkeys: what a page passes to navigator.credentials. */
#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "auth/passkey.h"
#include "auth/respond.h"
#include "auth/second_factor.h"
#include "auth/session.h"
#include "base/crypto.h"
#include "base/json.h"
#include "endpoint/endpoints.h"

static na_error *refuse(na_request *request, na_response *response, const char *why)
{
    na_respond_json(request, response, 400,
                    na_json_own(request->pool, json_pack("{s:s}", "error", why)));
    return NULL;
}

/* Sets *user to the database user who is signed in; its ID is NULL if there is none. */
static na_error *load_user(const na_request *request, na_db_user *user)
{
    const na_session *session;
    na_db_person person;
    int found = 0;
    na_error *error = na_request_session(request, &session);
    *user = (na_db_user){0};
    if (na_is_unavailable(error))
        return error;
    if (!session || !na_session_claim(session, NA_CLAIM_DATABASE_USER))
        return NULL;
    const na_db_who who = {.id = session->user};
    NA_TRY(na_db_find(request->db, request->pool, &who, &person, &found));
    if (found)
        *user = person.user;
    return NULL;
}

/* ── Web Authentication Level 3, section 5.1.9 and 5.1.10: the JSON of both kinds ──────────── */

static json_t *transports_json(apr_pool_t *pool, const char *transports)
{
    json_t *list = json_array();
    char *last, *copy = apr_pstrdup(pool, transports);
    for (char *name = apr_strtok(copy, ",", &last); name; name = apr_strtok(NULL, ",", &last))
        json_array_append_new(list, json_string(name));
    return list;
}

/* The database has base64, clients want base64url. */
static json_t *descriptor_json(apr_pool_t *pool, const na_db_authenticator *row)
{
    char *bytes = apr_palloc(pool, (apr_size_t)apr_base64_decode_len(row->credential_id) + 1);
    int len = apr_base64_decode(bytes, row->credential_id);
    json_t *descriptor =
        json_pack("{s:s, s:s}", "id", na_base64url_encode(pool, bytes, (apr_size_t)len), "type",
                  "public-key");
    if (row->transports)
        json_object_set_new(descriptor, "transports", transports_json(pool, row->transports));
    return descriptor;
}

static na_error *list_descriptors(const na_request *request, const char *user_id, json_t **list)
{
    apr_array_header_t *passkeys = apr_array_make(request->pool, 4, sizeof(na_passkey));
    NA_TRY(na_passkeys_of(request, user_id, passkeys));
    *list = json_array();
    for (int i = 0; i < passkeys->nelts; i++)
        json_array_append_new(*list, descriptor_json(request->pool,
                                                     &APR_ARRAY_IDX(passkeys, i, na_passkey).row));
    return NULL;
}

static json_t *algorithms_json(void)
{
    static const int algs[] = NA_WEBAUTHN_ALGS;
    json_t *list = json_array();
    for (apr_size_t i = 0; i < sizeof algs / sizeof *algs; i++)
        json_array_append_new(list, json_pack("{s:i, s:s}", "alg", algs[i], "type", "public-key"));
    return list;
}

/*
 * A handle without meaning (section 14.6.1), the same for all passkeys of a user, so that an
 * authenticator replaces one that was removed here. Clients take the text itself as the bytes.
 */
static const char *user_handle(const na_request *request, const char *user_id)
{
    unsigned char mac[NA_SHA256_LEN];
    const char *text = apr_pstrcat(request->pool, "passkey handle ", user_id, NULL);
    na_hmac_sha256(mac, na_bytes_of(request->config->secrets[0]), na_bytes_of(text));
    return na_base64url_encode(request->pool, mac, sizeof mac);
}

static const char *shown_name(const na_db_user *user)
{
    return user->email ? user->email : user->name ? user->name : user->id;
}

static void respond_options(na_request *request, na_response *response, const char *action,
                            json_t *options)
{
    na_respond_json(request, response, 200,
                    na_json_own(request->pool,
                                json_pack("{s:o, s:s}", "options", options, "action", action)));
}

static na_error *begin_registration(na_request *request, na_response *response,
                                    const na_db_user *user)
{
    const na_provider *p = request->provider;
    na_ceremony ceremony = {.action = NA_CEREMONY_REGISTER,
                            .user_id = user->id,
                            .user_handle = user_handle(request, user->id)};
    json_t *known;
    NA_TRY(list_descriptors(request, user->id, &known));
    na_json_own(request->pool, known);
    NA_TRY(na_ceremony_begin(request, response, &ceremony));
    json_t *options = json_pack(
        "{s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:o, s:I, s:s, s:O, s:{s:s, s:b, s:s}, s:{s:b}}",
        "challenge", ceremony.challenge, "rp", "name", p->rp_name, "id", p->rp_id, "user", "id",
        ceremony.user_handle, "name", shown_name(user), "displayName",
        user->name ? user->name : shown_name(user), "pubKeyCredParams", algorithms_json(),
        "timeout", (json_int_t)p->timeout * 1000, "attestation", p->attestation,
        "excludeCredentials", known, "authenticatorSelection", "residentKey", p->resident_key,
        "requireResidentKey", strcmp(p->resident_key, "required") == 0, "userVerification",
        p->user_verification, "extensions", "credProps", 1);
    respond_options(request, response, ceremony.action, options);
    return NULL;
}

/*
 * Only a user who is signed in gets a list of credentials: for an email address that a visitor
 * types, it would tell who has an account (section 14.6.2).
 */
static na_error *begin_authentication(na_request *request, na_response *response,
                                      const char *user_id)
{
    const na_provider *p = request->provider;
    na_ceremony ceremony = {.action = NA_CEREMONY_AUTHENTICATE};
    json_t *known = NULL;
    if (user_id)
        NA_TRY(list_descriptors(request, user_id, &known));
    if (known)
        na_json_own(request->pool, known);
    NA_TRY(na_ceremony_begin(request, response, &ceremony));
    respond_options(request, response, ceremony.action,
                    json_pack("{s:s, s:s, s:I, s:s, s:O*}", "challenge", ceremony.challenge, "rpId",
                              p->rp_id, "timeout", (json_int_t)p->timeout * 1000,
                              "userVerification", p->user_verification, "allowCredentials", known));
    return NULL;
}

/* For the page of the second factor, whose user gave the first one, and is not signed in yet. */
static na_error *begin_pending(na_request *request, na_response *response)
{
    na_challenge challenge;
    int found;
    NA_TRY(na_challenge_find(request, &challenge, &found));
    return found ? begin_authentication(request, response, challenge.factors.user_id)
                 : refuse(request, response, "Invalid request");
}

/* As in Auth.js, a user who is signed in has to say which of the two is meant. */
na_error *na_get_webauthn_options(na_request *request, na_response *response)
{
    const char *action = apr_table_get(request->query, "action");
    na_db_user user;
    NA_TRY(load_user(request, &user));
    if (apr_table_get(request->query, "pending"))
        return begin_pending(request, response);
    if (!action && !user.id)
        action = NA_CEREMONY_AUTHENTICATE;
    if (action && strcmp(action, NA_CEREMONY_AUTHENTICATE) == 0)
        return begin_authentication(request, response, user.id);
    if (action && strcmp(action, NA_CEREMONY_REGISTER) == 0 && user.id)
        return begin_registration(request, response, &user);
    return refuse(request, response,
                  action && strcmp(action, NA_CEREMONY_REGISTER) != 0 ? "Invalid action"
                                                                      : "Invalid request");
}
