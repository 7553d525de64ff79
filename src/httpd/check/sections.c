/* SPDX-License-Identifier: Apache-2.0 */
/* Directives of httpd's sections that have no effect there, or another one than it seems. */
#include <string.h>

#include <apr_strings.h>

#include "base/origin.h"
#include "base/url.h"
#include "httpd/config/build.h"
#include "httpd/config/sections.h"
#include "httpd/findings.h"

static void warn_of(const na_builder *b, const ap_directive_t *at, const char *message,
                    const char *hint)
{
    const na_finding finding = {.group = NA_GROUP_SITE,
                                .subject = at->directive,
                                .state = NA_WARNING,
                                .message = message,
                                .hint = hint,
                                .file = at->filename,
                                .line = at->line_num};
    na_findings_add(b->server, &finding);
}

/* ── NextAuthPassHeader, NextAuthPassEnv ───────────────────────────────────────────────────── */

/* A .htaccess can have the AuthType. A name without a value passes nothing on anywhere. */
static void check_passed(const na_builder *b, const ap_directive_t *d)
{
    const char *args = d->args;
    ap_getword_conf(b->pool, &args);
    if (*args && !na_section_might_have_htaccess(d) && !na_section_has_auth_type(b->server, d))
        warn_of(b, d, "no AuthType NextAuth applies there: nothing is passed on",
                "add AuthType NextAuth and a Require to the section");
}

/* ── NextAuthAuthorizationParam ────────────────────────────────────────────────────────────── */

static void check_param(const na_builder *b, const ap_directive_t *d)
{
    const char *args = d->args;
    ap_getword_conf(b->pool, &args);
    ap_getword_conf(b->pool, &args);
    if (!*args || na_build_is_wrong(b, NextAuthProvider))
        return;
    const char *id = ap_getword_conf(b->pool, &args);
    const na_provider *provider = na_provider_configured(b->config->providers, id);
    if (!provider)
        warn_of(b, d, apr_psprintf(b->pool, "no provider '%s': no request has the parameter", id),
                "use the ID of a NextAuthProvider");
    else if (provider->type > NA_OAUTH)
        warn_of(b, d,
                apr_psprintf(b->pool,
                             "'%s' is not a provider of OpenID Connect or OAuth 2.0: no request "
                             "has the parameter",
                             id),
                "remove it, or use the ID of another provider");
}

/* ── NextAuthCORS ──────────────────────────────────────────────────────────────────────────── */

/* Returns the last two labels of a host: sites that have others are different, whatever the rest.
 */
static const char *last_labels(const char *host)
{
    int dots = 0;
    const char *at = host + strlen(host);
    while (at > host && (at[-1] != '.' || ++dots < 2))
        at--;
    return at;
}

static int is_other_site(const na_builder *b, const na_origin *origin)
{
    na_url own, other;
    const char *url =
        origin->exact ? origin->exact : apr_pstrcat(b->pool, "https://x", origin->below, NULL);
    return na_url_parse(b->pool, b->config->origin, &own) && na_url_parse(b->pool, url, &other) &&
           (strcmp(own.scheme, other.scheme) != 0 ||
            strcmp(last_labels(own.host), last_labels(other.host)) != 0);
}

/* Tokens in an Authorization header are sent to any site. */
static int needs_cookies(const na_builder *b, const ap_directive_t *d)
{
    return !na_section_find(b->server, "NextAuthAcceptTokens", "") &&
           !na_section_might_have_htaccess(d) && b->config->session.source_count &&
           strcmp(b->config->session.sources[0].cookie.same_site, "None") != 0;
}

static void check_cors_origin(const na_builder *b, const ap_directive_t *d, const char *text)
{
    na_origin origin;
    if (!na_origin_parse(b->pool, text, &origin))
        return; /* Off, or an option */
    if (origin.exact && strcmp(origin.exact, b->config->origin) == 0)
        warn_of(b, d,
                apr_psprintf(b->pool, "%s is this site, whose own scripts need no permission",
                             origin.exact),
                "remove it, or name the origin of the other site");
    else if (is_other_site(b, &origin) && needs_cookies(b, d))
        warn_of(
            b, d,
            apr_psprintf(b->pool,
                         "%s belongs to another site: browsers do not send the session cookie with "
                         "requests of its scripts (SameSite=%s)",
                         text, b->config->session.sources[0].cookie.same_site),
            "accept tokens there with NextAuthAcceptTokens, or set NextAuthCookie sessionToken "
            "sameSite=none");
    if (origin.exact && strncmp(origin.exact, "http:", 5) == 0 && b->config->mode == NA_PRODUCTION)
        warn_of(b, d,
                apr_psprintf(b->pool,
                             "%s is the user's own machine: what runs there could read responses "
                             "to any user",
                             origin.exact),
                "remove it in production");
}

static void check_cors(const na_builder *b, const ap_directive_t *d)
{
    for (const char *args = d->args; b->config->origin && *args;)
        check_cors_origin(b, d, ap_getword_conf(b->pool, &args));
}

/* ── all of them ───────────────────────────────────────────────────────────────────────────── */

static const struct section_check {
    const char *directive;
    void (*run)(const na_builder *b, const ap_directive_t *d);
} checks[] = {{"NextAuthPassHeader", check_passed},
              {"NextAuthPassEnv", check_passed},
              {"NextAuthAuthorizationParam", check_param},
              {"NextAuthCORS", check_cors}};

static void check_below(void *data, const ap_directive_t *d)
{
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (ap_cstr_casecmp(d->directive, checks[i].directive) == 0)
            checks[i].run(data, d);
}

void na_check_sections(const na_builder *b)
{
    na_sections_each(b->server, check_below, (void *)b);
}
