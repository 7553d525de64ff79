/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthTokenIssuer: authorization servers whose access tokens are accepted. */
#include <string.h>

#include <apr_strings.h>

#include "base/spelling.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"
#include "httpd/config/tenants.h"
#include "jose/jws.h"

#define CACHE_DEFAULT 60
#define CACHE_MAX 3600

/* An issuer while its directive is read; `provider` can be changed. */
typedef struct issuer_parts {
    na_issuer issuer;
    na_provider *provider;
} issuer_parts;

/* ── options ───────────────────────────────────────────────────────────────────────────────── */

static apr_array_header_t *split(apr_pool_t *pool, const char *value)
{
    apr_array_header_t *words = apr_array_make(pool, 2, sizeof(const char *));
    char *last, *list = apr_pstrdup(pool, value);
    for (char *word = apr_strtok(list, " ", &last); word; word = apr_strtok(NULL, " ", &last))
        APR_ARRAY_PUSH(words, const char *) = word;
    return words;
}

static na_error *set_audience(na_builder *b, const char *value, void *parts)
{
    const apr_array_header_t *audiences = split(b->pool, value);
    ((issuer_parts *)parts)->issuer.audiences = audiences;
    return audiences->nelts ? NULL : na_wrong(b, "audience= is empty");
}

static int is_asymmetric(const char *alg)
{
    return na_jws_alg_known(alg) && strncmp(alg, "HS", 2) != 0;
}

/* RFC 9068 section 4 and RFC 8725 section 3.1: a list, and no secret of the issuer. */
static na_error *set_algorithms(na_builder *b, const char *value, void *parts)
{
    apr_array_header_t *algs = split(b->pool, value);
    for (int i = 0; i < algs->nelts; i++) {
        if (!is_asymmetric(APR_ARRAY_IDX(algs, i, const char *)))
            return na_wrong(b,
                            "invalid algorithms=%s: expected a list of RS256 to PS512, ES256 to "
                            "ES512, and EdDSA",
                            value);
    }
    APR_ARRAY_PUSH(algs, const char *) = NULL;
    ((issuer_parts *)parts)->issuer.algs = (const char *const *)algs->elts;
    return algs->nelts > 1 ? NULL : na_wrong(b, "algorithms= is empty");
}

static na_error *set_token_type(na_builder *b, const char *value, void *parts)
{
    int is_any = strcmp(value, "JWT") == 0;
    ((issuer_parts *)parts)->issuer.accepts_any_type = is_any;
    return is_any || strcmp(value, "at+jwt") == 0
               ? NULL
               : na_wrong(b, "invalid tokenType=%s: expected at+jwt or JWT", value);
}

static na_error *set_cache(na_builder *b, const char *value, void *parts)
{
    return na_build_number(b, value, 0, CACHE_MAX, &((issuer_parts *)parts)->issuer.cache);
}

static na_error *set_introspection(na_builder *b, const char *value, void *parts)
{
    static const char *const names[] = {[NA_INTROSPECTS_NONE] = "off",
                                        [NA_INTROSPECTS_OPAQUE] = "opaque",
                                        [NA_INTROSPECTS_ALL] = "always"};
    for (int i = NA_INTROSPECTS_NONE; i <= NA_INTROSPECTS_ALL; i++)
        if (strcmp(names[i], value) == 0) {
            ((issuer_parts *)parts)->issuer.introspects = (na_introspects)i;
            return NULL;
        }
    return na_wrong(b, "invalid introspection=%s: expected off, opaque, or always", value);
}

static na_error *set_introspection_url(na_builder *b, const char *value, void *parts)
{
    ((issuer_parts *)parts)->issuer.introspection_url = value;
    return NULL;
}

static na_error *set_introspection_alg(na_builder *b, const char *value, void *parts)
{
    ((issuer_parts *)parts)->issuer.introspection_alg = value;
    return is_asymmetric(value)
               ? NULL
               : na_wrong(b,
                          "invalid introspection_signed_response_alg=%s: expected RS256 to PS512, "
                          "ES256 to ES512, or EdDSA",
                          value);
}

static na_error *set_binding(na_builder *b, const char *value, void *parts)
{
    static const char *const names[] = {[NA_BINDING_ANY] = "any",
                                        [NA_BINDING_REQUIRED] = "required",
                                        [NA_BINDING_DPOP] = "dpop",
                                        [NA_BINDING_CERTIFICATE] = "certificate"};
    for (int i = NA_BINDING_ANY; i <= NA_BINDING_CERTIFICATE; i++)
        if (strcmp(names[i], value) == 0) {
            ((issuer_parts *)parts)->issuer.binding = (na_binding)i;
            return NULL;
        }
    return na_wrong(b, "invalid binding=%s: expected any, required, dpop, or certificate", value);
}

static na_error *set_nonce(na_builder *b, const char *value, void *parts)
{
    return na_as_switch(b, value, &((issuer_parts *)parts)->issuer.asks_for_nonce);
}

static na_error *set_publishes(na_builder *b, const char *value, void *parts)
{
    return na_as_switch(b, value, &((issuer_parts *)parts)->issuer.publishes);
}

static const na_setting settings[] = {{"audience", 0, set_audience},
                                      {"algorithms", 0, set_algorithms},
                                      {"tokenType", 0, set_token_type},
                                      {"introspection", 0, set_introspection},
                                      {"introspection_endpoint", 0, set_introspection_url},
                                      {"introspection_signed_response_alg", 0,
                                       set_introspection_alg},
                                      {"cache", 0, set_cache},
                                      {"binding", 0, set_binding},
                                      {"dpopNonce", 0, set_nonce},
                                      {"resourceMetadata", 0, set_publishes},
                                      {NULL, 0, NULL}};

/* Options of providers that are about tokens, and about this server as a client. */
static const char *const provider_options[] = {"issuer",
                                               "tenants",
                                               "wellKnown",
                                               "jwks",
                                               "jwks_endpoint",
                                               "clientId",
                                               "clientSecret",
                                               "clientKey",
                                               "privateKey",
                                               "clientAssertionAudience",
                                               "clientCertificate",
                                               "clientCertificateKey",
                                               "token_endpoint_auth_method",
                                               "token_endpoint_auth_signing_alg",
                                               "clockTolerance",
                                               "documentMaxAge",
                                               "profile.id",
                                               "profile.name",
                                               "profile.email",
                                               "profile.image",
                                               "emailVerified",
                                               "allowUnverifiedEmail",
                                               NULL};

static int is_provider_option(const char *name)
{
    for (int i = 0; provider_options[i]; i++)
        if (strcmp(provider_options[i], name) == 0)
            return 1;
    return 0;
}

static const char *option_names(apr_pool_t *pool)
{
    const char *names = settings[0].name;
    for (int i = 1; settings[i].name; i++)
        names = apr_pstrcat(pool, names, ", ", settings[i].name, NULL);
    for (int i = 0; provider_options[i]; i++)
        names = apr_pstrcat(pool, names, ", ", provider_options[i], NULL);
    return names;
}

static const char *hint_for(apr_pool_t *pool, const char *name)
{
    na_spelling spelling = na_spelling_of(name);
    for (int i = 0; settings[i].name; i++)
        na_spelling_try(&spelling, settings[i].name);
    for (int i = 0; provider_options[i]; i++)
        na_spelling_try(&spelling, provider_options[i]);
    return spelling.nearest
               ? apr_pstrcat(pool, "check whether ", spelling.nearest, "= is meant", NULL)
               : apr_pstrcat(pool, "use one of ", option_names(pool), NULL);
}

static na_error *set_option(na_builder *b, issuer_parts *parts, const char *argument)
{
    const char *equals = strchr(argument, '='), *value;
    if (!equals || equals == argument)
        return na_wrong(b, "invalid argument '%s': expected key=value", argument);
    const char *name = apr_pstrmemdup(b->pool, argument, (apr_size_t)(equals - argument));
    for (const na_setting *setting = settings; setting->name; setting++)
        if (strcmp(setting->name, name) == 0)
            return setting->set(b, equals + 1, parts);
    if (!is_provider_option(name))
        return na_error_with_hint(na_wrong(b, "unknown option '%s' of a token issuer", name),
                                  hint_for(b->pool, name));
    NA_TRY(na_value_resolve(&b->environment, equals + 1, &value));
    return na_provider_set(b->pool, parts->provider, name, value);
}

/* ── the whole ─────────────────────────────────────────────────────────────────────────────── */

static int find_provider(const na_builder *b, const char *id, const char *tenant)
{
    for (int i = 0; i < b->providers->nelts; i++) {
        const na_provider *each = APR_ARRAY_IDX(b->providers, i, const na_provider *);
        if (tenant ? each->for_tenant && strcmp(each->for_tenant, tenant) == 0 &&
                         strcmp(each->template_id, id) == 0
                   : strcmp(each->id, id) == 0)
            return i;
    }
    return -1;
}

/* A provider of that ID is also the issuer of its access tokens, with its issuer= and keys. */
static na_error *start_issuer(na_builder *b, const char *id, const char *tenant,
                              issuer_parts *parts)
{
    int at = find_provider(b, id, tenant);
    parts->issuer = (na_issuer){.algs = na_issuer_default_algs, .cache = CACHE_DEFAULT};
    if (at < 0) {
        NA_TRY(na_provider_new(b->pool, id, "oidc", &parts->provider));
        return tenant ? na_provider_give_to(b->pool, parts->provider, tenant) : NULL;
    }
    parts->provider = apr_pmemdup(b->pool, APR_ARRAY_IDX(b->providers, at, na_provider *),
                                  sizeof *parts->provider);
    return parts->provider->type <= NA_OAUTH
               ? NULL
               : na_wrong(b, "provider '%s' issues no access tokens", id);
}

/* As at the token endpoint, this server authenticates as a client (RFC 7662 section 2.1). */
static na_error *finish_introspection(na_builder *b, issuer_parts *parts)
{
    const na_issuer *issuer = &parts->issuer;
    if (issuer->introspects == NA_INTROSPECTS_NONE)
        return NULL;
    if (!parts->provider->client_id)
        return na_error_with_hint(na_wrong(b, "introspection= requires clientId="),
                                  "set clientId= and clientSecret= of this server at the issuer");
    NA_TRY(na_provider_check_url(b->pool, "introspection_endpoint", issuer->introspection_url,
                                 b->config->http.allow_http));
    return na_provider_finish_client(b->pool, parts->provider);
}

static na_error *finish_issuer(na_builder *b, issuer_parts *parts)
{
    const na_provider *provider = parts->provider;
    int allow_http = b->config->http.allow_http;
    if (!parts->issuer.audiences)
        return na_error_with_hint(
            na_wrong(b, "missing audience=: tokens for other APIs would be accepted"),
            "set audience= to the name of this API at the issuer");
    if (!provider->issuer)
        return na_error_with_hint(na_wrong(b, "missing issuer="),
                                  "set issuer= to the claim iss of its tokens");
    NA_TRY(na_provider_check_url(b->pool, "issuer", provider->issuer, allow_http));
    NA_TRY(na_provider_check_url(b->pool, "wellKnown", provider->well_known, allow_http));
    NA_TRY(na_provider_check_url(b->pool, "jwks_endpoint", provider->jwks_url, allow_http));
    NA_TRY(finish_introspection(b, parts));
    parts->provider->only_issues = 1;
    if (provider->type == NA_OIDC || provider->keys || provider->jwks_url ||
        (parts->issuer.introspects == NA_INTROSPECTS_ALL && parts->issuer.introspection_url))
        return NULL;
    return na_error_with_hint(na_wrong(b, "provider '%s' has no discovery document, and no keys",
                                       provider->id),
                              "set jwks_endpoint= or jwks=");
}

static na_error *build_issuer(na_builder *b, const na_directive *w, const char *tenant,
                              const na_issuer **built)
{
    issuer_parts *parts = apr_palloc(b->pool, sizeof *parts);
    NA_TRY(start_issuer(b, w->argv[0], tenant, parts));
    for (int i = 1; i < w->argc; i++)
        NA_TRY(set_option(b, parts, w->argv[i]));
    NA_TRY(finish_issuer(b, parts));
    parts->issuer.provider = parts->provider;
    *built = &parts->issuer;
    return NULL;
}

/* ── the issuers of tenants ────────────────────────────────────────────────────────────────── */

/* Reads tenants=, or returns those of the provider with that ID; NULL if it is for none. */
static na_error *find_tenants(na_builder *b, const na_directive *w,
                              const apr_array_header_t **tenants)
{
    apr_array_header_t *own = apr_array_make(b->pool, 1, sizeof(const char *));
    NA_TRY(na_build_tenants(b, w, tenants));
    for (int i = 0; i < b->providers->nelts && !*tenants; i++) {
        const na_provider *each = APR_ARRAY_IDX(b->providers, i, const na_provider *);
        if (each->for_tenant && strcmp(each->template_id, w->argv[0]) == 0)
            APR_ARRAY_PUSH(own, const char *) = each->for_tenant;
    }
    if (own->nelts)
        *tenants = own;
    return NULL;
}

/* Audiences alone keep the tokens of tenants with the same issuer apart. */
static na_error *set_apart(na_builder *b, apr_hash_t *known, const na_issuer *issuer)
{
    for (int i = 0; i < issuer->audiences->nelts; i++)
        NA_TRY(
            na_build_set_apart(b, known,
                               apr_pstrcat(b->pool, issuer->provider->issuer, "\n",
                                           APR_ARRAY_IDX(issuer->audiences, i, const char *), NULL),
                               "audience", issuer->provider->for_tenant));
    return NULL;
}

static na_error *build_for_tenants(na_builder *b, const na_directive *w,
                                   const apr_array_header_t *tenants, apr_array_header_t *made)
{
    apr_hash_t *known = apr_hash_make(b->pool);
    for (int i = 0; i < tenants->nelts; i++) {
        const na_issuer *issuer;
        const char *tenant = APR_ARRAY_IDX(tenants, i, const char *);
        const na_directive own = na_build_directive_for(b, w, tenant);
        na_error *error = build_issuer(b, &own, tenant, &issuer);
        if (error)
            return na_error_wrap(b->pool, error, NULL, "tenant '%s'", tenant);
        NA_TRY(set_apart(b, known, issuer));
        APR_ARRAY_PUSH(made, const na_issuer *) = issuer;
    }
    return NULL;
}

/* ── the directive ─────────────────────────────────────────────────────────────────────────── */

static const na_provider *provider_of(const void *issuer)
{
    return ((const na_issuer *)issuer)->provider;
}

na_error *na_build_issuer(na_builder *b, const na_directive *w)
{
    const na_placed placed = {"token issuer", b->issuers, b->issuer_origins, provider_of};
    const apr_array_header_t *tenants;
    apr_array_header_t *made = apr_array_make(b->pool, 1, sizeof(const na_issuer *));
    const char *secret = na_option_of(w, "clientSecret");
    if (secret)
        na_build_warn_if_literal(b, "clientSecret=", secret);
    NA_TRY(find_tenants(b, w, &tenants));
    NA_TRY(tenants ? build_for_tenants(b, w, tenants, made)
                   : build_issuer(b, w, NULL, apr_array_push(made)));
    return na_build_place(b, &placed, w, made);
}
