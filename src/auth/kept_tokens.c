/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of a provider that are kept for a session, encrypted, in the session store. */
#include "auth/kept_tokens.h"

#include "auth/report.h"
#include "base/json.h"
#include "session/token_entry.h"

/* ── the entry as JSON; names are short, because shared memory is small ────────────────────── */

#define PROVIDER "p"
#define ACCESS "a"
#define REFRESH "r"
#define ID "i"
#define SCOPE "s"
#define TYPE "t"
#define EXPIRES_AT "x"

static void set_text(json_t *json, const char *name, const char *text)
{
    if (text)
        json_object_set_new(json, name, json_string(text));
}

static json_t *json_of_tokens(apr_pool_t *pool, const na_tokens *tokens, const char *provider,
                              int is_id_alone)
{
    json_t *json = na_json_own(pool, json_object());
    set_text(json, PROVIDER, provider);
    set_text(json, ID, tokens->id_token);
    if (is_id_alone)
        return json;
    set_text(json, ACCESS, tokens->access_token);
    set_text(json, REFRESH, tokens->refresh_token);
    set_text(json, SCOPE, tokens->scope);
    set_text(json, TYPE, tokens->token_type);
    json_object_set_new(json, EXPIRES_AT, json_integer(tokens->expires_at));
    return json;
}

static void read_tokens(const json_t *json, na_kept_tokens *kept)
{
    json_int_t expires_at = 0;
    na_json_number(json, EXPIRES_AT, &expires_at);
    *kept = (na_kept_tokens){.provider = na_json_string(json, PROVIDER),
                             .access_token = na_json_string(json, ACCESS),
                             .refresh_token = na_json_string(json, REFRESH),
                             .id_token = na_json_string(json, ID),
                             .scope = na_json_string(json, SCOPE),
                             .token_type = na_json_string(json, TYPE),
                             .expires_at = expires_at};
}

/* ── the tokens of a sign-in ───────────────────────────────────────────────────────────────── */

static const na_provider *provider_of(const na_request *request, const na_sign_in *sign_in)
{
    const apr_array_header_t *providers = request->config->providers;
    int at = na_provider_find(providers, na_json_string(sign_in->claims, NA_CLAIM_PROVIDER));
    return at >= 0 ? APR_ARRAY_IDX(providers, at, const na_provider *) : NULL;
}

static const na_registry *registry_of(const na_request *request)
{
    const na_registry *registry = request->sessions->registry;
    return registry && registry->token_keys ? registry : NULL;
}

/* Returns the key of the session that begins with these claims; chooses its ID if it has none. */
static na_store_key key_to_begin(na_request *request, json_t *claims)
{
    na_store_key key;
    const char *id = na_json_string(claims, NA_CLAIM_SESSION_ID);
    if (!id) {
        id = na_random_base64url(request->pool, NA_SESSION_ID_BYTES);
        json_object_set_new(claims, NA_CLAIM_SESSION_ID, json_string(id));
    }
    na_store_key_make(&key, NA_KIND_SESSION, id);
    return key;
}

static na_error *keep_tokens(na_request *request, const na_sign_in *sign_in, apr_int64_t expires)
{
    const na_registry *registry = registry_of(request);
    const na_provider *provider =
        sign_in->tokens && registry ? provider_of(request, sign_in) : NULL;
    int keeps_all = request->config->keeping.is_on;
    if (!provider ||
        (!keeps_all && !(provider->logout == NA_LOGOUT_BOTH && sign_in->tokens->id_token)))
        return NULL;
    const na_store_key key = key_to_begin(request, sign_in->claims);
    na_error *error =
        na_token_entry_add(registry, request->pool, &key,
                           json_of_tokens(request->pool, sign_in->tokens, provider->id, !keeps_all),
                           expires);
    if (!error || keeps_all)
        return error ? na_error_wrap(request->pool, error, NULL, "could not keep the tokens")
                     : NULL;
    na_log_error(request, NA_LOG_WARNING, "SESSION_STORE_ERROR", error);
    return NULL; /* the provider asks the user who signs out, because it gets no hint */
}

na_error *na_kept_tokens_wait(na_request *request, const na_sign_in *sign_in)
{
    return keep_tokens(request, sign_in, apr_time_sec(request->now) + NA_PENDING_SECONDS);
}

na_error *na_kept_tokens_begin(na_request *request, const na_sign_in *sign_in)
{
    const na_registry *registry = registry_of(request);
    apr_int64_t expires = na_lifetime_end(&request->config->session.lifetime,
                                          apr_time_sec(request->now), request->now);
    const char *id = na_json_string(sign_in->claims, NA_CLAIM_SESSION_ID);
    na_store_key key;
    if (!id) /* it did not have to wait */
        return keep_tokens(request, sign_in, expires);
    na_store_key_make(&key, NA_KIND_SESSION, id);
    return registry ? na_token_entry_extend(registry, request->pool, &key, expires) : NULL;
}

na_error *na_kept_tokens_find(na_request *request, const na_session *session, na_kept_tokens *kept,
                              int *found)
{
    const na_registry *registry = registry_of(request);
    na_token_entry entry = {.json = NULL};
    if (registry)
        NA_TRY(na_token_entry_find(registry, request->pool, na_session_key(request->pool, session),
                                   &entry));
    *found = entry.json != NULL;
    if (*found)
        read_tokens(entry.json, kept);
    return NULL;
}
