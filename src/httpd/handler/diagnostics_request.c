/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "httpd/handler/answer.h"
#include "session/chunks.h"

static void hint(json_t *hints, const char *text)
{
    json_array_append_new(hints, json_string(text));
}

/* ── the address ───────────────────────────────────────────────────────────────────────────── */

/* 1 where the Host header is the canonical address's, its scheme aside. */
static int host_matches(const request_rec *r, const na_config *config)
{
    na_url seen;
    const char *host = apr_table_get(r->headers_in, "Host");
    const char *scheme = apr_pstrmemdup(r->pool, config->origin,
                                        (apr_size_t)(strchr(config->origin, ':') - config->origin));
    return host && na_url_parse(r->pool, apr_pstrcat(r->pool, scheme, "://", host, NULL), &seen) &&
           strcmp(seen.origin, config->origin) == 0;
}

/* "https", "http", "other", or "none": never the header itself. */
static const char *forwarded_scheme(const request_rec *r)
{
    const char *value = apr_table_get(r->headers_in, "X-Forwarded-Proto");
    if (!value)
        return "none";
    return strcmp(value, "https") == 0 ? "https" : strcmp(value, "http") == 0 ? "http" : "other";
}

static json_t *address_of(request_rec *r, json_t *hints)
{
    const na_config *config = na_config_of(r);
    const char *scheme = ap_http_scheme(r), *forwarded = forwarded_scheme(r);
    int is_https = strncmp(config->origin, "https:", 6) == 0;
    int scheme_matches = is_https == (strcmp(scheme, "https") == 0);
    int matches = host_matches(r, config);
    if (is_https && !scheme_matches && strcmp(forwarded, "https") != 0)
        hint(hints, "the canonical address is https, this request is http: browsers send no Secure "
                    "cookie with it. Ask over https; where a proxy ends TLS, let it send "
                    "X-Forwarded-Proto, which is looked for here alone");
    if (!is_https && strcmp(scheme, "https") == 0)
        hint(hints, "the canonical address is http, this request is https: write NextAuthURL "
                    "https://…");
    if (!matches)
        hint(hints, "the Host header is not the canonical address's: cookies are kept for the host "
                    "that set them, and callbacks go to NextAuthURL. Redirect other names there");
    return json_pack("{s:s,s:s,s:b,s:b}", "scheme", scheme, "forwardedScheme", forwarded,
                     "schemeMatches", scheme_matches, "hostMatches", matches);
}

/* ── the session's cookie ──────────────────────────────────────────────────────────────────── */

/* How many cookies there are of that name, chunks counted one by one. */
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

/* Why a cookie that is there is no session: the class, not the words of the log. */
static const char *refusal(request_rec *r, const na_session_source *source, na_bytes value)
{
    json_t *claims;
    if (!value.len)
        return "incomplete";
    if (!is_token(value))
        return "unknown";
    /* at the beginning of time nothing has expired */
    if (na_keyring_open(r->pool, &source->ring, value, 0, &claims))
        return "unreadable";
    return na_keyring_open(r->pool, &source->ring, value, apr_time_now(), &claims) ? "expired"
                                                                                   : "refused";
}

static const char *state_of(request_rec *r, const na_session_source *source, na_bytes value)
{
    if (na_session_of(r))
        return "valid";
    return na_state_of(r)->unavailable ? "unavailable" : refusal(r, source, value);
}

static void explain(const char *state, json_t *hints)
{
    static const char *const words[][2] = {
        {"incomplete", "chunks of the session's cookie are missing: something on the way drops "
                       "cookies, or the browser had no room for them"},
        {"unknown", "no store knows the session of this id: it has ended, or was made by another "
                    "site or another store"},
        {"unreadable", "the session was sealed with a secret that is not among NextAuthSecret's, "
                       "under another cookie name (v5), or is damaged"},
        {"expired", "the session has expired; if it is young, compare the machines' clocks"},
        {"refused", "the session is readable, but was ended, not used for too long, or is bound to "
                    "another client: LogLevel nextauth:info has the reason"},
        {"unavailable", "the session store or the database does not answer"},
    };
    for (apr_size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], state) == 0)
            hint(hints, words[i][1]);
}

static json_t *cookie_of(request_rec *r, const char *header, json_t *hints)
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
        const char *state = state_of(r, source, value);
        explain(state, hints);
        return json_pack("{s:s,s:i,s:I,s:s}", "dialect", source->dialect == NA_V5 ? "v5" : "v4",
                         "cookies", count, "bytes", (json_int_t)value.len, "state", state);
    }
    hint(hints, "no session cookie came with this request");
    return json_null();
}

json_t *na_diagnostics_of_request(request_rec *r, json_t *hints)
{
    const char *header = apr_table_get(r->headers_in, "Cookie");
    json_t *request = address_of(r, hints);
    json_object_set_new(request, "sessionCookie", cookie_of(r, header, hints));
    json_object_set_new(request, "cookieHeaderBytes",
                        json_integer(header ? (json_int_t)strlen(header) : 0));
    json_object_set_new(request, "cookieHeaderLimit",
                        json_integer((json_int_t)na_config_of(r)->session.cookie_max));
    return request;
}
