/* SPDX-License-Identifier: Apache-2.0 */
/* The download of everything that is stored about the user who is signed in, without secrets. */
#include <string.h>

#include "auth/fresh.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "base/clock.h"
#include "base/json.h"
#include "endpoint/account_visit.h"
#include "endpoint/endpoints.h"
#include "endpoint/sessions.h"

/* Most audit records in a download, the newest, so that it has a bound. */
#define RECORDS_MAX 1000

/* json_pack() refuses text that is not UTF-8, which applications can have written. */
static const char *text_of(const char *text)
{
    return text && na_is_utf8(text) ? text : NULL;
}

static const char *time_of(const na_account_visit *v, apr_int64_t milliseconds)
{
    return milliseconds ? na_iso8601(v->request->pool, apr_time_from_msec(milliseconds)) : NULL;
}

static json_t *roles_of(const na_account_visit *v)
{
    json_t *roles = json_array();
    for (int i = 0; i < v->person.roles->nelts; i++)
        json_array_append_new(roles, json_string(APR_ARRAY_IDX(v->person.roles, i, const char *)));
    return roles;
}

static json_t *user_of(const na_account_visit *v)
{
    const na_db_user *user = &v->person.user;
    const na_db_credential *credential = &v->person.credential;
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:b, s:s?, s:o}", "id", user->id, "name",
                     text_of(user->name), "email", text_of(user->email), "emailVerified",
                     time_of(v, user->email_verified), "image", text_of(user->image), "hasPassword",
                     credential->hash != NULL, "passwordChanged",
                     time_of(v, credential->changed_at), "roles", roles_of(v));
}

static json_t *accounts_of(const na_account_visit *v)
{
    json_t *list = json_array();
    for (int i = 0; i < v->accounts->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(v->accounts, i, na_db_account);
        json_array_append_new(list,
                              json_pack("{s:s?, s:s?, s:s?, s:s?}", "provider",
                                        text_of(account->provider), "type", text_of(account->type),
                                        "providerAccountId", text_of(account->provider_account_id),
                                        "scope", text_of(account->scope)));
    }
    return list;
}

static na_error *add_sessions(const na_account_visit *v, json_t *data)
{
    const na_request *request = v->request;
    const na_registry *registry = request->sessions->registry;
    apr_array_header_t *sessions = apr_array_make(request->pool, 8, sizeof(na_listed));
    json_t *list = json_array();
    if (registry)
        NA_TRY(na_registry_list(registry, request->pool,
                                na_session_user_name(request->pool, v->session), request->now,
                                sessions));
    for (int i = 0; i < sessions->nelts; i++)
        json_array_append_new(list, na_session_listing(request->pool,
                                                       &APR_ARRAY_IDX(sessions, i, na_listed)));
    json_object_set_new(data, "sessions", list);
    return NULL;
}

/* A database that was not migrated to the tables of secrets has none. */
static na_error *unless_missing(na_error *error)
{
    return na_error_is(error, NA_ERR_NO_TABLES) ? NULL : error;
}

/* Their kind is shown, so that recovery codes and remembered browsers can be told apart. */
static na_error *add_secrets(const na_account_visit *v, json_t *data)
{
    const na_request *request = v->request;
    apr_array_header_t *secrets = apr_array_make(request->pool, 8, sizeof(na_db_secret));
    json_t *factors = json_array(), *tokens = json_array();
    json_object_set_new(data, "secondFactors", factors);
    json_object_set_new(data, "tokens", tokens);
    NA_TRY(unless_missing(
        na_db_list_secrets(request->db, request->pool, v->person.user.id, NULL, secrets)));
    for (int i = 0; i < secrets->nelts; i++) {
        const na_db_secret *secret = &APR_ARRAY_IDX(secrets, i, na_db_secret);
        int is_token = strcmp(secret->kind, NA_SECRET_TOKEN) == 0;
        json_t *entry =
            json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "kind", secret->kind, "name",
                      text_of(secret->name), "scope", text_of(is_token ? secret->scope : NULL),
                      "created", time_of(v, secret->created_at), "lastUsed",
                      time_of(v, secret->used_at), "expires", time_of(v, secret->expires_at));
        json_array_append_new(is_token ? tokens : factors, entry);
    }
    return NULL;
}

static na_error *add_passkeys(const na_account_visit *v, json_t *data)
{
    const na_request *request = v->request;
    apr_array_header_t *list = apr_array_make(request->pool, 4, sizeof(na_db_authenticator));
    json_t *passkeys = json_array();
    json_object_set_new(data, "passkeys", passkeys);
    NA_TRY(unless_missing(
        na_db_list_authenticators(request->db, request->pool, v->person.user.id, list)));
    for (int i = 0; i < list->nelts; i++) {
        const na_db_authenticator *a = &APR_ARRAY_IDX(list, i, na_db_authenticator);
        json_array_append_new(passkeys, json_pack("{s:s?, s:s?, s:s?, s:b, s:I}", "credentialID",
                                                  text_of(a->credential_id), "deviceType",
                                                  text_of(a->device_type), "transports",
                                                  text_of(a->transports), "backedUp", a->backed_up,
                                                  "counter", (json_int_t)a->counter));
    }
    return NULL;
}

static na_error *add_records(const na_account_visit *v, json_t *data)
{
    const na_request *request = v->request;
    apr_array_header_t *records = apr_array_make(request->pool, 64, sizeof(na_db_record));
    json_t *list = json_array();
    json_object_set_new(data, "records", list);
    NA_TRY(unless_missing(
        na_db_list_records(request->db, request->pool, v->person.user.id, RECORDS_MAX, records)));
    for (int i = 0; i < records->nelts; i++) {
        const na_db_record *r = &APR_ARRAY_IDX(records, i, na_db_record);
        json_array_append_new(list,
                              json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "time",
                                        time_of(v, r->occurred_at), "event", text_of(r->event),
                                        "outcome", text_of(r->outcome), "email", text_of(r->email),
                                        "provider", text_of(r->provider), "detail",
                                        text_of(r->detail), "address", text_of(r->address),
                                        "userAgent", text_of(r->user_agent)));
    }
    return NULL;
}

/* A stolen session must not be enough to take everything away. */
na_error *na_get_account_data(na_request *request, na_response *response)
{
    na_account_visit v = {.request = request, .response = response};
    int is_fresh;
    NA_TRY(na_account_load(&v, "/account"));
    if (v.is_answered)
        return NULL;
    na_fresh(request, response, v.session, "/account", &is_fresh);
    if (!is_fresh)
        return NULL;
    json_t *data = na_json_own(request->pool, json_object());
    json_object_set_new(data, "user", user_of(&v));
    json_object_set_new(data, "accounts", accounts_of(&v));
    NA_TRY(add_sessions(&v, data));
    NA_TRY(add_secrets(&v, data));
    NA_TRY(add_passkeys(&v, data));
    NA_TRY(add_records(&v, data));
    na_respond_json(request, response, 200, data);
    response->attachment = "account-data.json";
    return NULL;
}
