/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What everybody may send costs memory in proportion to what was sent: each parser is given the
 * longest that it gets to see, in the form that costs it most, and what it allocated is measured.
 */
#include <malloc.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <apr_strings.h>

#include "auth/action.h"
#include "base/cookie.h"
#include "base/header.h"
#include "base/json.h"
#include "base/url.h"
#include "mail/address.h"
#include "event/sentry.h"
#include "page/page.h"
#include "session/chunks.h"
#include "session/sessions.h"
#include "tap.h"

#define K 1024

/* As much as LimitRequestFieldSize may be raised to; 8,190 are the default. */
#define HEADER_MAX (100 * 8190)

/* For what a pool and its first blocks take. */
#define BASE (64 * K)

/*
 * APR takes its blocks from malloc or, as Debian builds it, from mmap. These stand before the C
 * library's own, which malloc does not call by name.
 */
static size_t mapped;

#define INSTEAD_OF(name) __asm__(name) __attribute__((visibility("default")))
void *counted_mmap(void *at, size_t len, int protection, int flags, int file, off_t offset)
    INSTEAD_OF("mmap");
int counted_munmap(void *at, size_t len) INSTEAD_OF("munmap");

void *counted_mmap(void *at, size_t len, int protection, int flags, int file, off_t offset)
{
    mapped += len;
    return (void *)syscall(SYS_mmap, at, len, protection, flags, file, offset);
}

int counted_munmap(void *at, size_t len)
{
    mapped -= len;
    return (int)syscall(SYS_munmap, at, len);
}

/* AddressSanitizer's allocator is another than the one that mallinfo2 knows. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return mapped + __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 info = mallinfo2();
    return mapped + info.uordblks + info.hblkhd;
}

/* In a pool with an allocator of its own, so that nothing freed before is used again. */
static apr_pool_t *fresh_pool(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;
    apr_allocator_create(&allocator);
    apr_pool_create_ex(&pool, NULL, NULL, allocator);
    apr_allocator_owner_set(allocator, pool);
    return pool;
}

typedef void parser(apr_pool_t *pool, const char *text);

/* At most `factor` bytes for each of the text. */
static void costs(const char *name, parser *parse, const char *text, size_t factor)
{
    apr_pool_t *pool = fresh_pool();
    size_t before = allocated();
    parse(pool, text);
    size_t cost = allocated() - before, len = strlen(text);
    ok(cost <= factor * len + BASE, "%s: %d KB for %d KB", name, (int)(cost / K), (int)(len / K));
    apr_pool_destroy(pool);
}

/* `text` over and over, until there are `len` bytes. */
static char *repeat(apr_pool_t *pool, const char *text, size_t len)
{
    size_t each = strlen(text), at = 0;
    char *out = apr_palloc(pool, len + 1);
    for (; at + each <= len; at += each)
        memcpy(out + at, text, each);
    out[at] = '\0';
    return out;
}

/* Numbers from 0 between the two parts, so that no two are the same. */
static char *numbered(apr_pool_t *pool, const char *start, const char *before, const char *behind,
                      const char *end, size_t len)
{
    char *out = apr_palloc(pool, len + 64), *p = apr_cpystrn(out, start, len);
    for (int i = 0; p < out + len - 64; i++)
        p += apr_snprintf(p, 64, "%s%s%d%s", i ? "," : "", before, i, behind);
    apr_cpystrn(p, end, 64);
    return out;
}

/* ── headers ───────────────────────────────────────────────────────────────────────────────── */

static int is_never(const char *name, const void *data)
{
    return 0;
}

static void connection(apr_pool_t *pool, const char *text)
{
    na_header_without(pool, text, is_never, NULL);
}

static void cookies(apr_pool_t *pool, const char *text)
{
    na_cookies_parse(pool, text);
}

/* All the tokens that the cookies can be. */
static void chunks(apr_pool_t *pool, const char *text)
{
    na_chunks found;
    na_bytes token;
    na_chunks_find(text, "a", 1, &found);
    for (int i = 0; na_chunks_token(pool, &found, i, &token);)
        i++;
}

static void form(apr_pool_t *pool, const char *text)
{
    na_form_parse(pool, text, 100);
}

static void address(apr_pool_t *pool, const char *text)
{
    na_url url;
    na_url_parse(pool, text, &url);
}

static void query(apr_pool_t *pool, const char *text)
{
    na_url_add_all(pool, "https://op.example.org/authorize", na_form_parse(pool, text, 100));
}

static void headers(apr_pool_t *pool)
{
    costs("Connection, a name a byte", connection, repeat(pool, "a,", HEADER_MAX), 4);
    costs("Connection, one name", connection, repeat(pool, "a", HEADER_MAX), 4);
    costs("Connection, of separators", connection, repeat(pool, ", ;", HEADER_MAX), 4);
    costs("Cookie, many", cookies, repeat(pool, "a=%41;", HEADER_MAX), 32);
    costs("Cookie, one", cookies, apr_pstrcat(pool, "a=", repeat(pool, "%41", HEADER_MAX), NULL),
          4);
    costs("a session cookie", chunks,
          apr_pstrcat(pool, "a.0=", repeat(pool, "%41", HEADER_MAX / 2),
                      "; a.1=", repeat(pool, "%41", HEADER_MAX / 2), NULL),
          4);
    costs("session cookies of one name", chunks,
          repeat(pool,
                 apr_pstrcat(pool, "a.0=", repeat(pool, "%41", 40 * K), "; a.1=%41; a=%41; ", NULL),
                 HEADER_MAX),
          32);
    costs("a form, many fields", form, repeat(pool, "a=b&", 64 * K), 8);
    costs("a form, one field", form, apr_pstrcat(pool, "a=", repeat(pool, "%41", 64 * K), NULL), 8);
    costs("an address", address, apr_pstrcat(pool, "https://", repeat(pool, "a", HEADER_MAX), NULL),
          4);
    costs("a query that is handed on", query,
          apr_pstrcat(pool, numbered(pool, "", "a", "=%20&", "", 2 * K), repeat(pool, "%20", 6 * K),
                      NULL),
          16);
}

/* ── JSON of providers and of tokens ───────────────────────────────────────────────────────── */

static void claims(apr_pool_t *pool, const char *text)
{
    na_claims read;
    na_claims_read(pool, na_bytes_of(text), &read);
}

static void session(apr_pool_t *pool, const char *text)
{
    json_t *json;
    const na_session *made;
    if (!na_json_parse(pool, NA_ERR_SESSION, text, strlen(text), &json))
        na_session_of_record(pool, "an id", json, 0, 0, apr_array_make(pool, 1, sizeof(char *)),
                             &made);
}

static void profile(apr_pool_t *pool, const char *text)
{
    json_t *json;
    na_user user;
    const na_provider provider = {.id = "p",
                                  .profile = {"sub", "name|display.name", "email", "picture"}};
    if (!na_json_parse(pool, NA_ERR_CALLBACK, text, strlen(text), &json))
        na_provider_user(pool, &provider, 0, json, &user);
}

static void keys(apr_pool_t *pool, const char *text)
{
    const na_jwks *set;
    na_jwks_parse(pool, text, strlen(text), &set);
}

static void documents(apr_pool_t *pool)
{
    char *long_name = repeat(pool, "n", 16 * K);
    /* a jansson value is 72 bytes, for "1" of two with its comma */
    costs("claims, a list", claims,
          numbered(pool, "{\"exp\":9999999999,\"a\":[", "", "", "]}", 64 * K), 64);
    costs("claims, members", claims, numbered(pool, "{", "\"", "\":1", "}", 64 * K), 64);
    costs("claims, members of a long name", claims,
          numbered(pool, apr_pstrcat(pool, "{\"", long_name, "\":{", NULL), "\"", "\":[1,2,3,4]",
                   "}}", 64 * K),
          64);
    costs("claims, members of members of a long name", claims,
          numbered(pool, apr_pstrcat(pool, "{\"a\":{\"", long_name, "\":{", NULL), "\"",
                   "\":{\"a\":1,\"b\":2}", "}}}", 64 * K),
          64);
    costs("a session of many roles", session,
          apr_pstrcat(pool, "{\"sub\":\"1\",\"roles\":[\"", repeat(pool, "r", 32 * K), "\",",
                      numbered(pool, "", "\"", "\"", "]}", 8 * K), NULL),
          64);
    costs("a profile of many members", profile,
          numbered(pool, "{\"sub\":\"1\",", "\"", "\":1", "}", 1024 * K), 64);
    costs("a key set", keys,
          numbered(pool, "{\"keys\":[", "{\"kty\":\"EC\",\"kid\":\"", "\"}", "]}", 8 * K), 64);
}

/* ── what is made of foreign text ──────────────────────────────────────────────────────────── */

static void mail_header(apr_pool_t *pool, const char *text)
{
    na_mail_header_text(pool, text);
}

static void scrubbed(apr_pool_t *pool, const char *text)
{
    na_sentry_scrub(pool, text, 0);
}

static void escaped(apr_pool_t *pool, const char *text)
{
    na_html(pool, text);
    na_percent_encode(pool, text);
    na_one_line(pool, text, 200);
}

/* As many sessions as there are bytes in the text, each with a name of a device of its own. */
static void sessions_page(apr_pool_t *pool, const char *text)
{
    const na_page_form page_form = {
        "https://www.example.org/api/auth", "token", "/", &na_english, 1, NA_UNSAID};
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(na_page_session));
    for (const char *p = text; *p; p++)
        APR_ARRAY_PUSH(list, na_page_session) =
            (na_page_session){"a handle", "Firefox on Linux", "192.0.2.1", 1, 1, 0};
    na_page_sessions(pool, &page_form, list);
}

static void made(apr_pool_t *pool)
{
    costs("a subject of a mail", mail_header, repeat(pool, "\xc3\xa4", 64 * K), 16);
    costs("a message for Sentry", scrubbed, repeat(pool, "'a' ", 64 * K), 16);
    costs("a message of words", scrubbed, repeat(pool, "a ", 64 * K), 16);
    costs("a page's text", escaped, repeat(pool, "&\n", 64 * K), 16);
    costs("a page of sessions, of one of them", sessions_page, repeat(pool, "s", K), 4 * K);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    headers(pool);
    documents(pool);
    made(pool);
    return tap_done();
}
