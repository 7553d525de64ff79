/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/url.h"
#include "oauth/oauth.h"

#define FIELDS_MAX 64

/* What a page that starts a sign-in may not choose. */
static const char *const reserved[] = {"client_id",     "redirect_uri",
                                       "response_type", "response_mode",
                                       "state",         "nonce",
                                       "request",       "code_challenge_method",
                                       "request_uri",   "code_challenge"};

static int is_reserved(const char *name)
{
    for (apr_size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcasecmp(name, reserved[i]) == 0)
            return 1;
    return 0;
}

static int copy_unless_reserved(void *table, const char *name, const char *value)
{
    if (!is_reserved(name))
        apr_table_setn(table, name, value);
    return 1;
}

static void set_checks(const na_oauth *oauth, const na_checks *checks, apr_table_t *params)
{
    if (checks->state)
        apr_table_setn(params, "state", checks->state);
    if (checks->nonce)
        apr_table_setn(params, "nonce", checks->nonce);
    if (!checks->code_verifier)
        return;
    unsigned char hash[NA_SHA256_LEN]; /* RFC 7636 section 4.2: S256 */
    na_sha256(hash, na_bytes_of(checks->code_verifier), (na_bytes){0});
    apr_table_setn(params, "code_challenge", na_base64url_encode(oauth->pool, hash, sizeof hash));
    apr_table_setn(params, "code_challenge_method", "S256");
}

na_error *na_oauth_authorization_url(const na_oauth *oauth, const na_metadata *metadata,
                                     const na_checks *checks, const apr_table_t *asked, char **url)
{
    const na_provider *provider = oauth->provider;
    apr_table_t *params = apr_table_make(oauth->pool, 12);
    if (provider->scope)
        apr_table_setn(params, "scope", provider->scope);
    apr_table_do(copy_unless_reserved, params,
                 na_form_parse(oauth->pool, provider->authorization_params, FIELDS_MAX), NULL);
    apr_table_do(copy_unless_reserved, params, asked, NULL);
    apr_table_setn(params, "client_id", provider->client_id);
    apr_table_setn(params, "response_type", "code");
    apr_table_setn(params, "redirect_uri", oauth->redirect_uri);
    set_checks(oauth, checks, params);

    *url = na_url_add_all(oauth->pool, metadata->authorization_url, params);
    na_oauth_step(oauth, "GET_AUTHORIZATION_URL",
                  "on to %s: client %s, scope '%s', redirect to %s, checks%s%s%s",
                  metadata->authorization_url, provider->client_id,
                  provider->scope ? provider->scope : "", oauth->redirect_uri,
                  checks->state ? " state" : "", checks->nonce ? " nonce" : "",
                  checks->code_verifier ? " pkce" : "");
    return NULL;
}
