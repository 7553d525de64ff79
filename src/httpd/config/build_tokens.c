/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthKeepTokens and NextAuthIdentityKey. */
#include <stddef.h>
#include <string.h>

#include "auth/identity_token.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"

/* Default seconds before an access token expires at which it is renewed. */
#define REFRESH_BEFORE 60

static na_error *as_seconds(na_builder *b, const char *value, void *member)
{
    return na_build_number(b, value, 0, 3600, member);
}

static na_error *as_interval(na_builder *b, const char *value, void *member)
{
    return na_build_number(b, value, 1, 7 * 24 * 3600, member);
}

static na_error *as_on_refusal(na_builder *b, const char *value, void *member)
{
    *(int *)member = strcmp(value, "end") == 0;
    return *(int *)member || strcmp(value, "mark") == 0
               ? NULL
               : na_wrong(b, "invalid onRefusal='%s': expected mark or end", value);
}

na_error *na_build_keep_tokens(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {
        {"refreshBefore", offsetof(na_keeping, refresh_before), as_seconds},
        {"userinfoInterval", offsetof(na_keeping, userinfo_interval), as_interval},
        {"onRefusal", offsetof(na_keeping, ends_refused), as_on_refusal},
        {"revoke", offsetof(na_keeping, revokes), na_as_switch},
        {NULL, 0, NULL}};
    b->config->keeping = (na_keeping){.refresh_before = REFRESH_BEFORE, .revokes = 1};
    NA_TRY(na_as_switch(b, w->argv[0], &b->config->keeping.is_on));
    return na_build_settings(b, w, 1, settings, &b->config->keeping);
}

/* Default seconds for which a JWT of the identity is valid. */
#define IDENTITY_LIFETIME 60

static na_error *as_lifetime(na_builder *b, const char *value, void *member)
{
    return na_build_number(b, value, 5, 3600, member);
}

na_error *na_build_identity_key(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"lifetime", offsetof(na_identity_signing, lifetime),
                                           as_lifetime},
                                          {NULL, 0, NULL}};
    na_identity_signing *identity = &b->config->identity;
    const char *pem;
    *identity = (na_identity_signing){.lifetime = IDENTITY_LIFETIME};
    NA_TRY(na_as_resolved(b, w->argv[0], &pem));
    na_build_warn_if_literal(b, "the key", w->argv[0]);
    na_error *error = na_jwks_from_pem(b->pool, pem, &identity->keys);
    if (!error && !na_identity_alg(identity->keys->keys[0]))
        error = na_wrong(b, "the first key cannot sign");
    if (error)
        return na_error_with_hint(na_error_wrap(b->pool, error, NULL,
                                                "expected private keys in PEM"),
                                  "set NextAuthIdentityKey file:PATH to keys without a passphrase");
    return na_build_settings(b, w, 1, settings, identity);
}

/* ── after all directives are read ─────────────────────────────────────────────────────────── */

static int keeps_tokens(const na_config *config)
{
    for (int i = 0; i < config->providers->nelts; i++)
        if (APR_ARRAY_IDX(config->providers, i, const na_provider *)->logout == NA_LOGOUT_BOTH)
            return 1;
    return config->keeping.is_on;
}

static na_error *check_store(na_builder *b)
{
    if (!b->config->keeping.is_on || b->plan->stores.names ||
        na_build_is_wrong(b, NextAuthSessionStore))
        return NULL;
    return na_error_with_hint(na_wrong(b, "NextAuthKeepTokens requires NextAuthSessionStore"),
                              "set NextAuthSessionStore redis, database, or socache");
}

na_error *na_build_finish_tokens(na_builder *b, const apr_array_header_t *written)
{
    na_config *config = b->config;
    na_build_look_at(b, na_last_of(written, NextAuthKeepTokens), NULL);
    NA_TRY(na_build_noted(b, check_store(b)));
    if (!keeps_tokens(config) || !b->plan->stores.names)
        return NULL;
    return na_record_keys_derive(b->pool, config->secrets, config->secret_count,
                                 config->session.site, NA_KEYS_OF_TOKENS,
                                 &config->session.token_keys);
}
