/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a site at one of its hosts. */
#include "auth/tenant.h"

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "base/crypto.h"

/* ── what depends on the host ──────────────────────────────────────────────────────────────── */

static void derive_urls(apr_pool_t *pool, const na_config *site, const char *origin, na_config *at)
{
    at->origin = apr_pstrdup(pool, origin);
    at->base_url = apr_pstrcat(pool, origin, site->prefix, site->base_path, NULL);
    at->home = apr_pstrcat(pool, origin, site->home + strlen(site->origin), NULL);
}

/* "https://host:8443" as cookies name it, without scheme and port */
static const char *host_of(apr_pool_t *pool, const char *origin)
{
    const char *host = strstr(origin, "://") + strlen("://");
    const char *port = *host == '[' ? strchr(host, ']') + 1 : host + strcspn(host, ":");
    return apr_pstrmemdup(pool, host, (apr_size_t)(port - host));
}

/*
 * Two hosts are two sites, whose sessions, records, and lists of a user's sessions are apart,
 * unless NextAuthSite names what they share. The ID distinguishes them in the caches of the
 * process; it does not depend on addresses, because those are used again for other tenants.
 */
static na_error *derive_session(apr_pool_t *pool, const na_config *site, na_config *at)
{
    na_session_config *session = &at->session;
    const char *host = host_of(pool, at->origin);
    for (int i = 0; i < session->source_count; i++) {
        na_cookie *cookie = &session->sources[i].cookie;
        cookie->elsewhere = na_cookie_elsewhere(pool, cookie, host);
    }
    session->id = na_sha256_word(apr_psprintf(pool, "%" APR_UINT64_T_FMT " %s", site->session.id,
                                              at->origin)) &
                  ~(apr_uint64_t)(NA_SESSION_ID_STEP - 1);
    if (site->site_name)
        return NULL;
    session->site = at->base_url;
    NA_TRY(na_record_keys_derive(pool, at->secrets, at->secret_count, session->site,
                                 NA_KEYS_OF_RECORDS, &session->record_keys));
    if (session->token_keys.count)
        NA_TRY(na_record_keys_derive(pool, at->secrets, at->secret_count, session->site,
                                     NA_KEYS_OF_TOKENS, &session->token_keys));
    return na_record_namespaces_derive(pool, at->secrets, at->secret_count, session->site,
                                       &session->namespaces);
}

/* Web Authentication Level 3, section 5.4.2: the RP ID is the host's, unless rpID= names a parent.
 */
static na_error *derive_provider(apr_pool_t *pool, const na_config *at, na_provider **provider)
{
    if ((*provider)->type != NA_WEBAUTHN)
        return NULL;
    *provider = apr_pmemdup(pool, *provider, sizeof **provider);
    return na_provider_finish_passkey(pool, *provider, at->origin);
}

/* Returns 1 if the provider is that of the tenant, or of all. At a host without a wildcard,
 * `tenant` is NULL, and each tenant's provider is one of its own. */
static int is_for(const na_provider *provider, const char *tenant)
{
    return !provider->for_tenant || !tenant || strcmp(provider->for_tenant, tenant) == 0;
}

static na_error *derive_providers(apr_pool_t *pool, const char *tenant, na_config *at)
{
    const apr_array_header_t *all = at->providers;
    apr_array_header_t *own = apr_array_make(pool, 4, sizeof(na_provider *));
    for (int i = 0; i < all->nelts; i++) {
        na_provider *provider = APR_ARRAY_IDX(all, i, na_provider *);
        if (!is_for(provider, tenant))
            continue;
        NA_TRY(derive_provider(pool, at, &provider));
        APR_ARRAY_PUSH(own, na_provider *) = provider;
    }
    at->providers = own;
    na_tenant_choose_direct(at);
    return NULL;
}

static void derive_issuers(apr_pool_t *pool, const char *tenant, na_config *at)
{
    const apr_array_header_t *all = at->issuers;
    apr_array_header_t *own = apr_array_make(pool, 1, sizeof(const na_issuer *));
    for (int i = 0; i < all->nelts; i++) {
        const na_issuer *issuer = APR_ARRAY_IDX(all, i, const na_issuer *);
        if (is_for(issuer->provider, tenant))
            APR_ARRAY_PUSH(own, const na_issuer *) = issuer;
    }
    at->issuers = own;
}

/*
 * With a single provider, the sign-in page has nothing to choose from. A page of the application's
 * own is shown in any case.
 */
void na_tenant_choose_direct(na_config *config)
{
    const apr_array_header_t *providers = config->providers;
    const na_provider *only =
        providers->nelts == 1 ? APR_ARRAY_IDX(providers, 0, const na_provider *) : NULL;
    config->direct_provider =
        only && only->type <= NA_OAUTH && !config->pages.sign_in ? only : NULL;
    config->has_direct |= config->direct_provider != NULL;
}

int na_tenant_is_named(const na_config *config, const char *id, const char *name)
{
    if (strcmp(id, name) == 0)
        return 1;
    int at = na_provider_find(config->providers, id);
    const na_issuer *issuer = na_issuer_find(config->issuers, id);
    return (at >= 0 &&
            na_provider_is_named(APR_ARRAY_IDX(config->providers, at, const na_provider *),
                                 name)) ||
           (issuer && na_provider_is_named(issuer->provider, name));
}

na_error *na_tenant_derive(apr_pool_t *pool, const na_config *site, const na_sessions *sessions,
                           const char *origin, na_tenant *tenant)
{
    tenant->config = *site;
    tenant->sessions = *sessions;
    derive_urls(pool, site, origin, &tenant->config);
    NA_TRY(derive_session(pool, site, &tenant->config));
    const char *name = na_hosts_label(pool, site->hosts, origin);
    NA_TRY(derive_providers(pool, name, &tenant->config));
    derive_issuers(pool, name, &tenant->config);
    tenant->sessions.config = &tenant->config.session;
    if (!sessions->registry)
        return NULL;
    tenant->registry = *sessions->registry; /* with the same stores, and their epochs */
    tenant->registry.keys = &tenant->config.session.record_keys;
    if (sessions->registry->token_keys)
        tenant->registry.token_keys = &tenant->config.session.token_keys;
    tenant->registry.namespaces = tenant->config.session.namespaces;
    tenant->sessions.registry = &tenant->registry;
    return NULL;
}

/* ── the tenants of a process ──────────────────────────────────────────────────────────────── */

#define SETS 128 /* a power of two */
#define WAYS 4

/* A tenant in a pool without parent, which is destroyed with its last holder. */
typedef struct entry {
    na_tenant tenant;
    apr_pool_t *pool;
    apr_uint64_t key; /* of the origin */
    volatile apr_uint32_t holders;
} entry;

/* The entries of a set are in the order of their use, the last one first. */
struct na_tenants {
    const na_config *site;
    const na_sessions *sessions;
    apr_thread_mutex_t *lock;
    entry *sets[SETS][WAYS];
};

static apr_status_t let_go(void *held)
{
    entry *released = held;
    if (!apr_atomic_dec32(&released->holders))
        apr_pool_destroy(released->pool);
    return APR_SUCCESS;
}

static apr_status_t let_all_go(void *kept)
{
    na_tenants *tenants = kept;
    for (int set = 0; set < SETS; set++)
        for (int way = 0; way < WAYS; way++)
            if (tenants->sets[set][way])
                let_go(tenants->sets[set][way]);
    return APR_SUCCESS;
}

na_error *na_tenants_make(apr_pool_t *pool, const na_config *site, const na_sessions *sessions,
                          na_tenants **made)
{
    na_tenants *tenants = apr_pcalloc(pool, sizeof *tenants);
    tenants->site = site;
    tenants->sessions = sessions;
    if (apr_thread_mutex_create(&tenants->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create the mutex of hosts");
    apr_pool_cleanup_register(pool, tenants, let_all_go, apr_pool_cleanup_null);
    *made = tenants;
    return NULL;
}

static void move_to_front(entry **set, int way)
{
    entry *moved = set[way];
    memmove(set + 1, set, (size_t)way * sizeof *set);
    set[0] = moved;
}

/* Returns the entry of the origin, with one more holder; NULL if there is none. */
static entry *find_entry(na_tenants *tenants, entry **set, apr_uint64_t key, const char *origin)
{
    entry *found = NULL;
    apr_thread_mutex_lock(tenants->lock);
    for (int way = 0; way < WAYS && !found; way++) {
        entry *each = set[way];
        if (!each || each->key != key || strcmp(each->tenant.config.origin, origin) != 0)
            continue;
        move_to_front(set, way);
        apr_atomic_inc32(&each->holders);
        found = each;
    }
    apr_thread_mutex_unlock(tenants->lock);
    return found;
}

/* Puts an entry that the caller holds in place of the one that was not used for longest. */
static void add_entry(na_tenants *tenants, entry **set, entry *made)
{
    apr_atomic_inc32(&made->holders);
    apr_thread_mutex_lock(tenants->lock);
    entry *evicted = set[WAYS - 1];
    set[WAYS - 1] = made;
    move_to_front(set, WAYS - 1);
    apr_thread_mutex_unlock(tenants->lock);
    if (evicted)
        let_go(evicted);
}

static na_error *make_entry(const na_tenants *tenants, apr_pool_t *pool, apr_uint64_t key,
                            const char *origin, entry **made)
{
    apr_pool_t *own;
    if (apr_pool_create_unmanaged_ex(&own, NULL, NULL) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_BUSY, "out of memory");
    entry *e = *made = apr_pcalloc(own, sizeof *e);
    e->pool = own;
    e->key = key;
    e->holders = 1;
    na_error *error = na_tenant_derive(own, tenants->site, tenants->sessions, origin, &e->tenant);
    if (!error)
        return NULL;
    error = na_error_new(pool, error->code, "%s", na_error_reason(pool, error));
    apr_pool_destroy(own);
    return error;
}

/* FNV-1a. Who makes two origins meet in a set only has one of them derived more often. */
static apr_uint64_t key_of(const char *origin)
{
    apr_uint64_t key = APR_UINT64_C(0xcbf29ce484222325);
    for (; *origin; origin++)
        key = (key ^ (unsigned char)*origin) * APR_UINT64_C(0x100000001b3);
    return key;
}

/* No memory is kept for a tenant that a visitor made up, and no time is spent on its keys. */
static int is_served(const na_config *site, apr_pool_t *pool, const char *origin)
{
    const char *tenant = na_hosts_label(pool, site->hosts, origin);
    for (int i = 0; i < site->providers->nelts; i++)
        if (is_for(APR_ARRAY_IDX(site->providers, i, const na_provider *), tenant))
            return 1;
    for (int i = 0; i < site->issuers->nelts; i++)
        if (is_for(APR_ARRAY_IDX(site->issuers, i, const na_issuer *)->provider, tenant))
            return 1;
    return !site->providers->nelts && !site->issuers->nelts;
}

na_error *na_tenants_get(na_tenants *tenants, apr_pool_t *pool, const char *origin,
                         const na_tenant **tenant)
{
    apr_uint64_t key = key_of(origin);
    entry **set = tenants->sets[(key >> 32) & (SETS - 1)];
    entry *e = find_entry(tenants, set, key, origin);
    *tenant = NULL;
    if (!e && !is_served(tenants->site, pool, origin))
        return NULL;
    if (!e) {
        NA_TRY(make_entry(tenants, pool, key, origin, &e));
        add_entry(tenants, set, e);
    }
    apr_pool_cleanup_register(pool, e, let_go, apr_pool_cleanup_null);
    *tenant = &e->tenant;
    return NULL;
}
