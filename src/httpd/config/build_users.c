/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPasswords, and what users in the database require. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/url.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"
#include "httpd/config/sections.h"
#include "webauthn/webauthn.h"

static na_error *as_length(na_builder *b, const char *value, void *member)
{
    long length;
    NA_TRY(na_build_number(b, value, 8, 64, &length));
    *(int *)member = (int)length;
    return NULL;
}

static na_error *as_hash_kind(na_builder *b, const char *value, void *member)
{
    return na_hash_kind_parse(b->pool, value, member);
}

/* Five hexadecimal digits are appended to the URL, so it must end with a slash or an equals sign.
 */
static na_error *as_range_service(na_builder *b, const char *value, void *member)
{
    na_url url;
    int is_url = na_url_parse(b->pool, value, &url);
    size_t len = strlen(value);
    if (!is_url || strchr(value, '#') || (value[len - 1] != '/' && value[len - 1] != '='))
        return na_error_with_hint(na_wrong(b,
                                           "invalid breached='%s': expected an HTTPS URL that "
                                           "ends with '/' or '='",
                                           value),
                                  "set breached=https://api.pwnedpasswords.com/range/");
    if (b->config->mode == NA_PRODUCTION && strcmp(url.scheme, "https") != 0)
        return na_wrong(b, "invalid breached='%s': expected an HTTPS URL in production", value);
    *(const char **)member = value;
    return NULL;
}

na_error *na_build_passwords(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"minLength", offsetof(na_password_rules, min_characters),
                                           as_length},
                                          {"hash", offsetof(na_password_rules, kind), as_hash_kind},
                                          {"breached", offsetof(na_password_rules, breached),
                                           as_range_service},
                                          {NULL, 0, NULL}};
    return na_build_settings(b, w, 0, settings, &b->config->password_rules);
}

/* Passwords of unknown users are verified against a hash that no user has, which takes as long. */
static na_error *finish_passwords(na_builder *b)
{
    return na_password_hash(b->pool, b->config->password_rules.kind,
                            na_random_base64url(b->pool, 24), &b->config->nobodys_hash);
}

/* ── after all directives are read ─────────────────────────────────────────────────────────── */

static int lacks_mail(const na_builder *b)
{
    return !b->config->mail && !na_build_is_wrong(b, NextAuthMail);
}

static int lacks_database(const na_builder *b)
{
    return !b->config->database && !na_build_is_wrong(b, NextAuthDatabase);
}

static na_error *check_device_login(na_builder *b)
{
    return b->config->features & NA_FEATURE_DEVICE_LOGIN && lacks_database(b)
               ? na_error_with_hint(na_wrong(b, "NextAuthFeature deviceLogin requires "
                                                "NextAuthDatabase, which has the access tokens"),
                                    "set NextAuthDatabase")
               : NULL;
}

/* The account page is of use without email, too; only the email address cannot be changed then. */
static na_error *check_features(na_builder *b)
{
    int features = b->config->features;
    NA_TRY(check_device_login(b));
    if (features & NA_FEATURES_OF_USERS && lacks_database(b))
        return na_error_with_hint(na_wrong(b, "NextAuthFeature requires NextAuthDatabase"),
                                  "set NextAuthDatabase");
    if (features & (NA_FEATURE_SIGN_UP | NA_FEATURE_RESET) && lacks_mail(b))
        return na_error_with_hint(na_wrong(b, "NextAuthFeature signUp and passwordReset require "
                                              "NextAuthMail to send links"),
                                  "set NextAuthMail");
    return NULL;
}

/* mod_authnz_ldap uses the LDAP directory that is configured for the request's path. */
static void check_ldap(na_builder *b, const na_provider *p)
{
    const char *path = apr_pstrcat(b->pool, b->config->base_path, "/callback/", p->id, NULL);
    for (int i = 0; p->authn_providers && i < p->authn_providers->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(p->authn_providers, i, const char *), "ldap") == 0 &&
            !na_location_has(b->server, path, "AuthLDAPURL"))
            na_build_warn_aloud(
                b, na_error_with_hint(na_wrong(b,
                                               "missing AuthLDAPURL for %s, where passwords are "
                                               "verified: users cannot sign in",
                                               path),
                                      apr_pstrcat(b->pool, "set AuthLDAPURL in <Location ", path,
                                                  ">", NULL)));
}

/*
 * Each host derives a copy of the provider, with its own RP ID unless rpID= is set. A host that
 * stands for those of a wildcard shows what is wrong.
 */
static na_error *check_passkeys_of_hosts(na_builder *b, const na_provider *p)
{
    for (int i = 0; i < b->config->hosts->nelts; i++) {
        const na_host_pattern *host = &APR_ARRAY_IDX(b->config->hosts, i, na_host_pattern);
        char *origin = apr_pstrdup(b->pool, host->origin), *star = strchr(origin, '*');
        na_provider copy = *p;
        if (star)
            *star = 'x';
        NA_TRY(na_provider_finish_passkey(b->pool, &copy, origin));
    }
    return NULL;
}

static na_error *finish_passkey(na_builder *b, na_provider *p)
{
    if (!na_webauthn_is_here())
        return na_error_with_hint(
            na_wrong(b, "provider '%s' is not supported: this build has no libfido2", p->id),
            "install libfido2-dev and libcbor-dev, and build again");
    for (int i = 0; i < b->providers->nelts; i++) {
        const na_provider *other = APR_ARRAY_IDX(b->providers, i, const na_provider *);
        if (other != p && other->type == NA_WEBAUTHN)
            return na_error_with_hint(na_wrong(b, "providers '%s' and '%s' both have type=webauthn",
                                               other->id, p->id),
                                      "remove one of them");
    }
    return b->config->is_by_host ? check_passkeys_of_hosts(b, p)
           : b->config->origin   ? na_provider_finish_passkey(b->pool, p, b->config->origin)
                                 : NULL;
}

static na_error *check_provider(na_builder *b, na_provider *p)
{
    if (b->config->base_path)
        check_ldap(b, p);
    if (p->type == NA_EMAIL && lacks_mail(b))
        return na_error_with_hint(
            na_wrong(b, "provider '%s' requires NextAuthMail, or EMAIL_SERVER in the environment",
                     p->id),
            "set NextAuthMail to the service or mail server that sends the links");
    if ((p->type == NA_EMAIL || p->type == NA_WEBAUTHN || p->in_database) && lacks_database(b))
        return na_error_with_hint(na_wrong(b, "provider '%s' requires NextAuthDatabase", p->id),
                                  "set NextAuthDatabase, then run nextauthctl migrate");
    if (p->type == NA_WEBAUTHN)
        return finish_passkey(b, p);
    return p->in_database ? finish_passwords(b) : NULL;
}

static const na_directive *provider_directive(const apr_array_header_t *written, const char *id)
{
    for (int i = written->nelts - 1; i >= 0; i--) {
        const na_directive *w = &APR_ARRAY_IDX(written, i, na_directive);
        if (w->id == NextAuthProvider && strcmp(w->argv[0], id) == 0)
            return w;
    }
    return NULL;
}

na_error *na_build_finish_users(na_builder *b, const apr_array_header_t *written)
{
    na_build_look_at(b, na_last_of(written, NextAuthFeature), NULL);
    NA_TRY(na_build_noted(b, check_features(b)));
    for (int i = 0; i < b->providers->nelts; i++) {
        na_provider *p = APR_ARRAY_IDX(b->providers, i, na_provider *);
        na_build_look_at(b, provider_directive(written, na_provider_configured_id(p)),
                         na_directive_name(NextAuthProvider));
        NA_TRY(na_build_noted(b, check_provider(b, p)));
    }
    return NULL;
}
