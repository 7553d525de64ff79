/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "auth/subject.h"
#include "base/secret.h"
#include "base/url.h"
#include "httpd/config/build.h"

#define SECRET_MIN 32
#define MAKE_ONE "make one with 'nextauthctl secret'"

na_error *na_build_number(na_building *b, const char *text, long least, long most, long *number)
{
    char *end;
    *number = strtol(text, &end, 10);
    if (!*text || *end || *number < least || *number > most)
        return na_wrong(b, "'%s': a whole number from %ld to %ld is wanted", text, least, most);
    return NULL;
}

static na_error *set_engine(na_building *b, const na_written *w)
{
    return na_as_switch(b, w->argv[0], &b->engine);
}

static na_error *set_providers_from_env(na_building *b, const na_written *w)
{
    int ignored;
    return na_as_switch(b, w->argv[0], &ignored);
}

const char *na_mode_name(na_mode mode)
{
    static const char *const names[] = {
        [NA_PRODUCTION] = "production", [NA_DEVELOPMENT] = "development", [NA_TEST] = "test"};
    return names[mode];
}

na_error *na_build_mode(na_building *b, const char *name)
{
    for (int i = NA_PRODUCTION; i <= NA_TEST; i++) {
        if (strcmp(name, na_mode_name((na_mode)i)) != 0)
            continue;
        b->config->mode = (na_mode)i;
        return NULL;
    }
    return na_wrong(b, "'%s': production, development or test is wanted", name);
}

static na_error *set_mode(na_building *b, const na_written *w)
{
    return na_build_mode(b, w->argv[0]);
}

static na_error *set_url(na_building *b, const na_written *w)
{
    return na_value_resolve(&b->environment, w->argv[0], &b->url);
}

na_error *na_build_check_base_path(na_building *b, const char *path)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./~";
    size_t len = strlen(path);
    if (*path == '/' && len > 1 && path[len - 1] != '/' && !path[strspn(path, allowed)] &&
        !strstr(path, "//") && !strstr(path, "/."))
        return NULL;
    return na_error_with_hint(na_wrong(b, "'%s' is no base path", path),
                              "something like /api/auth is wanted: letters, digits and - _ . ~ "
                              "between slashes, and none at the end");
}

static na_error *set_base_path(na_building *b, const na_written *w)
{
    NA_TRY(na_build_check_base_path(b, w->argv[0]));
    b->base_path = w->argv[0];
    return NULL;
}

/* Tests and examples have such secrets, which must never become those of a site. */
static na_error *check_strength(na_building *b, const char *secret)
{
    const char *weakness = na_secret_weakness(b->pool, secret);
    if (!weakness)
        return NULL;
    na_error *error = na_error_with_hint(na_wrong(b, "%s", weakness), MAKE_ONE);
    if (b->config->mode == NA_PRODUCTION)
        return error;
    na_build_warn(b, error);
    return NULL;
}

/* NextAuth takes any: an application's sessions can be taken over by a developer's machine. */
static na_error *check_length(na_building *b, const char *secret)
{
    size_t len = strlen(secret);
    if (len >= SECRET_MIN)
        return NULL;
    na_error *error = na_error_with_hint(
        na_wrong(b,
                 "the secret is %d bytes; at least %d are required in production, since whoever "
                 "guesses a shorter one can sign in as any user",
                 (int)len, SECRET_MIN),
        MAKE_ONE);
    if (!len || b->config->mode == NA_PRODUCTION)
        return error;
    na_build_warn_aloud(b, error);
    return NULL;
}

na_error *na_build_add_secret(na_building *b, const char *secret)
{
    NA_TRY(check_length(b, secret));
    if (!na_is_utf8(secret))
        return na_error_with_hint(na_wrong(b, "the secret is not UTF-8"), MAKE_ONE);
    NA_TRY(check_strength(b, secret));
    APR_ARRAY_PUSH(b->secrets, const char *) = secret;
    return NULL;
}

static na_error *set_secret(na_building *b, const na_written *w)
{
    apr_array_clear(b->secrets);
    for (int i = 0; i < w->argc; i++) {
        const char *secret;
        NA_TRY(na_value_resolve(&b->environment, w->argv[i], &secret));
        NA_TRY(na_build_add_secret(b, secret));
        na_build_warn_if_literal(b, "the secret", w->argv[i]);
    }
    return NULL;
}

static int is_name(const char *name)
{
    return *name && strlen(name) <= 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") ==
               strlen(name);
}

static na_error *as_unbound(na_building *b, const char *value, void *member)
{
    int accept = strcmp(value, "accept") == 0;
    *(na_unbound *)member = accept ? NA_UNBOUND_ACCEPT : NA_UNBOUND_REFUSE;
    return accept || strcmp(value, "refuse") == 0
               ? NULL
               : na_wrong(b, "invalid unbound='%s': expected accept or refuse", value);
}

/* An address has slashes, a name none: neither can be taken for the other. */
static na_error *set_site(na_building *b, const na_written *w)
{
    static const na_setting settings[] = {{"unbound", offsetof(na_config, unbound), as_unbound},
                                          {NULL, 0, NULL}};
    if (!is_name(w->argv[0]))
        return na_wrong(b,
                        "invalid name '%s': expected 1 to 64 letters, digits and - _ . :, then "
                        "unbound=",
                        w->argv[0]);
    b->config->site_name = w->argv[0];
    b->config->unbound = NA_UNBOUND_AUTO; /* not what another server had */
    return na_build_settings(b, w, 1, settings, b->config);
}

static na_error *dialect_of(na_building *b, const char *name, na_dialect *dialect)
{
    *dialect = strcmp(name, "v5") == 0 ? NA_V5 : NA_V4;
    return *dialect == NA_V5 || strcmp(name, "v4") == 0
               ? NULL
               : na_wrong(b, "'%s': v4 or v5 is wanted", name);
}

static na_error *set_compat(na_building *b, const na_written *w)
{
    NA_TRY(dialect_of(b, w->argv[0], &b->config->dialect));
    b->accepted = 1 << b->config->dialect;
    for (int i = 1; i < w->argc; i++) {
        if (strncmp(w->argv[i], "accept=", 7) != 0)
            return na_wrong(b, "'%s': accept=v4,v5 is wanted", w->argv[i]);
        char *last, *list = apr_pstrdup(b->pool, w->argv[i] + 7);
        for (char *name = apr_strtok(list, ",", &last); name; name = apr_strtok(NULL, ",", &last)) {
            na_dialect dialect;
            NA_TRY(dialect_of(b, name, &dialect));
            b->accepted |= 1 << dialect;
        }
    }
    return NULL;
}

/* What a virtual host says goes before what it inherits: the first rule that is true decides. */
static na_sign_in_rule *make_room_for_rule(na_building *b, const na_written *w)
{
    apr_array_header_t *rules = (apr_array_header_t *)b->config->sign_in_rules;
    int at = w->server == b->server ? b->own_rules++ : rules->nelts;
    apr_array_push(rules);
    na_sign_in_rule *list = (na_sign_in_rule *)rules->elts;
    memmove(list + at + 1, list + at, (size_t)(rules->nelts - 1 - at) * sizeof *list);
    return list + at;
}

static na_error *add_sign_in_rule(na_building *b, const na_written *w)
{
    int allow = strcmp(w->argv[0], "allow") == 0;
    if (!allow && strcmp(w->argv[0], "deny") != 0)
        return na_wrong(b, "'%s': allow or deny is wanted", w->argv[0]);
    *make_room_for_rule(b, w) = (na_sign_in_rule){allow, (const na_expression *)w->expression};
    return NULL;
}

/* "%{PROFILE:groups}" where that is all there is; NULL where it is not. */
static na_error *lookup_of(na_building *b, const char *text, const na_lookup **found)
{
    na_lookup *lookup = apr_palloc(b->pool, sizeof *lookup);
    *found = NULL;
    if (!na_lookup_parse(b->pool, text, lookup))
        return NULL;
    if (!na_part_has(lookup->part, lookup->path))
        return na_wrong(b, "'%s': there are %s", text, na_part_names(lookup->part));
    *found = lookup;
    return NULL;
}

static na_error *add_role(na_building *b, const na_written *w)
{
    na_role_rule rule = {.name = w->argv[0], .expression = (const na_expression *)w->expression};
    NA_TRY(lookup_of(b, w->argv[0], &rule.list));
    if (rule.list)
        rule.name = NULL;
    else if (!is_name(w->argv[0]))
        return na_wrong(b,
                        "'%s': a role is named with letters, digits and - _ . :, or is "
                        "%%{PROFILE:…}, each element of a list",
                        w->argv[0]);
    APR_ARRAY_PUSH((apr_array_header_t *)b->config->roles, na_role_rule) = rule;
    return NULL;
}

/* A token in the session is the administrator's choice, and never a cheap one. */
static void warn_if_token(na_building *b, const na_written *w)
{
    static const char *const tokens[] = {"access_token", "refresh_token", "id_token"};
    for (int i = 0; ap_strcasestr(w->argv[1], "ACCOUNT") && i < 3; i++) {
        if (!strstr(w->argv[1], tokens[i]))
            continue;
        const na_error *warning = na_error_with_hint(
            na_wrong(b,
                     "keeps the provider's %s in the session: it makes the cookie large, and "
                     "applications get it",
                     tokens[i]),
            "set NextAuthSessionStrategy database, or remove the claim");
        if (!na_build_warn(b, warning))
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, b->server,
                         "%s on line %d of %s: %s", w->directive, w->line, w->file,
                         na_error_text(b->pool, warning));
    }
}

static na_error *add_claim(na_building *b, const na_written *w)
{
    static const char *const ours[] = {"sub",
                                       "iat",
                                       "exp",
                                       "nbf",
                                       "jti",
                                       "aud",
                                       "iss",
                                       NA_CLAIM_SESSION_ID,
                                       NA_CLAIM_AUTH_TIME,
                                       NA_CLAIM_PROVIDER,
                                       NA_CLAIM_ROLES,
                                       NA_CLAIM_BINDING,
                                       NA_CLAIM_REGISTERED,
                                       NA_CLAIM_SITE,
                                       NA_CLAIM_REVISION,
                                       NA_CLAIM_DATABASE_USER,
                                       NA_CLAIM_DATABASE_ROLES};
    for (apr_size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(w->argv[0], ours[i]) == 0)
            return na_error_with_hint(
                na_wrong(b, "'%s' is a claim of the session's own (roles are NextAuthRole's)",
                         w->argv[0]),
                "choose another name");
    if (!is_name(w->argv[0]))
        return na_wrong(b, "'%s': a claim is named with letters, digits and - _ . :", w->argv[0]);
    na_claim_rule rule = {.name = w->argv[0], .expression = (const na_expression *)w->expression};
    NA_TRY(lookup_of(b, w->argv[1], &rule.value));
    warn_if_token(b, w);
    APR_ARRAY_PUSH((apr_array_header_t *)b->config->claims, na_claim_rule) = rule;
    APR_ARRAY_PUSH((apr_array_header_t *)b->config->session.identity_claims, const char *) =
        w->argv[0];
    return NULL;
}

static na_error *add_session_claims(na_building *b, const na_written *w)
{
    for (int i = 0; i < w->argc; i++) {
        if (strcmp(w->argv[i], NA_CLAIM_SESSION_ID) == 0)
            return na_error_with_hint(
                na_wrong(b, "'%s' is as good as the session's cookie: scripts must not see it",
                         w->argv[i]),
                "leave it out");
        APR_ARRAY_PUSH((apr_array_header_t *)b->config->session_claims, const char *) = w->argv[i];
    }
    return NULL;
}

static na_error *add_redirect_origins(na_building *b, const na_written *w)
{
    for (int i = 0; i < w->argc; i++) {
        na_url url;
        if (!na_url_parse(b->pool, w->argv[i], &url) || (*url.path && strcmp(url.path, "/") != 0))
            return na_wrong(b, "'%s': an origin is wanted, https://host[:port]", w->argv[i]);
        APR_ARRAY_PUSH((apr_array_header_t *)b->config->redirect_origins, const char *) =
            url.origin;
    }
    return NULL;
}

/* Clear Site Data, section 3.1 */
static int is_site_data(const char *type)
{
    static const char *const types[] = {"cache", "cookies", "storage", "executionContexts", "*"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0)
            return 1;
    return 0;
}

static na_error *set_clear_site_data(na_building *b, const na_written *w)
{
    apr_array_header_t *quoted = apr_array_make(b->pool, w->argc, sizeof(const char *));
    b->config->clear_site_data = NULL;
    if (w->argc == 1 && ap_cstr_casecmp(w->argv[0], "Off") == 0)
        return NULL;
    for (int i = 0; i < w->argc; i++) {
        if (!is_site_data(w->argv[i]))
            return na_wrong(b,
                            "invalid type '%s': expected cache, cookies, storage, "
                            "executionContexts or *, or Off alone",
                            w->argv[i]);
        APR_ARRAY_PUSH(quoted, const char *) = apr_pstrcat(b->pool, "\"", w->argv[i], "\"", NULL);
    }
    b->config->clear_site_data = na_join(b->pool, quoted, ", ");
    return NULL;
}

static const struct {
    const char *directive;
    int early; /* before the others, whatever the order in the file */
    na_interpreter *run;
} interpreters[] = {
    {"NextAuthMode", 1, set_mode},
    {"NextAuthEngine", 1, set_engine},
    {"NextAuthURL", 0, set_url},
    {"NextAuthBasePath", 0, set_base_path},
    {"NextAuthSite", 0, set_site},
    {"NextAuthSecret", 0, set_secret},
    {"NextAuthCompat", 0, set_compat},
    {"NextAuthSessionMaxAge", 0, na_build_max_age},
    {"NextAuthSessionUpdateAge", 0, na_build_update_age},
    {"NextAuthSessionIdleTimeout", 0, na_build_idle_timeout},
    {"NextAuthSessionAbsoluteTimeout", 0, na_build_absolute_timeout},
    {"NextAuthSessionStrategy", 0, na_build_strategy},
    {"NextAuthSessionBind", 0, na_build_bind},
    {"NextAuthSessionStore", 0, na_build_session_store},
    {"NextAuthSOCache", 0, na_build_socache},
    {"NextAuthRedis", 0, na_build_redis},
    {"NextAuthDatabase", 0, na_build_database},
    {"NextAuthRoleColumn", 0, na_build_role_column},
    {"NextAuthFeature", 0, na_build_feature},
    {"NextAuthRateLimit", 0, na_build_rate_limit},
    {"NextAuthPasswords", 0, na_build_passwords},
    {"NextAuthMail", 0, na_build_mail},
    {"NextAuthMailTemplate", 0, na_build_mail_template},
    {"NextAuthProvidersFromEnv", 0, set_providers_from_env},
    {"NextAuthPages", 0, na_build_pages},
    {"NextAuthTheme", 0, na_build_theme},
    {"NextAuthSignInRule", 0, add_sign_in_rule},
    {"NextAuthRedirectAllow", 0, add_redirect_origins},
    {"NextAuthClearSiteData", 0, set_clear_site_data},
    {"NextAuthRole", 0, add_role},
    {"NextAuthClaim", 0, add_claim},
    {"NextAuthSessionClaim", 0, add_session_claims},
    {"NextAuthEvent", 0, na_build_event},
    {"NextAuthEventQueue", 0, na_build_event_queue},
    {"NextAuthSentry", 0, na_build_sentry},
    {"NextAuthAuditLog", 0, na_build_audit_log},
    {"NextAuthHTTP", 0, na_build_http},
    {"NextAuthLog", 0, na_build_log},
    {"NextAuthStatsD", 0, na_build_statsd},
};

na_error *na_build_interpret(na_building *b, const na_written *w, int early)
{
    for (apr_size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++)
        if (interpreters[i].early == early && strcmp(interpreters[i].directive, w->directive) == 0)
            return interpreters[i].run(b, w);
    return NULL;
}
