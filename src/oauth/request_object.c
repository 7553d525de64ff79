/* SPDX-License-Identifier: Apache-2.0 */
/* Signed authorization requests (RFC 9101). */
#include "oauth/request_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "oauth/signing.h"

/* Seconds in which the browser has to arrive at the provider. */
#define LIFETIME 300

/* OpenID Connect Core 1.0 section 6.1: numbers and objects are such in JSON, too. */
static json_t *value_of(const na_oauth *oauth, const apr_table_entry_t *param)
{
    json_t *object;
    if (strcmp(param->key, "max_age") == 0)
        return json_integer(atol(param->val));
    if (strcmp(param->key, "claims") == 0 &&
        !na_json_parse(oauth->pool, NA_ERR_OAUTH_SIGNIN, param->val, strlen(param->val), &object) &&
        json_is_object(object))
        return json_incref(object);
    return json_string(param->val);
}

/* A parameter that is there several times (`resource`, RFC 8707 section 2) becomes a list. */
static void add_claim(const na_oauth *oauth, json_t *claims, const apr_table_entry_t *param)
{
    json_t *value = value_of(oauth, param), *other = json_object_get(claims, param->key);
    if (json_is_array(other))
        json_array_append_new(other, value);
    else
        json_object_set_new(claims, param->key, other ? json_pack("[O, o]", other, value) : value);
}

static json_t *claims_of(const na_oauth *oauth, const na_metadata *metadata,
                         const apr_table_t *params)
{
    const apr_array_header_t *list = apr_table_elts(params);
    json_t *claims = na_oauth_own_claims(oauth, metadata->issuer ? metadata->issuer
                                                                 : metadata->authorization_url);
    json_int_t now = apr_time_sec(oauth->now);
    for (int i = 0; i < list->nelts; i++)
        add_claim(oauth, claims, &APR_ARRAY_IDX(list, i, const apr_table_entry_t));
    json_object_set_new(claims, "nbf", json_integer(now));
    json_object_set_new(claims, "exp", json_integer(now + LIFETIME));
    return na_json_own(oauth->pool, claims);
}

/*
 * Section 5: beside the JWT, `client_id` alone counts. `response_type` and `scope` are for servers
 * of Core 1.0 section 6.1, which require them.
 */
na_error *na_oauth_sign_request(const na_oauth *oauth, const na_metadata *metadata,
                                apr_table_t **params)
{
    static const char *const kept[] = {"client_id", "response_type", "scope"};
    const char *token;
    na_signer signer;
    NA_TRY(na_oauth_signer(oauth, NULL, metadata->request_algs, &signer));
    NA_TRY(na_oauth_sign(oauth, &signer, "oauth-authz-req+jwt", claims_of(oauth, metadata, *params),
                         &token));
    apr_table_t *outer = apr_table_make(oauth->pool, 4);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (apr_table_get(*params, kept[i]))
            apr_table_setn(outer, kept[i], apr_table_get(*params, kept[i]));
    apr_table_setn(outer, "request", token);
    *params = outer;
    return NULL;
}
