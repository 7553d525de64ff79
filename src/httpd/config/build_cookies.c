/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/url.h"
#include "httpd/config/build.h"
#include "httpd/findings.h"

static const char *const cookie_stems[] = {[NA_COOKIE_CALLBACK_URL] = "callback-url",
                                           [NA_COOKIE_CSRF] = "csrf-token",
                                           [NA_COOKIE_REFERENCE] = "error-reference",
                                           [NA_COOKIE_KNOWN_BROWSER] = "known-browser",
                                           [NA_COOKIE_STATE] = "state",
                                           [NA_COOKIE_PKCE] = "pkce.code_verifier",
                                           [NA_COOKIE_NONCE] = "nonce",
                                           [NA_COOKIE_LINK] = "link"};

static na_cookie default_cookie(na_builder *b, na_dialect dialect, const char *stem, int host)
{
    int secure = strncmp(b->config->origin, "https:", 6) == 0;
    const char *prefix = !secure ? "" : host ? "__Host-" : "__Secure-";
    const char *package = dialect == NA_V4 ? "next-auth." : "authjs.";
    return (na_cookie){.name = apr_pstrcat(b->pool, prefix, package, stem, NULL),
                       .path = "/",
                       .same_site = "Lax",
                       .secure = secure};
}

/*
 * What a sibling below the same domain must not be able to put there. The callback URL's and the
 * session's names are NextAuth's, which applications read.
 */
static int is_of_this_host(na_cookie_id id)
{
    return id == NA_COOKIE_CSRF || id == NA_COOKIE_KNOWN_BROWSER || id >= NA_COOKIE_STATE;
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
            default_cookie(b, config->dialect, cookie_stems[i], is_of_this_host(i));
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
    return na_wrong(b, "sameSite=%s: lax, strict or none is wanted", value);
}

static na_error *as_boolean(na_builder *b, const char *value, void *member)
{
    *(int *)member = strcmp(value, "true") == 0;
    return *(int *)member || strcmp(value, "false") == 0
               ? NULL
               : na_wrong(b, "secure=%s: true or false is wanted", value);
}

/* RFC 6265bis section 4.1.1: a name is a token; domain and path end at a semicolon. */
static na_error *check_cookie(na_builder *b, const na_cookie *cookie)
{
    const char *name = cookie->name;
    if (!*name || strlen(name) > 128 || na_has_control(name) ||
        strpbrk(name, " \"(),/:;<=>?@[]\\{}"))
        return na_error_with_hint(na_wrong(b, "'%s' cannot be a cookie's name", name),
                                  "letters, digits and - _ . are good, at most 128");
    if (*cookie->path != '/' || strpbrk(cookie->path, "; ,") || na_has_control(cookie->path))
        return na_error_with_hint(na_wrong(b, "path=%s: a path is wanted", cookie->path),
                                  "/ in front, and none of ; , and spaces");
    if (cookie->domain && (!*cookie->domain || strpbrk(cookie->domain, "; ,/:")))
        return na_error_with_hint(na_wrong(b, "domain=%s: a domain is wanted", cookie->domain),
                                  "a host's name alone is one, such as example.org");
    if (!cookie->secure && (strncmp(name, "__Secure-", 9) == 0 || strncmp(name, "__Host-", 7) == 0))
        return na_error_with_hint(
            na_wrong(b, "cookie %s needs secure=true: browsers drop it otherwise", name),
            "leave secure=false out, or name= it otherwise");
    if (!cookie->secure && strcmp(cookie->same_site, "None") == 0)
        return na_error_with_hint(na_wrong(b, "cookie %s: sameSite=none needs secure=true", name),
                                  "sameSite=lax, or an https: address");
    if (strncmp(name, "__Host-", 7) == 0 && (cookie->domain || strcmp(cookie->path, "/") != 0))
        return na_error_with_hint(na_wrong(b,
                                           "cookie %s: a __Host- cookie has no domain= and path=/",
                                           name),
                                  "leave both out, or name= it otherwise");
    if (!cookie->secure && b->config->mode == NA_PRODUCTION)
        return na_error_with_hint(na_wrong(b, "cookie %s: secure=false is for development", name),
                                  "leave it out");
    return NULL;
}

static const char *const directive_names[] = {[NA_COOKIE_CALLBACK_URL] = "callbackUrl",
                                              [NA_COOKIE_CSRF] = "csrfToken",
                                              [NA_COOKIE_REFERENCE] = "errorReference",
                                              [NA_COOKIE_KNOWN_BROWSER] = "knownBrowser",
                                              [NA_COOKIE_STATE] = "state",
                                              [NA_COOKIE_PKCE] = "pkceCodeVerifier",
                                              [NA_COOKIE_NONCE] = "nonce",
                                              [NA_COOKIE_LINK] = "link"};

/* A name that nobody wrote follows what was: only cookies of one host are __Host- ones. */
static void fit_prefix(na_builder *b, na_cookie *cookie)
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
            "'%s': sessionToken, callbackUrl, csrfToken, errorReference, knownBrowser, state, "
            "pkceCodeVerifier, nonce or link is wanted",
            w->argv[0]);
    const char *name = cookie->name;
    NA_TRY(na_build_settings(b, w, 1, settings, cookie));
    if (cookie->name == name)
        fit_prefix(b, cookie);
    return check_cookie(b, cookie);
}

/* ── all of them together ──────────────────────────────────────────────────────────────────── */

/* RFC 6265 section 5.1.3: a browser takes a domain that the host is, or is below. */
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

static na_error *check_reach(na_builder *b, const na_cookie *cookie, const char *host)
{
    if (cookie->domain && !strchr(cookie->domain + 1, '.') && strcmp(cookie->domain, host) != 0)
        return na_error_with_hint(
            na_wrong(b, "domain=%s: browsers take no cookie for a whole top-level domain",
                     cookie->domain),
            "name the site's own domain, or leave it out");
    if (cookie->domain && !covers_host(cookie->domain, host))
        return na_error_with_hint(
            na_wrong(b, "domain=%s is not a domain of %s: browsers would drop cookie %s",
                     cookie->domain, host, cookie->name),
            "name the host or what it is below, or leave it out");
    if (!covers_path(cookie->path,
                     apr_pstrcat(b->pool, b->config->prefix, b->config->base_path, NULL)))
        return na_error_with_hint(
            na_wrong(b, "path=%s does not hold the endpoints at %s: they would not get cookie %s",
                     cookie->path, b->config->base_path, cookie->name),
            "path=/, or leave it out");
    return NULL;
}

/* A provider's answer, or a click in a mail program's page, comes from another site: without
 * cookies that are SameSite=Strict. */
static na_error *check_same_site(na_builder *b, na_cookie_id id)
{
    const na_cookie *cookie = &b->config->cookies[id];
    if (id < NA_COOKIE_STATE || strcmp(cookie->same_site, "Strict") != 0)
        return NULL;
    return na_error_with_hint(
        na_wrong(b, "sameSite=strict keeps cookie %s from coming back with %s", cookie->name,
                 id == NA_COOKIE_LINK ? "a mailed link" : "the provider's answer"),
        "sameSite=lax, or leave it out");
}

int na_build_has_redirects(const na_builder *b)
{
    for (int i = 0; i < b->config->providers->nelts; i++)
        if (APR_ARRAY_IDX(b->config->providers, i, const na_provider *)->type <= NA_OAUTH)
            return 1;
    return 0;
}

/* By it the browser is known that began a sign-in. */
static na_error *check_csrf(na_builder *b)
{
    const na_cookie *cookie = &b->config->cookies[NA_COOKIE_CSRF];
    if (strcmp(cookie->same_site, "Strict") != 0 || !na_build_has_redirects(b))
        return NULL;
    return na_error_with_hint(na_wrong(b,
                                       "sameSite=strict keeps cookie %s from coming back with the "
                                       "provider's answer",
                                       cookie->name),
                              "use sameSite=lax, or remove it");
}

static int is_said_lax(const na_directive *w)
{
    static const char *const names[] = {"state", "pkceCodeVerifier", "nonce"};
    int is_check = 0, is_lax = 0;
    for (int i = 0; i < 3; i++)
        is_check |= w->id == NextAuthCookie && strcmp(w->argv[0], names[i]) == 0;
    for (int i = 1; is_check && i < w->argc; i++)
        is_lax |= ap_cstr_casecmp(w->argv[i], "sameSite=lax") == 0;
    return is_lax;
}

/* The form of another site has SameSite=None cookies alone, which have to be Secure. */
static na_error *check_form_post(na_builder *b, const na_provider *p,
                                 const apr_array_header_t *written)
{
    if (!p->form_post)
        return NULL;
    if (strncmp(b->config->origin, "https:", 6) != 0)
        return na_error_with_hint(
            na_wrong(b, "provider '%s': response_mode=form_post requires an https site", p->id),
            "use https in NextAuthURL, or remove response_mode");
    for (int i = 0; i < written->nelts; i++)
        if (is_said_lax(&APR_ARRAY_IDX(written, i, na_directive)))
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

/* Any cookie <session>.<digit> is taken for a piece of the session. */
static int is_piece_of(const char *name, const char *session)
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
        if (is_piece_of(name, session->sources[k].cookie.name))
            return na_error_with_hint(
                na_wrong(b,
                         "cookie %s has the name of the session's cookie, or of a piece "
                         "of it",
                         name),
                "name= it otherwise");
    for (int k = 0; k < which; k++)
        if (strcmp(name, b->config->cookies[k].name) == 0)
            return na_error_with_hint(na_wrong(b, "two cookies are named %s", name),
                                      "name= one of them otherwise");
    return NULL;
}

static const char *host_of(apr_pool_t *pool, const na_config *config)
{
    na_url url;
    na_url_parse(pool, config->origin, &url);
    return url.host;
}

/* The last directive that changed it; where none did, the last of all is the one that hit it. */
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

static na_error *check_all(na_builder *b, const apr_array_header_t *written)
{
    const char *host = host_of(b->pool, b->config);
    look_at_cookie(b, written, "sessionToken");
    for (int i = 0; i < b->config->session.source_count; i++)
        NA_TRY(na_build_noted(b, check_reach(b, &b->config->session.sources[i].cookie, host)));
    look_at_cookie(b, written, "csrfToken");
    NA_TRY(na_build_noted(b, check_csrf(b)));
    for (int i = 0; i < NA_COOKIE_COUNT; i++) {
        look_at_cookie(b, written, directive_names[i]);
        NA_TRY(na_build_noted(b, check_reach(b, &b->config->cookies[i], host)));
        NA_TRY(na_build_noted(b, check_same_site(b, i)));
        NA_TRY(na_build_noted(b, check_name(b, i)));
    }
    return check_forms(b, written);
}

/* Only a session's is looked for where it is not written now. */
static void find_elsewhere(na_builder *b)
{
    const char *host = host_of(b->pool, b->config);
    for (int i = 0; i < b->config->session.source_count; i++) {
        na_cookie *cookie = &b->config->session.sources[i].cookie;
        cookie->elsewhere = na_cookie_elsewhere(b->pool, cookie, host);
    }
}

na_error *na_build_finish_cookies(na_builder *b, const apr_array_header_t *written)
{
    find_elsewhere(b);
    return check_all(b, written);
}

/* Cookies know no ports (RFC 6265 section 8.5). */
static int throw_out_each_other(const na_config *a, const na_config *b, apr_pool_t *pool)
{
    const na_cookie *left = &a->session.sources[0].cookie, *right = &b->session.sources[0].cookie;
    return strcmp(a->secrets[0], b->secrets[0]) != 0 && strcmp(left->name, right->name) == 0 &&
           strcmp(host_of(pool, a), host_of(pool, b)) == 0 &&
           (covers_path(left->path, right->path) || covers_path(right->path, left->path));
}

static void warn_of_shared_cookie(const server_rec *s, const na_config *a, const na_config *b)
{
    const char *name = a->session.sources[0].cookie.name;
    na_findings_say(s, NA_GROUP_COOKIES, name, NA_WARNING,
                    "NextAuthCookie sessionToken name= or path= keeps them apart",
                    "%s and %s have one host name, this cookie and different secrets: each ends "
                    "the other's sessions",
                    a->origin, b->origin);
    if (!na_findings_are_wanted(s))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "%s and %s have one host name, cookie %s and different secrets: each ends "
                     "the other's sessions (NextAuthCookie sessionToken name= or path= keeps them "
                     "apart)",
                     a->origin, b->origin, name);
}

void na_warn_of_shared_cookies(const server_rec *s, apr_pool_t *pool)
{
    for (; s; s = s->next) {
        const na_config *config = na_server_conf_of(s)->config;
        for (const server_rec *other = s->next; config && other; other = other->next) {
            const na_config *second = na_server_conf_of(other)->config;
            if (second && throw_out_each_other(config, second, pool))
                warn_of_shared_cookie(other, config, second);
        }
    }
}
