/* SPDX-License-Identifier: Apache-2.0 */
/* The command `session list`: reads the sessions of a running server page by page, and prints each
 * page before it reads the next. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/url.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "ctl/session_call.h"

/* Most sessions that the server puts on a page. */
#define PAGE_MAX 1000

/* Sessions of a table without --limit: more than anyone reads. */
#define TABLE_LIMIT 1000

/* Most bytes of a field. */
#define FIELD_MAX 64

typedef struct listing {
    na_session_call call;
    long limit;         /* 0 if none */
    const char *cursor; /* of the page to read; NULL for the first, and after the last */
    char kept[200];     /* the cursor, which outlives its page */
    long count;         /* sessions printed */
    int width;          /* of the column USER */
} listing;

static const char *page_url(const listing *l, apr_pool_t *pool)
{
    const char *url = l->call.server;
    long limit = l->limit && l->limit - l->count < PAGE_MAX ? l->limit - l->count : PAGE_MAX;
    if (l->call.user)
        return na_url_add(pool, url, "user", l->call.user);
    url = na_url_add(pool, url, "limit", apr_ltoa(pool, limit));
    return l->cursor ? na_url_add(pool, url, "cursor", l->cursor) : url;
}

/* ── JSON: one session on a line, so that a program can read while it is written ────────────── */

static void print_json(const listing *l, apr_pool_t *pool, const json_t *sessions)
{
    size_t i;
    json_t *session;
    json_array_foreach(sessions, i, session)
        printf("%s\n%s", l->count || i ? "," : "{\"sessions\":[", na_json_dump(pool, session));
}

static void end_json(const listing *l, apr_pool_t *pool)
{
    const json_t *end = na_json_own(pool, json_pack("{s:s*}", "next", l->cursor));
    const char *text = na_json_dump(pool, end); /* its second brace is the whole's */
    printf("%s%s%s\n", l->count ? "\n]" : "{\"sessions\":[]", l->cursor ? "," : "", text + 1);
}

/* ── a table ───────────────────────────────────────────────────────────────────────────────── */

static const char *field(apr_pool_t *pool, const json_t *session, const char *name)
{
    return na_ctl_field(pool, session, name, FIELD_MAX);
}

static const char *minute(apr_pool_t *pool, const json_t *session, const char *name)
{
    return na_ctl_minute(pool, field(pool, session, name));
}

static void print_head(const listing *l)
{
    printf("%s%-44s  %-*s  %-22s  %-15s  %-16s  %s%s\n", na_ctl_paint(NA_CTL_BOLD), "ID", l->width,
           "USER", "DEVICE", "ADDRESS", "LAST USED (UTC)", "ENDS", na_ctl_paint(NA_CTL_PLAIN));
}

static void print_rows(listing *l, apr_pool_t *pool, const json_t *sessions)
{
    size_t i;
    json_t *session;
    json_array_foreach(sessions, i, session)
    {
        int len = (int)strlen(field(pool, session, "user"));
        l->width = len > l->width ? len : l->width;
    }
    if (!l->count && json_array_size(sessions))
        print_head(l);
    json_array_foreach(sessions, i, session)
        printf("%-44s  %-*s  %-22s  %-15s  %-16s  %s\n", field(pool, session, "id"), l->width,
               field(pool, session, "user"), field(pool, session, "device"),
               field(pool, session, "address"), minute(pool, session, "lastUsed"),
               minute(pool, session, "expires"));
}

static void end_table(const listing *l)
{
    if (!l->count)
        print_head(l);
    fprintf(stderr, "%ld session%s\n", l->count, l->count == 1 ? "" : "s");
    if (l->cursor)
        fprintf(stderr, "there are more: use --user USER, --limit N (0 for all), or --cursor %s\n",
                l->cursor);
}

/* ── pages ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *print_page(listing *l, apr_pool_t *pool)
{
    json_t *answer;
    NA_TRY(na_ctl_session_ask(&l->call, pool, page_url(l, pool), NULL, &answer));
    const json_t *sessions = json_object_get(answer, "sessions");
    const char *next = na_json_string(answer, "next");
    if (l->call.json)
        print_json(l, pool, sessions);
    else
        print_rows(l, pool, sessions);
    l->count += (long)json_array_size(sessions);
    l->cursor = next ? apr_cpystrn(l->kept, next, sizeof l->kept), l->kept : NULL;
    return fflush(stdout) ? na_error_new(pool, NA_ERR_CONFIGURATION, "could not write the list")
                          : NULL;
}

static na_error *print_pages(listing *l, apr_pool_t *pool)
{
    apr_pool_t *page;
    apr_pool_create(&page, pool);
    do {
        apr_pool_clear(page);
        NA_TRY(print_page(l, page));
    } while (l->cursor && (!l->limit || l->count < l->limit));
    return NULL;
}

int na_command_session_list(apr_pool_t *pool, int argc, char **argv)
{
    listing l = {.call.pool = pool, .width = 4};
    na_session_call *c = &l.call;
    if (!na_ctl_session_options(c, argc, argv, 1) || c->count)
        return na_ctl_wrong_call("session list", NULL);
    if (c->user && (c->limit || c->cursor))
        return na_ctl_wrong_call("session list", "--user lists all sessions of one user");
    l.limit = c->json ? 0 : TABLE_LIMIT;
    l.cursor = c->cursor;
    if (c->limit && !na_ctl_number(c->limit, 0, 1000000000, &l.limit))
        return na_ctl_wrong_call("session list", "--limit requires a number");
    na_error *error = print_pages(&l, pool);
    if (error)
        return na_ctl_failed(pool, error);
    if (c->json)
        end_json(&l, pool);
    else
        end_table(&l);
    return 0;
}
