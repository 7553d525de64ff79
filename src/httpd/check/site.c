/* SPDX-License-Identifier: Apache-2.0 */
/* A site as nextauthctl check reports it: mode, URL, providers, cookies, limits. */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "httpd/config/build.h"
#include "httpd/findings.h"
#include "httpd/config/sections.h"
#include "oauth/resource.h"
#include "session/chunks.h"

static void check_mode(const na_builder *b)
{
    const char *mode = na_mode_name(b->config->mode);
    const na_exposure exposure = na_exposure_of(b->pool, b->server, b->config);
    if (exposure.how)
        na_findings_say(b->server, NA_GROUP_SITE, "mode", NA_WRONG, exposure.hint,
                        "%s mode, but other machines can reach it: %s", mode, exposure.how);
    else
        na_findings_say(b->server, NA_GROUP_SITE, "mode", NA_RIGHT, NULL, "%s%s", mode,
                        b->config->mode == NA_PRODUCTION ? ""
                                                         : ", and only this machine can reach it");
}

static void check_url(const na_builder *b)
{
    if (na_build_is_wrong(b, NextAuthURL) || na_build_is_wrong(b, NextAuthBasePath))
        return;
    for (int i = 0; i < b->config->hosts->nelts; i++)
        na_findings_say(b->server, NA_GROUP_SITE, "URL", NA_RIGHT, NULL, "%s%s%s%s",
                        APR_ARRAY_IDX(b->config->hosts, i, na_host_pattern).origin,
                        b->config->prefix, b->config->base_path,
                        b->urls ? "" : " (from ServerName)");
    if (!b->config->providers->nelts)
        na_findings_say(b->server, NA_GROUP_SITE, "sign-in", NA_RIGHT, NULL,
                        "an application signs users in, at %s: without NextAuthProvider, httpd has "
                        "no endpoints",
                        b->config->pages.sign_in);
}

/* ── providers ─────────────────────────────────────────────────────────────────────────────── */

static const char *join_names(apr_pool_t *pool, const apr_array_header_t *names)
{
    const char *all = "";
    for (int i = 0; names && i < names->nelts; i++)
        all = apr_pstrcat(pool, all, i ? ", " : "", APR_ARRAY_IDX(names, i, const char *), NULL);
    return all;
}

static const char *password_source(const na_builder *b, const na_provider *p)
{
    if (p->in_database)
        return "passwords in the database";
    return p->password_file
               ? apr_pstrcat(b->pool, "passwords in ", p->password_file, NULL)
               : apr_pstrcat(b->pool, "passwords of httpd's authentication providers: ",
                             join_names(b->pool, p->authn_providers), NULL);
}

static const char *mail_source(const na_builder *b)
{
    const na_mail_options *mail = b->config->mail;
    return !mail ? "links by email"
           : mail->host
               ? apr_psprintf(b->pool, "links by email, through %s:%d", mail->host, mail->port)
               : apr_pstrcat(b->pool, "links by email, through ", mail->transport, NULL);
}

/* Related origins need a file there (Web Authentication Level 3, section 5.11). */
static const char *passkey_rp(const na_builder *b, const na_provider *p)
{
    const char *rp_id = p->rp_id ? p->rp_id : "each host";
    const char *text = apr_pstrcat(b->pool, "passkeys of ", rp_id, NULL);
    for (int i = 0; p->origins && i < p->origins->nelts; i++) {
        const char *origin = APR_ARRAY_IDX(p->origins, i, const char *);
        if (na_provider_is_related(p, origin))
            text = apr_pstrcat(b->pool, text, "; https://", p->rp_id,
                               "/.well-known/webauthn must name ", origin, NULL);
    }
    return text;
}

/* Returns the URL of the endpoints at a host; at a wildcard, a tenant's provider has its own. */
static const char *base_at(const na_builder *b, int host, const na_provider *p)
{
    const char *origin = APR_ARRAY_IDX(b->config->hosts, host, na_host_pattern).origin;
    const char *star = p->for_tenant ? strchr(origin, '*') : NULL;
    if (star)
        origin = apr_pstrcat(b->pool, apr_pstrmemdup(b->pool, origin, (apr_size_t)(star - origin)),
                             p->for_tenant, star + 1, NULL);
    return apr_pstrcat(b->pool, origin, b->config->prefix, b->config->base_path, NULL);
}

/* Returns the URLs of an endpoint, one for each URL of the site. */
static const char *urls_of(const na_builder *b, const char *endpoint, const na_provider *p)
{
    const char *urls = "";
    for (int i = 0; i < b->config->hosts->nelts; i++)
        urls = apr_pstrcat(b->pool, urls, i ? ", " : "", base_at(b, i, p), endpoint, p->id, NULL);
    return urls;
}

/* RFC 6749 section 3.1.2: providers compare it character by character. */
static const char *callback_url(const na_builder *b, const na_provider *p)
{
    if (p->redirect_proxy)
        return apr_pstrcat(b->pool, "register ", p->redirect_proxy, "/callback/", p->id, NULL);
    return b->config->base_url
               ? apr_pstrcat(b->pool, "register ", urls_of(b, "/callback/", p), NULL)
               : "the callback URL is unknown: NextAuthURL or NextAuthBasePath is invalid";
}

/* Require valid-user admits every user of a provider, and anyone can be a user of a public one. */
static void check_public(const na_builder *b, const na_provider *p)
{
    const ap_directive_t *section = na_section_for_any_user(b->server);
    if (!section || b->config->sign_in_rules->nelts || !na_provider_is_public(p))
        return;
    const na_finding finding = {
        .group = NA_GROUP_PROVIDERS,
        .subject = p->id,
        .state = NA_WARNING,
        .message = apr_pstrcat(b->pool, "anyone can have an account at ", p->name,
                               ", and Require valid-user admits them all", NULL),
        .hint = "add NextAuthSignInRule allow \"%{USER:email} =~ /@example\\.org$/\", or require a "
                "role there: Require nextauth-role ROLE",
        .file = section->filename,
        .line = section->line_num};
    na_findings_add(b->server, &finding);
}

/* the time to replace a certificate */
#define CERTIFICATE_WARNING apr_time_from_sec(14 * 24 * 3600)

static void check_client(const na_builder *b, const na_provider *p)
{
    if ((p->client_keys || p->decryption_keys) && b->config->base_url)
        na_findings_say(b->server, NA_GROUP_PROVIDERS, p->id, NA_RIGHT, NULL,
                        "its public keys are at %s/jwks (register it as jwks_uri)",
                        base_at(b, 0, p));
    if (p->certificate.chain && p->certificate_ends < apr_time_now() + CERTIFICATE_WARNING)
        na_findings_say(b->server, NA_GROUP_PROVIDERS, p->id, NA_WARNING,
                        "replace the certificate and its key, and register it with the provider",
                        p->certificate_ends < apr_time_now()
                            ? "clientCertificate= has expired"
                            : "clientCertificate= expires within 14 days");
}

/* The URLs that end sessions, and the one to come back to, are registered as that of callbacks. */
static void check_logout(const na_builder *b, const na_provider *p)
{
    if (!p->logout || !b->config->base_url)
        return;
    const char *base = base_at(b, 0, p);
    na_findings_say(b->server, NA_GROUP_PROVIDERS, p->id, NA_RIGHT, NULL,
                    "it can end sessions: register %s/backchannel-logout/%s or, if it has no "
                    "back-channel logout, %s/frontchannel-logout/%s",
                    base, p->id, base, p->id);
    if (p->logout == NA_LOGOUT_BOTH)
        na_findings_say(b->server, NA_GROUP_PROVIDERS, p->id, NA_RIGHT, NULL,
                        "sign-outs continue there: register %s as post_logout_redirect_uri",
                        urls_of(b, "/signout-callback/", p));
}

static void check_initiation(const na_builder *b, const na_provider *p)
{
    if (p->is_initiated && b->config->base_url)
        na_findings_say(b->server, NA_GROUP_PROVIDERS, p->id, NA_RIGHT, NULL,
                        "other sites can begin sign-ins: register %s/initiate/%s as "
                        "initiate_login_uri",
                        base_at(b, 0, p), p->id);
}

static void check_provider(const na_builder *b, const na_provider *p)
{
    const char *what = p->type == NA_CREDENTIALS ? password_source(b, p)
                       : p->type == NA_EMAIL     ? mail_source(b)
                       : p->type == NA_WEBAUTHN  ? passkey_rp(b, p)
                                                 : callback_url(b, p);
    na_findings_say(b->server, NA_GROUP_PROVIDERS, p->id, NA_RIGHT, NULL, "%s", what);
    check_client(b, p);
    check_logout(b, p);
    check_initiation(b, p);
    check_public(b, p);
    if (p->email_domains && !na_provider_is_of_domains(p))
        na_findings_say(b->server, NA_GROUP_PROVIDERS, p->id, NA_WARNING, "remove emailDomains=",
                        "emailDomains= has no effect: email addresses lead to providers of OpenID "
                        "Connect and OAuth 2.0 only");
    if (p->any_tenant)
        na_findings_say(b->server, NA_GROUP_PROVIDERS, p->id, NA_WARNING,
                        "set tenant= to your organization's tenant ID or domain",
                        "no tenant: accounts of every organization can sign in, and their email "
                        "addresses are not verified");
    if (p->allow_linking && p->allow_unverified_email)
        na_findings_say(b->server, NA_GROUP_PROVIDERS, p->id, NA_WARNING, "remove one of them",
                        "allowDangerousEmailAccountLinking with allowUnverifiedEmail: anyone who "
                        "enters a user's email address there can sign in as that user");
}

/* Clients find the metadata by the audience alone, so that it must be a URL of the site. */
static void check_resource(const na_builder *b, const na_issuer *issuer)
{
    const char *id = issuer->provider->id;
    int count = 0;
    for (int i = 0; issuer->publishes && i < issuer->audiences->nelts; i++) {
        const char *audience = APR_ARRAY_IDX(issuer->audiences, i, const char *), *path;
        if (!(path = na_resource_path(b->pool, audience, b->config->origin)))
            continue;
        na_findings_say(b->server, NA_GROUP_PROVIDERS, id, NA_RIGHT, NULL,
                        "its metadata is at %s" NA_RESOURCE_WELL_KNOWN "%s", b->config->origin,
                        path);
        count++;
    }
    if (issuer->publishes && !count && b->config->hosts->nelts == 1)
        na_findings_say(b->server, NA_GROUP_PROVIDERS, id, NA_WARNING,
                        "set audience= to the URL of the API",
                        "resourceMetadata=On, and no audience is a URL of the site");
}

/* ── cookies ───────────────────────────────────────────────────────────────────────────────── */

static void check_cookie(const na_builder *b, const na_cookie *cookie)
{
    const char *domain =
        cookie->domain ? apr_pstrcat(b->pool, ", domain ", cookie->domain, NULL) : "";
    na_findings_say(b->server, NA_GROUP_COOKIES, cookie->name, NA_RIGHT, NULL,
                    "%s, SameSite=%s%s, path %s%s", cookie->secure ? "Secure" : "not Secure",
                    cookie->same_site, cookie->partitioned ? ", Partitioned" : "", cookie->path,
                    domain);
    if (strcmp(cookie->same_site, "None") == 0)
        na_findings_say(b->server, NA_GROUP_COOKIES, cookie->name, NA_WARNING,
                        "set sameSite=lax unless other sites embed this one",
                        "SameSite=None: browsers send it with other sites' requests");
}

/* bytes of a usual session: its encrypted claims in base64url, and the names of its chunks */
#define SESSION_SIZE 2048

static void check_sizes(const na_builder *b)
{
    apr_size_t most = b->config->session.cookie_max;
    apr_size_t room = most > NA_OTHER_COOKIES ? most - NA_OTHER_COOKIES : 0;
    int in_cookie = b->config->session.strategy == NA_STRATEGY_JWT;
    int is_tight = in_cookie && room < SESSION_SIZE;
    na_findings_say(b->server, NA_GROUP_COOKIES, "LimitRequestFieldSize",
                    is_tight ? NA_WARNING : NA_RIGHT,
                    is_tight ? "increase LimitRequestFieldSize (8190 by default), or set "
                               "NextAuthSessionStrategy database"
                             : NULL,
                    "a Cookie header can have %" APR_SIZE_T_FMT " bytes: %" APR_SIZE_T_FMT
                    " for the session and %d for other cookies",
                    most, room, NA_OTHER_COOKIES);
}

static void check_cookies(const na_builder *b)
{
    const na_session_config *session = &b->config->session;
    if (!session->source_count)
        return; /* the URL, which determines them, is invalid */
    for (int i = 0; i < session->source_count; i++)
        check_cookie(b, &session->sources[i].cookie);
    if (strcmp(session->sources[0].cookie.same_site, "Strict") == 0 && na_build_has_redirects(b))
        na_findings_say(b->server, NA_GROUP_COOKIES, session->sources[0].cookie.name, NA_WARNING,
                        "use sameSite=lax, or remove it",
                        "SameSite=Strict: browsers do not send it with the page that follows a "
                        "sign-in at a provider");
    for (int i = 0; i < NA_COOKIE_COUNT; i++)
        check_cookie(b, &b->config->cookies[i]);
    check_sizes(b);
}

static int has_passwords(const na_config *config)
{
    for (int i = 0; i < config->providers->nelts; i++)
        if (APR_ARRAY_IDX(config->providers, i, const na_provider *)->type == NA_CREDENTIALS)
            return 1;
    return 0;
}

static void check_limits(const na_builder *b)
{
    if (b->config->mode != NA_PRODUCTION || b->config->limits.of[NA_LIMIT_SIGN_IN].count ||
        !has_passwords(b->config))
        return;
    na_findings_say(b->server, NA_GROUP_SITE, "rate limits", NA_WARNING,
                    "remove NextAuthFeature rateLimiting Off and NextAuthRateLimit signIn Off",
                    "sign-ins with a password are not limited: attackers can guess passwords");
}

/* ── features ──────────────────────────────────────────────────────────────────────────────── */

static const char *list_features(const na_builder *b, int on)
{
    const char *names = NULL;
    for (const na_feature *f = na_features; f->name; f++)
        if (((b->config->features & f->bit) != 0) == on)
            names = names ? apr_pstrcat(b->pool, names, ", ", f->name, NULL) : f->name;
    return names ? names : "none";
}

static const char *list_left_out(const na_builder *b, int feature)
{
    const char *ids = NULL;
    for (int i = 0; i < b->left_out->nelts; i++) {
        const na_provider *p = APR_ARRAY_IDX(b->left_out, i, const na_provider *);
        if ((p->type == NA_EMAIL) == (feature == NA_FEATURE_MAGIC_LINKS))
            ids = ids ? apr_pstrcat(b->pool, ids, ", ", p->id, NULL) : p->id;
    }
    return ids ? ids : "none";
}

static const char *off_means(const na_builder *b, int feature)
{
    if (feature == NA_FEATURE_OAUTH || feature == NA_FEATURE_MAGIC_LINKS)
        return apr_pstrcat(b->pool, "off: providers that are left out: ", list_left_out(b, feature),
                           NULL);
    return feature == NA_FEATURE_AUDIT ? "off: nothing is recorded in an audit log" : NULL;
}

static void check_features(const na_builder *b)
{
    na_findings_say(b->server, NA_GROUP_SITE, "features", NA_RIGHT, NULL, "on: %s; off: %s",
                    list_features(b, 1), list_features(b, 0));
    for (const na_feature *f = na_features; f->name; f++) {
        const char *means = na_build_feature_is_off(b, f->bit) ? off_means(b, f->bit) : NULL;
        if (means)
            na_findings_say(b->server, NA_GROUP_SITE, f->name, NA_RIGHT, NULL, "%s", means);
    }
}

void na_check_site(const na_builder *b)
{
    check_mode(b);
    check_url(b);
    check_features(b);
    check_limits(b);
    for (int i = 0; i < b->config->providers->nelts; i++)
        check_provider(b, APR_ARRAY_IDX(b->config->providers, i, const na_provider *));
    for (int i = 0; i < b->issuers->nelts; i++)
        check_resource(b, APR_ARRAY_IDX(b->issuers, i, const na_issuer *));
    check_cookies(b);
}
