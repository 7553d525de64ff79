/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthCookie: names and attributes of cookies, and what browsers require of them. */
#include <stddef.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/url.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"
#include "httpd/findings.h"

static const char *const cookie_stems[] = {[NA_COOKIE_CALLBACK_URL] = "callback-url",
                                           [NA_COOKIE_CSRF] = "csrf-token",
                                           [NA_COOKIE_REFERENCE] = "error-reference",
                                           [NA_COOKIE_ATTEMPT] = "attempt",
                                           [NA_COOKIE_DIRECT] = "direct-sign-in",
                                           [NA_COOKIE_KNOWN_BROWSER] = "known-browser",
                                           [NA_COOKIE_REMEMBERED] = "remembered-browser",
                                           [NA_COOKIE_STATE] = "state",
                                           [NA_COOKIE_PKCE] = "pkce.code_verifier",
                                           [NA_COOKIE_NONCE] = "nonce",
                                           [NA_COOKIE_LINK] = "link",
                                           [NA_COOKIE_TWO_FACTOR] = "two-factor",
                                           [NA_COOKIE_CHALLENGE] = "challenge",
                                           [NA_COOKIE_FORMER] = "former-user"};

/*
 * In a frame of another site, browsers send only SameSite=None cookies, and increasingly only
 * partitioned ones (CHIPS, draft-cutler-httpbis-partitioned-cookies).
 */
static na_cookie default_cookie(na_builder *b, na_dialect dialect, const char *stem, int host)
{
    int secure = strncmp(b->config->origin, "https:", 6) == 0;
    const char *prefix = !secure ? "" : host ? "__Host-" : "__Secure-";
    const char *package = dialect == NA_V4 ? "next-auth." : "authjs.";
    return (na_cookie){.name = apr_pstrcat(b->pool, prefix, package, stem, NULL),
                       .path = "/",
                       .same_site = b->config->frame_origins ? "None" : "Lax",
                       .secure = secure,
                       .partitioned = b->config->frame_origins != NULL};
}

/*
 * Returns 1 for cookies that a sibling domain must not be able to set. The callback URL and the
 * session have NextAuth's names, which applications read.
 */
static int needs_host_prefix(na_cookie_id id)
{
    return id == NA_COOKIE_CSRF || id == NA_COOKIE_KNOWN_BROWSER || id >= NA_COOKIE_REMEMBERED;
}

static void add_foreign_checks(na_builder *b, na_dialect dialect)
{
    na_foreign_checks *checks = &b->config->foreign_checks[b->config->foreign_count++];
    for (int i = NA_COOKIE_STATE; i <= NA_COOKIE_NONCE; i++)
        checks->cookies[i] = default_cookie(b, dialect, cookie_stems[i], 0);
}

void na_build_default_cookies(na_builder *b)
{
    na_config *config = b->config;
    na_session_config *session = &config->session;
    for (int i = 0; i < NA_COOKIE_COUNT; i++)
        config->cookies[i] =
            default_cookie(b, config->dialect, cookie_stems[i], needs_host_prefix(i));
    for (int i = 0; i < 2; i++) {
        na_dialect dialect = i ? (config->dialect == NA_V4 ? NA_V5 : NA_V4) : config->dialect;
        if (b->accepted & (1 << dialect))
            session->sources[session->source_count++] =
                (na_session_source){.dialect = dialect,
                                    .cookie = default_cookie(b, dialect, "session-token", 0)};
        if (b->accepted & (1 << dialect))
            add_foreign_checks(b, dialect);
    }
}

static na_error *as_same_site(na_builder *b, const char *value, void *member)
{
    static const char *const names[] = {"Lax", "Strict", "None"};
    for (int i = 0; i < 3; i++) {
        if (ap_cstr_casecmp(value, names[i]) != 0)
            continue;
        *(const char **)member = names[i];
        return NULL;
    }
    return na_wrong(b, "invalid sameSite='%s': expected lax, strict, or none", value);
}

static na_error *as_boolean(na_builder *b, const char *value, void *member)
{
    *(int *)member = strcmp(value, "true") == 0;
    return *(int *)member || strcmp(value, "false") == 0
               ? NULL
               : na_wrong(b, "invalid secure='%s': expected true or false", value);
}

/* RFC 6265bis section 4.1.1: a name is a token; domain and path end at a semicolon. */
static na_error *check_cookie(na_builder *b, const na_cookie *cookie)
{
    const char *name = cookie->name;
    if (!*name || strlen(name) > 128 || na_has_control(name) ||
        strpbrk(name, " \"(),/:;<=>?@[]\\{}"))
        return na_error_with_hint(na_wrong(b, "invalid cookie name '%s'", name),
                                  "use 1 to 128 letters, digits, and - _ .");
    if (*cookie->path != '/' || strpbrk(cookie->path, "; ,") || na_has_control(cookie->path))
        return na_error_with_hint(na_wrong(b, "invalid path='%s': expected a path", cookie->path),
                                  "use a path that begins with / and contains no ; , or space");
    if (cookie->domain && (!*cookie->domain || strpbrk(cookie->domain, "; ,/:")))
        return na_error_with_hint(na_wrong(b, "invalid domain='%s': expected a domain",
                                           cookie->domain),
                                  "use a host name without port, such as example.org");
    if (!cookie->secure && (strncmp(name, "__Secure-", 9) == 0 || strncmp(name, "__Host-", 7) == 0))
        return na_error_with_hint(
            na_wrong(b, "cookie '%s' requires secure=true: browsers reject it otherwise", name),
            "remove secure=false or set another name=");
    if (!cookie->secure && strcmp(cookie->same_site, "None") == 0)
        return na_error_with_hint(na_wrong(b, "cookie '%s': sameSite=none requires secure=true",
                                           name),
                                  "set sameSite=lax, or an HTTPS URL with NextAuthURL");
    if (strncmp(name, "__Host-", 7) == 0 && (cookie->domain || strcmp(cookie->path, "/") != 0))
        return na_error_with_hint(na_wrong(b,
                                           "cookie '%s': a __Host- cookie requires path=/ and "
                                           "cannot have domain=",
                                           name),
                                  "remove path= and domain=, or set another name=");
    if (!cookie->secure && b->config->mode == NA_PRODUCTION)
        return na_error_with_hint(na_wrong(b,
                                           "cookie '%s': secure=false is not allowed in production",
                                           name),
                                  "remove secure=false");
    return NULL;
}

static const char *const directive_names[] = {[NA_COOKIE_CALLBACK_URL] = "callbackUrl",
                                              [NA_COOKIE_CSRF] = "csrfToken",
                                              [NA_COOKIE_REFERENCE] = "errorReference",
                                              [NA_COOKIE_ATTEMPT] = "attempt",
                                              [NA_COOKIE_DIRECT] = "directSignIn",
                                              [NA_COOKIE_KNOWN_BROWSER] = "knownBrowser",
                                              [NA_COOKIE_REMEMBERED] = "rememberedBrowser",
                                              [NA_COOKIE_STATE] = "state",
                                              [NA_COOKIE_PKCE] = "pkceCodeVerifier",
                                              [NA_COOKIE_NONCE] = "nonce",
                                              [NA_COOKIE_LINK] = "link",
                                              [NA_COOKIE_TWO_FACTOR] = "twoFactor",
                                              [NA_COOKIE_CHALLENGE] = "webauthnChallenge",
                                              [NA_COOKIE_FORMER] = "formerUser"};

/* A default name loses __Host- if the directive sets a domain or path that this prefix forbids. */
static void adjust_prefix(na_builder *b, na_cookie *cookie)
{
    if (cookie == &b->config->cookies[NA_COOKIE_CSRF] || strncmp(cookie->name, "__Host-", 7) != 0 ||
        (!cookie->domain && strcmp(cookie->path, "/") == 0))
        return;
    cookie->name = apr_pstrcat(b->pool, "__Secure-", cookie->name + strlen("__Host-"), NULL);
}

na_error *na_build_cookie(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"name", offsetof(na_cookie, name), na_as_text},
                                          {"domain", offsetof(na_cookie, domain), na_as_text},
                                          {"path", offsetof(na_cookie, path), na_as_text},
                                          {"sameSite", offsetof(na_cookie, same_site),
                                           as_same_site},
                                          {"secure", offsetof(na_cookie, secure), as_boolean},
                                          {NULL, 0, NULL}};
    na_cookie *cookie =
        strcmp(w->argv[0], "sessionToken") == 0 ? &b->config->session.sources[0].cookie : NULL;
    for (int i = 0; i < NA_COOKIE_COUNT; i++)
        if (strcmp(w->argv[0], directive_names[i]) == 0)
            cookie = &b->config->cookies[i];
    if (!cookie)
        return na_wrong(
            b,
            "unknown cookie '%s': expected sessionToken, callbackUrl, csrfToken, errorReference, "
            "directSignIn, knownBrowser, rememberedBrowser, state, pkceCodeVerifier, nonce, link, "
            "twoFactor, "
            "webauthnChallenge, or formerUser",
            w->argv[0]);
    const char *name = cookie->name;
    NA_TRY(na_build_settings(b, w, 1, settings, cookie));
    if (cookie->name == name)
        adjust_prefix(b, cookie);
    if (strcmp(cookie->same_site, "None") != 0)
        cookie->partitioned = 0; /* it is not sent in frames */
    return check_cookie(b, cookie);
}

/* ── all of them together ──────────────────────────────────────────────────────────────────── */

/* RFC 6265 section 5.1.3: browsers accept the host itself, or a parent domain of it. */
static int covers_host(const char *domain, const char *host)
{
    if (*domain == '.')
        domain++;
    size_t len = strlen(domain), host_len = strlen(host);
    return len <= host_len && ap_cstr_casecmp(host + host_len - len, domain) == 0 &&
           (len == host_len || host[host_len - len - 1] == '.');
}

/* RFC 6265 section 5.1.4. */
static int covers_path(const char *cookie, const char *path)
{
    size_t len = strlen(cookie);
    return strncmp(cookie, path, len) == 0 &&
           (cookie[len - 1] == '/' || path[len] == '/' || !path[len]);
}

static na_error *check_host(na_builder *b, const na_cookie *cookie, const char *host)
{
    if (cookie->domain && !strchr(cookie->domain + 1, '.') && strcmp(cookie->domain, host) != 0)
        return na_error_with_hint(
            na_wrong(b, "invalid domain='%s': browsers reject cookies for a top-level domain",
                     cookie->domain),
            "set the site's own domain or remove domain=");
    if (cookie->domain && !covers_host(cookie->domain, host))
        return na_error_with_hint(
            na_wrong(b, "invalid domain='%s': '%s' is not in it, so browsers reject cookie '%s'",
                     cookie->domain, host, cookie->name),
            "set the host or a parent domain of it, or remove domain=");
    return NULL;
}

/* The text of a wildcard is in the same domains as the hosts that it stands for. */
static na_error *check_reach(na_builder *b, const na_cookie *cookie)
{
    for (int i = 0; i < b->config->hosts->nelts; i++)
        NA_TRY(check_host(b, cookie, APR_ARRAY_IDX(b->config->hosts, i, na_host_pattern).host));
    if (!covers_path(cookie->path,
                     apr_pstrcat(b->pool, b->config->prefix, b->config->base_path, NULL)))
        return na_error_with_hint(
            na_wrong(b,
                     "invalid path='%s': the endpoints at %s are outside it and would not receive "
                     "cookie '%s'",
                     cookie->path, b->config->base_path, cookie->name),
            "set path=/ or remove path=");
    return NULL;
}

/* A provider's response, or a click in webmail, comes from another site: browsers then do not send
 * SameSite=Strict cookies. */
static na_error *check_same_site(na_builder *b, na_cookie_id id)
{
    const na_cookie *cookie = &b->config->cookies[id];
    if (id < NA_COOKIE_STATE || id > NA_COOKIE_LINK || strcmp(cookie->same_site, "Strict") != 0)
        return NULL;
    return na_error_with_hint(
        na_wrong(b, "sameSite=strict: browsers would not send cookie '%s' with %s", cookie->name,
                 id == NA_COOKIE_LINK ? "a link from an email" : "the provider's response"),
        "set sameSite=lax or remove sameSite=strict");
}

int na_build_has_redirects(const na_builder *b)
{
    for (int i = 0; i < b->config->providers->nelts; i++)
        if (APR_ARRAY_IDX(b->config->providers, i, const na_provider *)->type <= NA_OAUTH)
            return 1;
    return 0;
}

/* The CSRF cookie identifies the browser that began the sign-in. */
static na_error *check_csrf(na_builder *b)
{
    const na_cookie *cookie = &b->config->cookies[NA_COOKIE_CSRF];
    if (strcmp(cookie->same_site, "Strict") != 0 || !na_build_has_redirects(b))
        return NULL;
    return na_error_with_hint(na_wrong(b,
                                       "sameSite=strict: browsers would not send cookie '%s' with "
                                       "the provider's response",
                                       cookie->name),
                              "set sameSite=lax or remove sameSite=strict");
}

static int sets_lax(const na_directive *w)
{
    static const char *const names[] = {"state", "pkceCodeVerifier", "nonce"};
    int is_check = 0, is_lax = 0;
    for (int i = 0; i < 3; i++)
        is_check |= w->id == NextAuthCookie && strcmp(w->argv[0], names[i]) == 0;
    for (int i = 1; is_check && i < w->argc; i++)
        is_lax |= ap_cstr_casecmp(w->argv[i], "sameSite=lax") == 0;
    return is_lax;
}

/* Browsers send only SameSite=None cookies, which must be Secure, with a form of another site. */
static na_error *check_form_post(na_builder *b, const na_provider *p,
                                 const apr_array_header_t *written)
{
    if (!p->form_post)
        return NULL;
    if (strncmp(b->config->origin, "https:", 6) != 0)
        return na_error_with_hint(
            na_wrong(b, "provider '%s': response_mode=form_post requires an HTTPS site", p->id),
            "set an HTTPS URL with NextAuthURL, or remove response_mode");
    for (int i = 0; i < written->nelts; i++)
        if (sets_lax(&APR_ARRAY_IDX(written, i, na_directive)))
            return na_error_with_hint(
                na_wrong(b,
                         "provider '%s': response_mode=form_post requires sign-in cookies with "
                         "sameSite=none",
                         p->id),
                "remove sameSite=lax from NextAuthCookie, or response_mode");
    return NULL;
}

static na_error *check_forms(na_builder *b, const apr_array_header_t *written)
{
    for (int i = 0; i < b->config->providers->nelts; i++) {
        na_build_look_at(b, na_last_of(written, NextAuthProvider),
                         na_directive_name(NextAuthProvider));
        NA_TRY(na_build_noted(
            b, check_form_post(b, APR_ARRAY_IDX(b->config->providers, i, const na_provider *),
                               written)));
    }
    return NULL;
}

/* Every cookie <session>.<digit> is read as a chunk of the session. */
static int is_session_chunk(const char *name, const char *session)
{
    size_t len = strlen(session);
    return strncmp(name, session, len) == 0 &&
           (!name[len] || (name[len] == '.' && apr_isdigit(name[len + 1]) && !name[len + 2]));
}

static na_error *check_name(na_builder *b, int which)
{
    const na_session_config *session = &b->config->session;
    const char *name = b->config->cookies[which].name;
    for (int k = 0; k < session->source_count; k++)
        if (is_session_chunk(name, session->sources[k].cookie.name))
            return na_error_with_hint(
                na_wrong(b, "cookie '%s' has the name of the session cookie, or of a chunk of it",
                         name),
                "set another name=");
    for (int k = 0; k < which; k++)
        if (strcmp(name, b->config->cookies[k].name) == 0)
            return na_error_with_hint(na_wrong(b, "duplicate cookie name '%s'", name),
                                      "set another name= for one of them");
    return NULL;
}

/* Looks at the last directive for this cookie; without one, at the last NextAuthCookie, which then
 * conflicts with it. */
static void look_at_cookie(na_builder *b, const apr_array_header_t *written, const char *name)
{
    const na_directive *at = na_last_of(written, NextAuthCookie);
    for (int i = 0; i < written->nelts; i++) {
        const na_directive *w = &APR_ARRAY_IDX(written, i, na_directive);
        if (w->id == NextAuthCookie && strcmp(w->argv[0], name) == 0)
            at = w;
    }
    na_build_look_at(b, at, na_directive_name(NextAuthCookie));
}

static na_error *check_frames(na_builder *b, const apr_array_header_t *written)
{
    if (!b->config->frame_origins || strncmp(b->config->origin, "https:", 6) == 0)
        return NULL;
    na_build_look_at(b, na_last_of(written, NextAuthFrameAllow),
                     na_directive_name(NextAuthFrameAllow));
    return na_error_with_hint(
        na_wrong(b, "frames require an HTTPS site: browsers would not send its cookies"),
        "set an HTTPS URL with NextAuthURL, or remove NextAuthFrameAllow");
}

/* Hosts with one session cookie but sessions of their own would end each other's sessions. */
static na_error *check_shared_domain(na_builder *b)
{
    const na_cookie *cookie = &b->config->session.sources[0].cookie;
    if (!b->config->is_by_host || b->config->site_name || !cookie->domain)
        return NULL;
    return na_error_with_hint(
        na_wrong(b,
                 "domain='%s': each host has sessions of its own, but browsers would have one "
                 "cookie '%s' for all of them",
                 cookie->domain, cookie->name),
        "set NextAuthSite NAME to share sessions between hosts, or remove domain=");
}

static na_error *check_cookies(na_builder *b, const apr_array_header_t *written)
{
    NA_TRY(na_build_noted(b, check_frames(b, written)));
    look_at_cookie(b, written, "sessionToken");
    NA_TRY(na_build_noted(b, check_shared_domain(b)));
    for (int i = 0; i < b->config->session.source_count; i++)
        NA_TRY(na_build_noted(b, check_reach(b, &b->config->session.sources[i].cookie)));
    look_at_cookie(b, written, "csrfToken");
    NA_TRY(na_build_noted(b, check_csrf(b)));
    for (int i = 0; i < NA_COOKIE_COUNT; i++) {
        look_at_cookie(b, written, directive_names[i]);
        NA_TRY(na_build_noted(b, check_reach(b, &b->config->cookies[i])));
        NA_TRY(na_build_noted(b, check_same_site(b, i)));
        NA_TRY(na_build_noted(b, check_name(b, i)));
    }
    return check_forms(b, written);
}

/*
 * A session cookie of an earlier domain or path is deleted, too; other cookies are not. If the site
 * has several hosts, this is derived for each.
 */
static void set_elsewhere(na_builder *b)
{
    const char *host = APR_ARRAY_IDX(b->config->hosts, 0, na_host_pattern).host;
    for (int i = 0; i < b->config->session.source_count; i++) {
        na_cookie *cookie = &b->config->session.sources[i].cookie;
        cookie->elsewhere = na_cookie_elsewhere(b->pool, cookie, host);
    }
}

na_error *na_build_finish_cookies(na_builder *b, const apr_array_header_t *written)
{
    set_elsewhere(b);
    return check_cookies(b, written);
}

/* Cookies do not distinguish ports (RFC 6265 section 8.5). */
static int share_host(const na_config *a, const na_config *b)
{
    for (int i = 0; i < a->hosts->nelts; i++)
        for (int k = 0; k < b->hosts->nelts; k++)
            if (na_host_patterns_overlap(&APR_ARRAY_IDX(a->hosts, i, na_host_pattern),
                                         &APR_ARRAY_IDX(b->hosts, k, na_host_pattern)))
                return 1;
    return 0;
}

static int end_each_other(const na_config *a, const na_config *b)
{
    const na_cookie *left = &a->session.sources[0].cookie, *right = &b->session.sources[0].cookie;
    return strcmp(a->secrets[0], b->secrets[0]) != 0 && strcmp(left->name, right->name) == 0 &&
           share_host(a, b) &&
           (covers_path(left->path, right->path) || covers_path(right->path, left->path));
}

static void warn_of_shared_cookie(const server_rec *s, const na_config *a, const na_config *b)
{
    const char *name = a->session.sources[0].cookie.name;
    na_findings_say(s, NA_GROUP_COOKIES, name, NA_WARNING,
                    "set another name= or path= with NextAuthCookie sessionToken",
                    "%s and %s have the same host name and session cookie, but different secrets: "
                    "each ends the other's sessions",
                    a->origin, b->origin);
    if (!na_findings_are_wanted(s))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "%s and %s have the same host name and session cookie '%s', but different "
                     "secrets: each ends the other's sessions: set another name= or path= with "
                     "NextAuthCookie sessionToken",
                     a->origin, b->origin, name);
}

void na_warn_of_shared_cookies(const server_rec *s)
{
    for (; s; s = s->next) {
        const na_config *config = na_server_conf_of(s)->config;
        for (const server_rec *other = s->next; config && other; other = other->next) {
            const na_config *second = na_server_conf_of(other)->config;
            if (second && end_each_other(config, second))
                warn_of_shared_cookie(other, config, second);
        }
    }
}
