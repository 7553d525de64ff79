/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: lifetimes, strategy and binding. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mod_ssl.h>

#include "httpd/config/build.h"
#include "httpd/config/settings.h"

/* long enough for pages that renew a session once in a tenth of it */
#define BRIEF_MIN 300

#define YEARS_10 (10L * 365 * 24 * 3600)

na_error *na_build_max_age(na_builder *b, const na_directive *w)
{
    return na_build_number(b, w->argv[0], 60, YEARS_10, &b->config->session.lifetime.max_age);
}

na_error *na_build_update_age(na_builder *b, const na_directive *w)
{
    return na_build_number(b, w->argv[0], 0, YEARS_10, &b->config->session.update_age);
}

/* Parses Off or seconds. */
static na_error *set_timeout(na_builder *b, const na_directive *w, long *seconds)
{
    *seconds = 0;
    return ap_cstr_casecmp(w->argv[0], "off") == 0
               ? NULL
               : na_build_number(b, w->argv[0], 60, YEARS_10, seconds);
}

na_error *na_build_idle_timeout(na_builder *b, const na_directive *w)
{
    return set_timeout(b, w, &b->config->session.lifetime.idle);
}

na_error *na_build_absolute_timeout(na_builder *b, const na_directive *w)
{
    return set_timeout(b, w, &b->config->session.lifetime.absolute);
}

na_error *na_build_strategy(na_builder *b, const na_directive *w)
{
    int on_server = strcmp(w->argv[0], "database") == 0;
    b->config->session.strategy = on_server ? NA_STRATEGY_DATABASE : NA_STRATEGY_JWT;
    return on_server || strcmp(w->argv[0], "jwt") == 0
               ? NULL
               : na_wrong(b, "invalid strategy '%s': expected jwt or database", w->argv[0]);
}

na_error *na_build_bind(na_builder *b, const na_directive *w)
{
    na_config *config = b->config;
    config->bind_expression = (const na_expression *)w->expression;
    config->bind = strcmp(w->argv[0], "certificate") == 0    ? NA_BIND_CERTIFICATE
                   : strcmp(w->argv[0], "fingerprint") == 0  ? NA_BIND_FINGERPRINT
                   : ap_cstr_casecmp(w->argv[0], "off") == 0 ? NA_BIND_NOTHING
                                                             : NA_BIND_EXPRESSION;
    if (config->bind == NA_BIND_CERTIFICATE && !APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup))
        return na_error_with_hint(na_wrong(b, "client certificates require mod_ssl"),
                                  "load mod_ssl (a2enmod ssl)");
    if (config->bind == NA_BIND_EXPRESSION && !strstr(w->argv[0], "%{") && !strchr(w->argv[0], '('))
        return na_wrong(b,
                        "invalid binding '%s': expected certificate, fingerprint, off, or an "
                        "expression with %%{…}",
                        w->argv[0]);
    return NULL;
}

/* ── after all directives are read ─────────────────────────────────────────────────────────── */

static na_error *check_strategy(na_builder *b)
{
    if (b->config->session.strategy != NA_STRATEGY_DATABASE || b->plan->stores.names ||
        na_build_is_wrong(b, NextAuthSessionStore))
        return NULL;
    return na_error_with_hint(
        na_wrong(b, "NextAuthSessionStrategy database requires NextAuthSessionStore"),
        "set NextAuthSessionStore redis, database, or socache");
}

static apr_size_t largest_cookie_header(const server_rec *s)
{
    return s->limit_req_fieldsize > 0 ? (apr_size_t)s->limit_req_fieldsize
                                      : DEFAULT_LIMIT_REQUEST_FIELDSIZE;
}

na_error *na_build_finish_session(na_builder *b, const apr_array_header_t *written)
{
    na_session_config *session = &b->config->session;
    b->plan->stores.database = b->config->database;
    na_build_look_at(b, na_last_of(written, NextAuthSessionStrategy), NULL);
    NA_TRY(na_build_noted(b, check_strategy(b)));
    session->site = b->config->site_name  ? b->config->site_name
                    : b->config->base_url ? b->config->base_url
                                          : ""; /* the URL is invalid: no site is configured */
    NA_TRY(na_record_keys_derive(b->pool, b->config->secrets, b->config->secret_count,
                                 session->site, NA_KEYS_OF_RECORDS, &session->record_keys));
    NA_TRY(na_record_namespaces_derive(b->pool, b->config->secrets, b->config->secret_count,
                                       session->site, &session->namespaces));
    session->id = (apr_uint64_t)(uintptr_t)session & ~(apr_uint64_t)(NA_SESSION_ID_STEP - 1);
    session->cookie_max = largest_cookie_header(b->server);
    return na_build_finish_stores(b, na_last_of(written, NextAuthSessionStore));
}

/* ── NextAuthRememberMe ────────────────────────────────────────────────────────────────────── */

static na_error *parse_remembering(na_builder *b, const char *name)
{
    static const char *const names[] = {
        [NA_REMEMBER_ALWAYS] = "always", [NA_REMEMBER_NEVER] = "never", [NA_REMEMBER_ASK] = "ask"};
    for (int i = NA_REMEMBER_ALWAYS; i <= NA_REMEMBER_ASK; i++)
        if (ap_cstr_casecmp(name, names[i]) == 0) {
            b->config->remembering = (na_remembering)i;
            return NULL;
        }
    return na_wrong(b, "invalid value '%s': expected Always, Never, or Ask", name);
}

static na_error *as_brief(na_builder *b, const char *value, void *member)
{
    return na_build_number(b, value, BRIEF_MIN, YEARS_10, member);
}

na_error *na_build_remember_me(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"default", offsetof(na_config, remembers_by_default),
                                           na_as_switch},
                                          {"maxAge", offsetof(na_config, session.lifetime.brief),
                                           as_brief},
                                          {NULL, 0, NULL}};
    NA_TRY(parse_remembering(b, w->argv[0]));
    return na_build_settings(b, w, 1, settings, b->config);
}
