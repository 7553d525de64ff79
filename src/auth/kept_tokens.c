/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of a provider that are kept for a session, encrypted, in the session store. */
#include "auth/kept_tokens.h"

#include <string.h>

#include "auth/report.h"
#include "base/json.h"

/* ── the entry as JSON; names are short, because shared memory is small ────────────────────── */

#define PROVIDER "p"
#define ACCESS "a"
#define REFRESH "r"
#define ID "i"
#define SCOPE "s"
#define TYPE "t"
#define EXPIRES_AT "x"
#define RECEIVED_AT "n"
#define REFUSED "f"
#define SUBJECT "u"
#define ACCOUNT_ID "c"
#define ID_CLAIMS "d"
#define PROFILE_FAILED "qf"

static void set_text(json_t *json, const char *name, const char *text)
{
    if (text)
        json_object_set_new(json, name, json_string(text));
}

void na_kept_tokens_replace(json_t *json, const na_tokens *renewed)
{
    set_text(json, ACCESS, renewed->access_token);
    set_text(json, REFRESH, renewed->refresh_token);
    set_text(json, ID, renewed->id_token);
    set_text(json, SCOPE, renewed->scope);
    set_text(json, TYPE, renewed->token_type);
    if (renewed->id_claims)
        json_object_set(json, ID_CLAIMS, (json_t *)renewed->id_claims);
    json_object_set_new(json, EXPIRES_AT, json_integer(renewed->expires_at));
    json_object_set_new(json, RECEIVED_AT, json_integer(apr_time_sec(apr_time_now())));
}

void na_kept_tokens_set_profile(json_t *json, const json_t *id_claims, int has_failed)
{
    if (id_claims)
        json_object_set(json, ID_CLAIMS, (json_t *)id_claims);
    json_object_set_new(json, PROFILE_FAILED, json_boolean(has_failed));
}

/* The ID token stays for the sign-out. */
void na_kept_tokens_refuse(json_t *json)
{
    json_object_del(json, ACCESS);
    json_object_del(json, REFRESH);
    json_object_set_new(json, REFUSED, json_true());
}

void na_kept_tokens_read(const json_t *json, na_kept_tokens *kept)
{
    json_int_t expires_at = 0, received_at = 0;
    na_json_number(json, EXPIRES_AT, &expires_at);
    na_json_number(json, RECEIVED_AT, &received_at);
    *kept = (na_kept_tokens){.provider = na_json_string(json, PROVIDER),
                             .access_token = na_json_string(json, ACCESS),
                             .refresh_token = na_json_string(json, REFRESH),
                             .id_token = na_json_string(json, ID),
                             .scope = na_json_string(json, SCOPE),
                             .token_type = na_json_string(json, TYPE),
                             .expires_at = expires_at,
                             .received_at = received_at,
                             .subject = na_json_string(json, SUBJECT),
                             .account_id = na_json_string(json, ACCOUNT_ID),
                             .id_claims = json_object_get(json, ID_CLAIMS),
                             .has_failed = json_is_true(json_object_get(json, PROFILE_FAILED)),
                             .is_refused = json_is_true(json_object_get(json, REFUSED))};
}

/* ── the tokens of a sign-in ───────────────────────────────────────────────────────────────── */

static const na_provider *provider_of(const na_request *request, const na_sign_in *sign_in)
{
    const apr_array_header_t *providers = request->config->providers;
    int at = na_provider_find(providers, na_json_string(sign_in->claims, NA_CLAIM_PROVIDER));
    return at >= 0 ? APR_ARRAY_IDX(providers, at, const na_provider *) : NULL;
}

const na_registry *na_kept_tokens_registry(const na_request *request)
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

/* Returns 1 if userinfo alone tells what the profile is made of. */
static int can_ask_again(const na_provider *provider)
{
    return provider->profile_source != NA_PROFILE_ID_TOKEN &&
           !(provider->profile.email && strstr(provider->profile.email, "token.")) &&
           !(provider->userinfo_url && strstr(provider->userinfo_url, "{token.") &&
             !strstr(provider->userinfo_url, "{token.access_token}"));
}

static void plan_profile(na_request *request, const na_provider *provider,
                         const na_sign_in *sign_in)
{
    long interval = request->config->keeping.userinfo_interval;
    apr_int64_t due = apr_time_sec(request->now) + interval;
    if (interval && can_ask_again(provider))
        json_object_set_new(sign_in->claims, NA_CLAIM_PROFILE_DUE, json_integer(due));
}

static na_error *keep_tokens(na_request *request, const na_sign_in *sign_in, apr_int64_t expires)
{
    const na_registry *registry = na_kept_tokens_registry(request);
    const na_provider *provider =
        sign_in->tokens && registry ? provider_of(request, sign_in) : NULL;
    int keeps_all = request->config->keeping.is_on;
    if (!provider ||
        (!keeps_all && !(provider->logout == NA_LOGOUT_BOTH && sign_in->tokens->id_token)))
        return NULL;
    const na_store_key key = key_to_begin(request, sign_in->claims);
    json_t *json = na_json_own(request->pool, json_pack("{s:s}", PROVIDER, provider->id));
    set_text(json, SUBJECT, sign_in->tokens->subject);
    set_text(json, ACCOUNT_ID, sign_in->event.account_id);
    if (keeps_all) {
        na_kept_tokens_replace(json, sign_in->tokens);
        plan_profile(request, provider, sign_in);
    } else {
        set_text(json, ID, sign_in->tokens->id_token);
    }
    na_error *error = na_token_entry_add(registry, request->pool, &key, json, expires);
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
    const na_registry *registry = na_kept_tokens_registry(request);
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
    return na_kept_tokens_find_at(request, na_session_key(request->pool, session), kept, found);
}

na_error *na_kept_tokens_find_at(na_request *request, const na_store_key *session,
                                 na_kept_tokens *kept, int *found)
{
    const na_registry *registry = na_kept_tokens_registry(request);
    na_token_entry entry = {.json = NULL};
    if (registry)
        NA_TRY(na_token_entry_find(registry, request->pool, session, &entry));
    *found = entry.json != NULL;
    if (*found)
        na_kept_tokens_read(entry.json, kept);
    return NULL;
}
