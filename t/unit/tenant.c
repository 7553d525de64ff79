/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a site at one of its hosts, and the table of those in a process. */
#include "auth/tenant.h"

#include <string.h>

#include <apr_strings.h>

#include "tap.h"
#include "threads_kit.h"

static const char *const secrets[] = {"the first secret of the site, 32 bytes",
                                      "the one before it, also of 32 bytes"};

static na_provider passkey = {.id = "passkey", .type = NA_WEBAUTHN};
static na_provider other = {.id = "other", .type = NA_OIDC};
static na_provider of_a = {.id = "sso-a", .type = NA_OIDC, .template_id = "sso", .for_tenant = "a"};
static na_provider of_b = {.id = "sso-b", .type = NA_OIDC, .template_id = "sso", .for_tenant = "b"};
static const na_issuer issuer_of_a = {.provider = &of_a}, issuer_of_b = {.provider = &of_b};

static na_config *site_of(apr_pool_t *pool, const char *name)
{
    na_config *site = apr_pcalloc(pool, sizeof *site);
    apr_array_header_t *providers = apr_array_make(pool, 2, sizeof(na_provider *));
    APR_ARRAY_PUSH(providers, na_provider *) = &passkey;
    APR_ARRAY_PUSH(providers, na_provider *) = &other;
    apr_array_header_t *hosts = apr_array_make(pool, 3, sizeof(na_host_pattern));
    const char *path;
    na_host_pattern_parse(pool, "https://*.example.org", apr_array_push(hosts), &path);
    na_host_pattern_parse(pool, "https://*.example.org:8443", apr_array_push(hosts), &path);
    na_host_pattern_parse(pool, "https://www.example.org", apr_array_push(hosts), &path);
    *site = (na_config){.hosts = hosts,
                        .issuers = apr_array_make(pool, 2, sizeof(const na_issuer *)),
                        .is_by_host = 1,
                        .origin = "https://*.example.org",
                        .prefix = "/app",
                        .base_path = "/auth",
                        .base_url = "https://*.example.org/app/auth",
                        .home = "https://*.example.org/app",
                        .secrets = secrets,
                        .secret_count = 2,
                        .providers = providers,
                        .site_name = name};
    site->session.id = 40;
    site->session.site = name ? name : site->base_url;
    site->session.source_count = 1;
    site->session.sources[0].cookie =
        (na_cookie){.name = "session", .path = "/", .same_site = "Lax"};
    na_record_keys_derive(pool, secrets, 2, site->session.site, NA_KEYS_OF_RECORDS,
                          &site->session.record_keys);
    na_record_keys_derive(pool, secrets, 2, site->session.site, NA_KEYS_OF_TOKENS,
                          &site->session.token_keys);
    na_record_namespaces_derive(pool, secrets, 2, site->session.site, &site->session.namespaces);
    return site;
}

static const na_tenant *tenant_of(apr_pool_t *pool, const na_config *site,
                                  const na_sessions *sessions, const char *origin)
{
    na_tenant *tenant = apr_palloc(pool, sizeof *tenant);
    succeeds(na_tenant_derive(pool, site, sessions, origin, tenant), origin);
    return tenant;
}

/* A record that is sealed with keys of one host, and whether those of another open it. */
static int opens(apr_pool_t *pool, const na_record_keys *a, const na_record_keys *b)
{
    na_store_key key;
    na_bytes sealed, plain;
    int stale;
    na_store_key_make(&key, NA_KIND_SESSION, "id");
    na_record_seal_bytes(pool, a, &key, na_bytes_of("claims"), &sealed);
    return !na_record_open_bytes(pool, b, &key, sealed, &plain, &stale);
}

static void deriving(apr_pool_t *pool)
{
    const na_config *site = site_of(pool, NULL);
    const na_registry registry = {.keys = &site->session.record_keys,
                                  .namespaces = site->session.namespaces,
                                  .token_keys = &site->session.token_keys,
                                  .remember = 7};
    const na_sessions sessions = {.config = &site->session, .registry = &registry};
    const na_tenant *a = tenant_of(pool, site, &sessions, "https://a.example.org"),
                    *b = tenant_of(pool, site, &sessions, "https://b.example.org:8443"),
                    *again = tenant_of(pool, site, &sessions, "https://a.example.org");
    is(a->config.base_url, "https://a.example.org/app/auth", "the base URL has the host");
    is(b->config.home, "https://b.example.org:8443/app", "so has the home page, with a port");
    is(a->config.session.site, a->config.base_url, "and the site of sessions");
    is(a->config.session.sources[0].cookie.elsewhere[0], "a.example.org",
       "cookies of the host's domains are cleared");
    is(b->config.session.sources[0].cookie.elsewhere[0], "b.example.org", "  without a port");
    ok(a->config.session.id != b->config.session.id && a->config.session.id != site->session.id,
       "caches tell hosts apart");
    ok(a->config.session.id == again->config.session.id, "  by the same ID each time");
    ok(a->config.session.id % NA_SESSION_ID_STEP == 0, "  with room for sources");
    ok(strcmp(a->registry.namespaces[0], b->registry.namespaces[0]) != 0 &&
           strcmp(a->registry.namespaces[1], b->registry.namespaces[1]) != 0,
       "users are apart in the store");
    ok(opens(pool, a->registry.keys, again->registry.keys) &&
           !opens(pool, a->registry.keys, b->registry.keys),
       "so are records");
    ok(opens(pool, a->registry.token_keys, again->registry.token_keys) &&
           !opens(pool, a->registry.token_keys, b->registry.token_keys),
       "and the tokens of providers");
    is_number(a->registry.remember, 7, "the rest of the registry is the site's");
    const na_provider *p = APR_ARRAY_IDX(a->config.providers, 0, na_provider *);
    is(p->rp_id, "a.example.org", "passkeys have the host as RP ID");
    is(APR_ARRAY_IDX(p->origins, 0, const char *), "https://a.example.org", "  and the origin");
    ok(APR_ARRAY_IDX(a->config.providers, 1, na_provider *) == &other, "others are the site's");
    is(passkey.rp_id, NULL, "which has not changed");
}

static void sharing(apr_pool_t *pool)
{
    const na_config *site = site_of(pool, "company");
    const na_sessions sessions = {.config = &site->session};
    const na_tenant *a = tenant_of(pool, site, &sessions, "https://a.example.org");
    is(a->config.session.site, "company", "a site with a name is the same at each host");
    is(a->config.session.namespaces[0], site->session.namespaces[0], "  with its users");
    ok(!a->sessions.registry, "without a registry there is none");
}

/* A site whose only providers are those of two tenants. */
static na_config *site_of_tenants(apr_pool_t *pool)
{
    na_config *site = site_of(pool, NULL);
    apr_array_header_t *providers = apr_array_make(pool, 2, sizeof(na_provider *));
    APR_ARRAY_PUSH(providers, na_provider *) = &of_a;
    APR_ARRAY_PUSH(providers, na_provider *) = &of_b;
    site->providers = providers;
    APR_ARRAY_PUSH((apr_array_header_t *)site->issuers, const na_issuer *) = &issuer_of_a;
    APR_ARRAY_PUSH((apr_array_header_t *)site->issuers, const na_issuer *) = &issuer_of_b;
    return site;
}

static void applying_templates(apr_pool_t *pool)
{
    const na_config *site = site_of_tenants(pool);
    const na_sessions sessions = {.config = &site->session};
    const na_config *b = &tenant_of(pool, site, &sessions, "https://b.example.org:8443")->config;
    const na_config *www = &tenant_of(pool, site, &sessions, "https://www.example.org")->config;
    ok(b->providers->nelts == 1 && APR_ARRAY_IDX(b->providers, 0, na_provider *) == &of_b,
       "a tenant has its own provider");
    ok(b->issuers->nelts == 1 && APR_ARRAY_IDX(b->issuers, 0, const na_issuer *) == &issuer_of_b,
       "  and issuer of tokens");
    ok(b->direct_provider == &of_b && b->has_direct, "  to which its pages lead");
    ok(na_provider_named(b->providers, "sso") == &of_b, "  and which the template's ID means");
    ok(!na_provider_named(b->providers, "sso-a"), "another tenant's is none");
    ok(na_tenant_is_named(b, "sso-b", "sso") && na_tenant_is_named(b, "sso-b", "sso-b"),
       "a session's provider has both names");
    ok(!na_tenant_is_named(b, "sso-a", "sso") && !na_tenant_is_named(b, "sso-b", "ss"),
       "  but not that of another tenant");
    is_number(www->providers->nelts, 2, "a host without a wildcard has the providers of all");
    ok(!www->direct_provider && !na_provider_named(www->providers, "sso"),
       "  of which the template's ID means none");
}

static void serving(apr_pool_t *pool)
{
    static const char *const hosts[] = {"https://a.example.org", "https://b.example.org:8443",
                                        "https://www.example.org"};
    const na_config *site = site_of_tenants(pool), *open = site_of(pool, NULL);
    const na_sessions sessions = {.config = &site->session}, others = {.config = &open->session};
    na_tenants *tenants;
    const na_tenant *found;
    na_tenants_make(pool, site, &sessions, &tenants);
    for (int i = 0; i < 3; i++) {
        succeeds(na_tenants_get(tenants, pool, hosts[i], &found), hosts[i]);
        ok(found != NULL, "  is served");
    }
    succeeds(na_tenants_get(tenants, pool, "https://c.example.org", &found), "a tenant of no list");
    ok(!found, "  has no configuration");
    na_tenants_make(pool, open, &others, &tenants);
    na_tenants_get(tenants, pool, "https://c.example.org", &found);
    ok(found != NULL, "  but has one if a provider is for all");
}

/* ── the table ─────────────────────────────────────────────────────────────────────────────── */

#define ORIGINS 1500

static int is_right(na_tenants *tenants, apr_pool_t *pool, int i)
{
    const na_tenant *tenant;
    const char *origin = apr_psprintf(pool, "https://h%d.example.org", i);
    return !na_tenants_get(tenants, pool, origin, &tenant) &&
           strcmp(tenant->config.origin, origin) == 0 &&
           strcmp(tenant->sessions.config->site, tenant->config.base_url) == 0;
}

/* Asks for new hosts, and for one again and again; the result is the number of wrong ones. */
static na_error *ask_for_all(apr_pool_t *pool, void *tenants, int *result)
{
    apr_pool_t *request;
    apr_pool_create(&request, pool);
    for (int i = 0; i < ORIGINS; i++) {
        *result += !is_right(tenants, request, i % 3 ? i : 0);
        apr_pool_clear(request);
    }
    return NULL;
}

static void keeping(apr_pool_t *pool)
{
    worker workers[THREADS];
    na_tenants *tenants;
    apr_pool_t *process, *holder;
    const na_config *site = site_of(pool, NULL);
    const na_sessions sessions = {.config = &site->session};
    const na_tenant *first, *second;
    int wrong = 0;
    apr_pool_create(&process, pool);
    apr_pool_create(&holder, pool);
    succeeds(na_tenants_make(process, site, &sessions, &tenants), "a table is made");
    na_tenants_get(tenants, holder, "https://kept.example.org", &first);
    na_tenants_get(tenants, holder, "https://kept.example.org", &second);
    ok(first == second, "a tenant is derived once");
    together(pool, workers, ask_for_all, tenants);
    for (int i = 0; i < THREADS; i++)
        wrong += workers[i].result;
    is_number(wrong, 0, "each request has the tenant of its host, from several threads");
    is(first->config.origin, "https://kept.example.org", "one that is held outlives its eviction");
    dismiss(workers);
    apr_pool_destroy(process);
    is(first->config.origin, "https://kept.example.org", "  and the table");
    apr_pool_destroy(holder);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    deriving(pool);
    sharing(pool);
    applying_templates(pool);
    serving(pool);
    keeping(pool);
    return tap_done();
}
