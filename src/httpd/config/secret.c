/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of a site, the keys derived from them, and warnings of secrets in plain text. */
#include <string.h>

#include <apr_strings.h>

#include "auth/redirect_proxy.h"
#include "base/secret.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"

#define SECRET_MIN 32
#define GENERATE_ONE "generate one with 'nextauthctl secret'"

static int is_literal(const char *value)
{
    return strncmp(value, "env:", 4) != 0 && strncmp(value, "file:", 5) != 0 &&
           strncmp(value, "exec:", 5) != 0;
}

void na_build_warn_if_literal(const na_builder *b, const char *what, const char *value)
{
    if (b->config->mode != NA_PRODUCTION || !is_literal(value))
        return;
    const na_error *warning =
        na_error_with_hint(na_wrong(b, "%s is in plain text, and mod_info shows it", what),
                           "use env:NAME, file:PATH or exec:COMMAND");
    na_build_warn_aloud(b, warning);
}

na_error *na_as_secret(na_builder *b, const char *value, void *member)
{
    na_build_warn_if_literal(b, apr_pstrcat(b->pool, b->key, "=", NULL), value);
    return na_value_resolve(&b->environment, value, member);
}

/* "scheme://user:password@host"; libpq accepts a password in the query, too. */
static int has_password(const char *url)
{
    const char *scheme = strstr(url, "://"), *user = scheme ? scheme + 3 : url;
    const char *colon = strchr(user, ':');
    return (colon && strchr(colon, '@')) || strstr(user, "password=");
}

na_error *na_as_url(na_builder *b, const char *value, void *member)
{
    if (has_password(value))
        na_build_warn_if_literal(b, "the password in the URL", value);
    return na_value_resolve(&b->environment, value, member);
}

/* ── NextAuthSecret ────────────────────────────────────────────────────────────────────────── */

/* Weak secrets are usual in tests and examples, and must not be used in production. */
static na_error *check_strength(na_builder *b, const char *secret)
{
    const char *weakness = na_secret_weakness(b->pool, secret);
    if (!weakness)
        return NULL;
    na_error *error = na_error_with_hint(na_wrong(b, "%s", weakness), GENERATE_ONE);
    if (b->config->mode == NA_PRODUCTION)
        return error;
    na_build_warn(b, error);
    return NULL;
}

/* NextAuth accepts any length, so a short one is allowed outside production. */
static na_error *check_length(na_builder *b, const char *secret)
{
    size_t len = strlen(secret);
    if (len >= SECRET_MIN)
        return NULL;
    na_error *error = na_error_with_hint(
        na_wrong(b,
                 "the secret is %d bytes; at least %d are required in production, because anyone "
                 "who guesses a shorter one can sign in as any user",
                 (int)len, SECRET_MIN),
        GENERATE_ONE);
    if (!len || b->config->mode == NA_PRODUCTION)
        return error;
    na_build_warn_aloud(b, error);
    return NULL;
}

static na_error *add_secret(na_builder *b, const char *secret)
{
    NA_TRY(check_length(b, secret));
    if (!na_is_utf8(secret))
        return na_error_with_hint(na_wrong(b, "the secret is not UTF-8"), GENERATE_ONE);
    NA_TRY(check_strength(b, secret));
    APR_ARRAY_PUSH(b->secrets, const char *) = secret;
    return NULL;
}

na_error *na_build_secret(na_builder *b, const na_directive *w)
{
    apr_array_clear(b->secrets);
    for (int i = 0; i < w->argc; i++) {
        const char *secret;
        if (w->is_variable) /* one of several */
            na_build_look_at_variable(b, w->argv[i] + strlen("env:"), na_directive_name(w->id));
        NA_TRY(na_value_resolve(&b->environment, w->argv[i], &secret));
        NA_TRY(add_secret(b, secret));
        na_build_warn_if_literal(b, "the secret", w->argv[i]);
    }
    return NULL;
}

na_error *na_build_finish_secrets(na_builder *b)
{
    if (na_build_is_wrong(b, NextAuthSecret) || na_build_is_wrong(b, NextAuthEnvFile))
        return NULL;
    if (!b->secrets->nelts)
        return na_error_with_hint(
            na_wrong(b, "missing NextAuthSecret, and NEXTAUTH_SECRET is not set"),
            "generate one with 'nextauthctl secret' and set NextAuthSecret file:PATH");
    b->config->secrets = (const char *const *)b->secrets->elts;
    b->config->secret_count = b->secrets->nelts;
    return NULL;
}

static na_error *derive_foreign_keys(na_builder *b, na_foreign_checks *checks, na_dialect dialect)
{
    const na_config *config = b->config;
    for (int i = NA_COOKIE_STATE; i <= NA_COOKIE_NONCE; i++)
        NA_TRY(na_keyring_derive(b->pool, dialect, config->secrets, config->secret_count,
                                 checks->cookies[i].name, &checks->rings[i]));
    return NULL;
}

na_error *na_build_derive_keys(na_builder *b)
{
    na_config *config = b->config;
    for (int i = 0; i < config->session.source_count; i++) {
        na_session_source *source = &config->session.sources[i];
        source->name_len = strlen(source->cookie.name);
        NA_TRY(na_keyring_derive(b->pool, source->dialect, config->secrets, config->secret_count,
                                 source->dialect == NA_V4 ? "" : source->cookie.name,
                                 &source->ring));
    }
    NA_TRY(na_redirect_proxy_derive(b->pool, config->secrets, config->secret_count,
                                    &config->proxy_ring));
    NA_TRY(na_limits_derive(b->pool, &config->limits, config->secrets[0]));
    NA_TRY(na_keyring_derive(b->pool, config->dialect, config->secrets, config->secret_count,
                             "mod_nextauth devices", &config->device_ring));
    NA_TRY(na_keyring_derive(b->pool, config->dialect, config->secrets, config->secret_count,
                             "mod_nextauth sign-outs", &config->signout_ring));
    NA_TRY(na_keyring_derive(b->pool, config->dialect, config->secrets, config->secret_count,
                             config->cookies[NA_COOKIE_KNOWN_BROWSER].name, &config->limits.known));
    for (int i = NA_COOKIE_STATE; i < NA_COOKIE_COUNT; i++)
        NA_TRY(na_keyring_derive(b->pool, config->dialect, config->secrets, config->secret_count,
                                 config->cookies[i].name, &config->check_rings[i]));
    for (int k = 0; k < config->foreign_count; k++)
        NA_TRY(
            derive_foreign_keys(b, &config->foreign_checks[k], config->session.sources[k].dialect));
    return NULL;
}
