/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthSessionStore and NextAuthSOCache. */
#include <stddef.h>
#include <string.h>

#include <ap_provider.h>
#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/settings.h"
#include "httpd/findings.h"

static na_error *as_seconds(na_builder *b, const char *value, void *member)
{
    return na_build_number(b, value, 0, 3600, member);
}

/* Parses refuse or serve:SECONDS. */
static na_error *as_when_down(na_builder *b, const char *value, void *member)
{
    if (strncmp(value, "serve:", 6) == 0)
        return na_build_number(b, value + 6, 1, 24 * 3600, member);
    *(long *)member = 0;
    return strcmp(value, "refuse") == 0
               ? NULL
               : na_wrong(b, "invalid whenDown='%s': expected refuse or serve:SECONDS", value);
}

static na_error *as_when_lost(na_builder *b, const char *value, void *member)
{
    *(int *)member = strcmp(value, "accept") == 0;
    return *(int *)member || strcmp(value, "refuse") == 0
               ? NULL
               : na_wrong(b, "invalid whenLost='%s': expected refuse or accept", value);
}

/* Returns ", redis, database or socache", with the names of other modules' stores. */
static const char *store_names(na_builder *b)
{
    const apr_array_header_t *all =
        ap_list_provider_names(b->pool, NA_STORE_GROUP, NA_STORE_VERSION);
    const char *names = "";
    for (int i = 0; i < all->nelts; i++)
        names = apr_pstrcat(b->pool, names, i + 1 < all->nelts ? ", " : " or ",
                            APR_ARRAY_IDX(all, i, ap_list_provider_names_t).provider_name, NULL);
    return names;
}

static na_error *add_store_name(na_builder *b, const char *name, apr_array_header_t *names)
{
    if (!ap_lookup_provider(NA_STORE_GROUP, name, NA_STORE_VERSION))
        return na_wrong(b, "unknown session store '%s': expected none%s", name, store_names(b));
    for (int i = 0; i < names->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(names, i, const char *), name) == 0)
            return na_error_with_hint(na_wrong(b, "duplicate session store '%s'", name),
                                      "remove one of them");
    APR_ARRAY_PUSH(names, const char *) = name;
    return NULL;
}

na_error *na_build_session_store(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {
        {"checkInterval", offsetof(na_session_config, check_interval), as_seconds},
        {"whenDown", offsetof(na_session_config, serve_for), as_when_down},
        {"whenLost", offsetof(na_session_config, accepts_lost), as_when_lost},
        {NULL, 0, NULL}};
    apr_array_header_t *names = apr_array_make(b->pool, 2, sizeof(const char *));
    int named = 0;
    b->config->session.check_interval = NA_CHECK_INTERVAL; /* resets what the main server has set */
    b->config->session.serve_for = 0;
    b->config->session.accepts_lost = 0;
    for (; named < w->argc && !strchr(w->argv[named], '='); named++)
        if (strcmp(w->argv[named], "none") != 0)
            NA_TRY(add_store_name(b, w->argv[named], names));
    if (!named || (named > 1 && named != names->nelts))
        return na_wrong(
            b, "invalid list of session stores: expected a store, then previous stores, or "
               "none alone");
    b->plan->stores.names = names->nelts ? names : NULL;
    return na_build_settings(b, w, named, settings, &b->config->session);
}

na_error *na_build_socache(na_builder *b, const na_directive *w)
{
    b->plan->stores.socache = w->argv[0];
    return NULL;
}

/* ── after all directives are read ─────────────────────────────────────────────────────────── */

static void add_notice(const na_builder *b, const char *subject, const char *text, const char *hint)
{
    const na_finding finding = {.group = NA_GROUP_SITE,
                                .subject = subject,
                                .state = NA_WARNING,
                                .message = text,
                                .hint = hint};
    if (!na_findings_add(b->server, &finding))
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_NOTICE, 0, b->server,
                     "mod_nextauth for %s: %s%s%s", b->config->origin, text, hint ? ": " : "",
                     hint ? hint : "");
}

/* Notices are not mistakes: a plain configuration test omits them. */
static int has_notices(const server_rec *s)
{
    return na_findings_are_wanted(s) || ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST;
}

static na_error *check_store(na_builder *b, const char *name, const na_store_provider *provider)
{
    const char *notice = NULL;
    NA_TRY(provider->check(b->pool, b->server, &notice));
    if (notice && has_notices(b->server))
        add_notice(b, na_directive_name(NextAuthSessionStore),
                   apr_psprintf(b->pool, "NextAuthSessionStore %s: %s", name, notice), NULL);
    return NULL;
}

/* Returns the last directive that describes the store; NULL if none. */
static const na_directive *store_directive(const na_builder *b, const na_store_provider *provider)
{
    const apr_array_header_t *written = na_server_conf_of(b->server)->written;
    for (int i = written->nelts - 1; provider->directive && i >= 0; i--)
        if (strcmp(na_directive_name(APR_ARRAY_IDX(written, i, na_directive).id),
                   provider->directive) == 0)
            return &APR_ARRAY_IDX(written, i, na_directive);
    return NULL;
}

static na_error *check_stores(na_builder *b, const na_directive *store)
{
    for (int i = 0; i < b->plan->stores.names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(b->plan->stores.names, i, const char *);
        const na_store_provider *provider =
            ap_lookup_provider(NA_STORE_GROUP, name, NA_STORE_VERSION);
        const na_directive *description = store_directive(b, provider);
        if (na_build_is_noted(b, provider->directive))
            continue;
        na_build_look_at(b, description ? description : store,
                         description ? NULL : na_directive_name(NextAuthSessionStore));
        NA_TRY(na_build_noted(b, check_store(b, name, provider)));
    }
    return NULL;
}

/* Without a store, a session cannot be ended by others, and a copied cookie survives. */
static na_error *check_logout(na_builder *b)
{
    for (int i = 0; i < b->config->providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(b->config->providers, i, const na_provider *);
        if (provider->logout)
            return na_error_with_hint(na_wrong(b,
                                               "logout= of provider '%s' requires a session store",
                                               provider->id),
                                      "set NextAuthSessionStore");
    }
    return NULL;
}

/* The provider knows one URL, and the hosts' sessions are apart: those of the others would go on.
 */
static void warn_of_logout(na_builder *b)
{
    for (int i = 0; i < b->config->providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(b->config->providers, i, const na_provider *);
        if (provider->logout && b->config->is_by_host && !b->config->site_name &&
            !provider->for_tenant) /* each tenant's calls the URL of its own host */
            na_build_warn_aloud(
                b, na_error_with_hint(na_wrong(b,
                                               "logout= of provider '%s' ends only the sessions of "
                                               "the host whose URL the provider calls",
                                               provider->id),
                                      "set NextAuthSite, so that the hosts are one site"));
    }
}

na_error *na_build_finish_stores(na_builder *b, const na_directive *store)
{
    na_build_look_at(b, store, NULL);
    if (!b->plan->stores.names) {
        na_build_look_at(b, store, store ? NULL : na_directive_name(NextAuthSessionStore));
        NA_TRY(na_build_noted(b, check_logout(b)));
    }
    if (b->plan->stores.names) {
        warn_of_logout(b);
        b->config->session.lifetime.token = na_lifetime_of_tokens(&b->config->session.lifetime);
        return check_stores(b, store);
    }
    if (!store)
        add_notice(b, na_directive_name(NextAuthSessionStore),
                   "no NextAuthSessionStore is set: signing out only deletes cookies, and a copied "
                   "session cookie remains valid until it expires",
                   "set NextAuthSessionStore, or NextAuthSessionStore none to accept this");
    return NULL;
}
