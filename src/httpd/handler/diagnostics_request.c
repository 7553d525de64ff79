/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics of a request: its URL and its session cookie, with hints at what is wrong. */
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "httpd/handler/answer.h"
#include "session/chunks.h"

static void add_hint(json_t *hints, const char *text)
{
    json_array_append_new(hints, json_string(text));
}

/* ── the URL ───────────────────────────────────────────────────────────────────────────────── */

/* Returns 1 if the Host header matches the canonical URL, whatever the scheme. */
static int has_canonical_host(const request_rec *r, const na_config *config)
{
    na_url seen;
    const char *host = apr_table_get(r->headers_in, "Host");
    const char *scheme = apr_pstrmemdup(r->pool, config->origin,
                                        (apr_size_t)(strchr(config->origin, ':') - config->origin));
    return host && na_url_parse(r->pool, apr_pstrcat(r->pool, scheme, "://", host, NULL), &seen) &&
           strcmp(seen.origin, config->origin) == 0;
}

/* Returns "https", "http", "other", or "none", never the header itself. */
static const char *forwarded_scheme(const request_rec *r)
{
    const char *value = apr_table_get(r->headers_in, "X-Forwarded-Proto");
    if (!value)
        return "none";
    return strcmp(value, "https") == 0 ? "https" : strcmp(value, "http") == 0 ? "http" : "other";
}

static json_t *describe_url(request_rec *r, json_t *hints)
{
    const na_config *config = na_config_of(r);
    const char *scheme = ap_http_scheme(r), *forwarded = forwarded_scheme(r);
    int is_https = strncmp(config->origin, "https:", 6) == 0;
    int scheme_matches = is_https == (strcmp(scheme, "https") == 0);
    int matches = has_canonical_host(r, config);
    if (is_https && !scheme_matches && strcmp(forwarded, "https") != 0)
        add_hint(hints,
                 "the canonical URL is https, but this request is http, with which browsers send "
                 "no Secure cookies: use https. If a proxy terminates TLS, make it send "
                 "X-Forwarded-Proto, which only these diagnostics read");
    if (!is_https && strcmp(scheme, "https") == 0)
        add_hint(hints, "the canonical URL is http, but this request is https: set NextAuthURL "
                        "https://HOST");
    if (!matches)
        add_hint(hints,
                 "the Host header does not match the canonical URL: browsers send cookies only to "
                 "the host that set them, and callbacks go to NextAuthURL. Redirect other host "
                 "names there");
    return json_pack("{s:s,s:s,s:b,s:b}", "scheme", scheme, "forwardedScheme", forwarded,
                     "schemeMatches", scheme_matches, "hostMatches", matches);
}

/* ── the session cookie ────────────────────────────────────────────────────────────────────── */

/* Counts the cookies of that name; each chunk is one. */
static int count_cookies(const char *header, const na_session_source *source)
{
    na_bytes name, value;
    int count = 0;
    while (na_cookie_next(&header, &name, &value))
        count += name.len >= source->name_len &&
                 memcmp(name.data, source->cookie.name, source->name_len) == 0 &&
                 (name.len == source->name_len || name.data[source->name_len] == '.');
    return count;
}

static int is_token(na_bytes value)
{
    return memchr(value.data, '.', value.len) != NULL;
}

/* Returns why a cookie has no valid session: only a class, not the details that are logged. */
static const char *refusal_class(request_rec *r, const na_session_source *source, na_bytes value)
{
    json_t *claims;
    if (!value.len)
        return "incomplete";
    if (!is_token(value))
        return "unknown";
    /* at time 0, nothing has expired */
    if (na_keyring_open(r->pool, &source->ring, value, 0, &claims))
        return "unreadable";
    return na_keyring_open(r->pool, &source->ring, value, apr_time_now(), &claims) ? "expired"
                                                                                   : "refused";
}

static const char *cookie_state(request_rec *r, const na_session_source *source, na_bytes value)
{
    if (na_session_of(r))
        return "valid";
    return na_state_of(r)->unavailable ? "unavailable" : refusal_class(r, source, value);
}

static void add_state_hint(const char *state, json_t *hints)
{
    static const char *const words[][2] = {
        {"incomplete", "chunks of the session cookie are missing: a proxy removes cookies, or the "
                       "browser could not store all of them"},
        {"unknown", "no session store has a record of this session ID: the session has ended, or "
                    "belongs to another site or store"},
        {"unreadable", "the session token could not be decrypted: it was encrypted with a secret "
                       "that NextAuthSecret does not list, or for another cookie name (v5), or is "
                       "damaged"},
        {"expired", "the session has expired; if it is recent, check that the servers' clocks "
                    "agree"},
        {"refused", "the session token is valid, but the session was revoked, was idle for too "
                    "long, or is bound to another client: set LogLevel nextauth:info to log the "
                    "reason"},
        {"unavailable", "the session store or the database is unavailable"},
    };
    for (apr_size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], state) == 0)
            add_hint(hints, words[i][1]);
}

static json_t *describe_cookie(request_rec *r, const char *header, json_t *hints)
{
    const na_session_config *session = &na_config_of(r)->session;
    for (int i = 0; header && i < session->source_count; i++) {
        const na_session_source *source = &session->sources[i];
        int count = count_cookies(header, source);
        if (!count)
            continue;
        na_chunks chunks;
        na_bytes value = {0};
        na_chunks_find(header, source->cookie.name, source->name_len, &chunks);
        na_chunks_token(r->pool, &chunks, 0, &value);
        const char *state = cookie_state(r, source, value);
        add_state_hint(state, hints);
        return json_pack("{s:s,s:i,s:I,s:s}", "dialect", source->dialect == NA_V5 ? "v5" : "v4",
                         "cookies", count, "bytes", (json_int_t)value.len, "state", state);
    }
    add_hint(hints, "this request has no session cookie");
    return json_null();
}

json_t *na_diagnostics_of_request(request_rec *r, json_t *hints)
{
    const char *header = na_cookie_header_of(r);
    json_t *request = describe_url(r, hints);
    json_object_set_new(request, "sessionCookie", describe_cookie(r, header, hints));
    json_object_set_new(request, "cookieHeaderBytes",
                        json_integer(header ? (json_int_t)strlen(header) : 0));
    json_object_set_new(request, "cookieHeaderLimit",
                        json_integer((json_int_t)na_config_of(r)->session.cookie_max));
    return request;
}
