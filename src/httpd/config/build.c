/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a server's configuration from its directives and the environment. */
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "httpd/config/build.h"
#include "httpd/config/tenants.h"
#include "httpd/findings.h"
#include "httpd/resource/resource.h"

static na_error *set_directive(na_builder *b, const na_directive *w)
{
    na_build_look_at(b, w, NULL);
    return na_build_noted(b, na_directive_rows[w->id].set(b, w));
}

static na_error *set_stage_from(na_builder *b, const apr_array_header_t *written, int first,
                                na_stage stage)
{
    for (int i = first; i < written->nelts; i++) {
        const na_directive *w = &APR_ARRAY_IDX(written, i, na_directive);
        if (na_directive_rows[w->id].stage == stage)
            NA_TRY(set_directive(b, w));
    }
    return NULL;
}

static na_error *set_stage(na_builder *b, const apr_array_header_t *written, na_stage stage)
{
    return set_stage_from(b, written, 0, stage);
}

/* Adds the directives that variables stand for, and sets the mode, which others depend on. */
static na_error *build_variables(na_builder *b, apr_array_header_t *written)
{
    int first = written->nelts;
    NA_TRY(na_build_variables(b, written));
    return set_stage_from(b, written, first, NA_STAGE_MODE);
}

/* Trailers are merged into the headers after forged identity headers are removed. */
static na_error *check_trailers(na_builder *b)
{
    const core_server_config *core = ap_get_core_module_config(b->server->module_config);
    return core->merge_trailers == AP_MERGE_TRAILERS_ENABLE
               ? na_error_with_hint(
                     na_wrong(b, "MergeTrailers On lets clients forge identity headers"),
                     "set MergeTrailers Off")
               : NULL;
}

/*
 * No provider is needed if an application signs users in; it then has a sign-in page. Nor is one if
 * clients alone come, with access tokens.
 */
static na_error *check_providers(na_builder *b)
{
    if (b->config->providers->nelts || b->config->pages.sign_in || b->issuers->nelts ||
        na_build_is_wrong(b, NextAuthProvider) || na_build_is_wrong(b, NextAuthTokenIssuer))
        return NULL;
    if (b->left_out->nelts)
        return na_error_with_hint(na_wrong(b, "NextAuthFeature switches all providers off: users "
                                              "could not sign in"),
                                  "switch oauth or magicLinks on, or add another provider");
    return na_error_with_hint(na_wrong(b, "missing NextAuthProvider: users could not sign in"),
                              "add one (nextauthctl providers lists the built-in ones), or "
                              "set NextAuthPages signIn=/api/auth/signin if an application "
                              "signs users in");
}

static na_config *config_with_defaults(apr_pool_t *pool)
{
    na_config *config = apr_pcalloc(pool, sizeof *config);
    config->redirect_origins = apr_array_make(pool, 2, sizeof(const char *));
    config->sign_in_rules = apr_array_make(pool, 2, sizeof(na_sign_in_rule));
    config->roles = apr_array_make(pool, 4, sizeof(na_role_rule));
    config->claims = apr_array_make(pool, 4, sizeof(na_claim_rule));
    config->session_claims = apr_array_make(pool, 4, sizeof(const char *));
    config->session.identity_claims = apr_array_make(pool, 4, sizeof(na_identity_claim));
    config->session.lifetime.max_age = 30L * 24 * 3600;
    config->session.lifetime.brief = 24L * 3600;
    config->session.update_age = 24L * 3600;
    config->session.check_interval = NA_CHECK_INTERVAL;
    config->remember_days = 30;
    config->theme.color_scheme = "auto";
    config->page_templates = apr_table_make(pool, 1);
    config->languages = na_build_default_languages(pool);
    config->features = NA_FEATURE_OAUTH | NA_FEATURE_MAGIC_LINKS;
    config->password_rules = NA_PASSWORD_RULES_DEFAULT;
    for (int i = 0; i < NA_MAIL_KINDS; i++)
        config->mail_templates[i] = na_mail_template_default((na_mail_kind)i);
    config->http = (na_http_options){.timeout_ms = 10000,
                                     .connect_timeout_ms = 5000,
                                     .max_bytes = 1024 * 1024,
                                     .max_concurrent = 16};
    return config;
}

/* Sets what other directives depend on, independently of the order in the file. Only the last
 * NextAuthEnvFile is read. */
static na_error *build_early(na_builder *b, const apr_array_header_t *written)
{
    const na_directive *file = na_last_of(written, NextAuthEnvFile);
    if (file)
        NA_TRY(set_directive(b, file));
    NA_TRY(set_stage(b, written, NA_STAGE_MODE));
    return set_stage(b, written, NA_STAGE_FIRST);
}

static na_error *build_url(na_builder *b, const apr_array_header_t *written)
{
    if (na_build_is_wrong(b, NextAuthURL))
        return NULL;
    na_build_look_at(b, na_last_of(written, NextAuthURL), na_directive_name(NextAuthURL));
    NA_TRY(na_build_noted(b, na_build_finish_url(b)));
    if (na_build_is_wrong(b, NextAuthURL))
        return NULL;
    na_findings_name_site(b->server, b->config->origin);
    na_build_default_cookies(b);
    NA_TRY(set_stage(b, written, NA_STAGE_COOKIES));
    return na_build_finish_cookies(b, written);
}

/* Checks requirements that all directives together must meet. */
static na_error *check_requirements(na_builder *b, const apr_array_header_t *written)
{
    const na_directive *engine = na_last_of(written, NextAuthEngine);
    na_build_look_at(b, engine, na_directive_name(NextAuthSecret));
    NA_TRY(na_build_noted(b, na_build_finish_secrets(b)));
    na_build_look_at(b, engine, "MergeTrailers");
    NA_TRY(na_build_noted(b, check_trailers(b)));
    na_build_look_at(b, engine, na_directive_name(NextAuthProvider));
    return na_build_noted(b, check_providers(b));
}

static na_error *build_site(na_builder *b, apr_array_header_t *written)
{
    NA_TRY(build_variables(b, written));
    if (!na_build_is_wrong(b, NextAuthMode))
        NA_TRY(na_build_check_mode_sections(b));
    NA_TRY(set_stage(b, written, NA_STAGE_SITE));
    b->config->http.allow_http = b->config->mode != NA_PRODUCTION;
    NA_TRY(set_stage(b, written, NA_STAGE_PROVIDERS));
    NA_TRY(na_build_finish_providers(b, written));
    na_build_leave_out_providers(b);
    NA_TRY(set_stage(b, written, NA_STAGE_ISSUERS));
    NA_TRY(build_url(b, written));
    NA_TRY(check_requirements(b, written));
    if (!b->wrong->nelts)
        NA_TRY(na_build_derive_keys(b));
    na_build_finish_limits(b);
    NA_TRY(na_build_finish_tenants(b, written));
    NA_TRY(na_build_finish_users(b, written));
    NA_TRY(na_build_noted(b, na_build_finish_two_factor(b, written)));
    na_build_finish_access(b);
    na_build_look_at(b, na_last_of(written, NextAuthEvent), na_directive_name(NextAuthEvent));
    NA_TRY(na_build_noted(b, na_build_finish_delivery(b)));
    NA_TRY(na_build_noted(b, na_build_finish_log(b)));
    na_build_look_at(b, na_last_of(written, NextAuthAuditLog), na_directive_name(NextAuthAuditLog));
    NA_TRY(na_build_noted(b, na_build_finish_audit(b)));
    NA_TRY(na_build_finish_session(b, written));
    NA_TRY(na_build_finish_tokens(b, written));
    if (na_exposure_of(b->pool, b->server, b->config).how)
        b->config->theme.banner = b->config->mode == NA_TEST
                                      ? NA_TEXT("Test mode: do not use with real users")
                                      : NA_TEXT("Development mode: do not use with real users");
    return NULL;
}

/* Sections of a server without the engine were read in some mode, too. */
static na_error *check_sections_without_engine(na_builder *b, const apr_array_header_t *written)
{
    const char *name = na_environment_get(&b->environment, "NODE_ENV");
    if (name && !na_last_of(written, NextAuthMode))
        na_mode_find(name, &b->config->mode); /* an invalid one was an error of the section */
    return na_build_check_mode_sections(b);
}

static na_error *take_resources(na_builder *b)
{
    na_build_look_at(b, NULL, NULL);
    na_error *error = na_resources_take(b->pool, b->server, &b->at);
    na_build_look_at(b, b->at, NULL);
    return na_build_noted(b, error);
}

na_error *na_config_build(na_builder *b, apr_pool_t *pool, server_rec *s)
{
    na_server_conf *conf = na_server_conf_of(s);
    *b = (na_builder){.pool = pool,
                      .server = s,
                      .environment = {.pool = pool, .used = apr_table_make(pool, 16)},
                      .config = config_with_defaults(pool),
                      .plan = &conf->plan,
                      .secrets = apr_array_make(pool, 2, sizeof(const char *)),
                      .providers = apr_array_make(pool, 4, sizeof(na_provider *)),
                      .issuers = apr_array_make(pool, 1, sizeof(const na_issuer *)),
                      .issuer_origins = apr_array_make(pool, 1, sizeof(const server_rec *)),
                      .left_out = apr_array_make(pool, 1, sizeof(na_provider *)),
                      .provider_origins = apr_array_make(pool, 4, sizeof(const server_rec *)),
                      .accepted = 1 << NA_V4,
                      .wrong = apr_array_make(pool, 2, sizeof(const char *))};
    conf->config = NULL;
    conf->plan = (na_plan){0};
    b->config->providers = b->providers;
    b->config->issuers = b->issuers;
    NA_TRY(na_catalogue_load(pool, &b->catalogue));
    NA_TRY(build_early(b, conf->written));
    b->is_on = b->engine || na_build_is_wrong(b, NextAuthEngine);
    if (!b->is_on)
        return check_sections_without_engine(b, conf->written);
    NA_TRY(build_site(b, conf->written));
    if (!b->wrong->nelts) {
        conf->config = b->config;
        NA_TRY(take_resources(b));
    }
    conf->plan.variables = na_variables_note(&b->environment, b->config->providers, b->from_env);
    conf->plan.used_variables = b->environment.used;
    return NULL;
}
