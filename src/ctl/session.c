/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/http.h"
#include "base/json.h"
#include "base/url.h"
#include "ctl/commands.h"
#include "ctl/options.h"

/* Asks a running server: whatever its store is, only it can reach shared memory. */

#define DEFAULT_SERVER "http://127.0.0.1/nextauth-sessions"

/* A listing of a million sessions. */
#define BODY_MAX ((apr_size_t)512 * 1024 * 1024)

typedef struct call {
    apr_pool_t *pool;
    const char *server, *user, *ca_file;
    int json;
    int count;
    const char *const *ids;
} call;

static int read_options(call *c, int argc, char **argv)
{
    const na_option options[] = {{"server", 's', .text = &c->server},
                                 {"user", 'u', .text = &c->user},
                                 {"ca-file", 'c', .text = &c->ca_file},
                                 {"json", 'j', .flag = &c->json},
                                 {0}};
    c->server = getenv("NEXTAUTHCTL_SERVER");
    c->count = na_ctl_options(c->pool, argc, argv, options, &c->ids);
    if (!c->server)
        c->server = DEFAULT_SERVER;
    return c->count >= 0;
}

static int fail(const call *c, const na_error *error)
{
    fprintf(stderr, "nextauthctl: %s\n", na_error_text(c->pool, error));
    return 1;
}

static na_error *ask(const call *c, const char *url, const char *form, json_t **answer)
{
    static na_http_options options = {.timeout_ms = 60000,
                                      .connect_timeout_ms = 5000,
                                      .max_bytes = BODY_MAX,
                                      .max_concurrent = 1,
                                      .allow_http = 1};
    na_http *http;
    na_http_response response;
    na_http_request request = {.url = url,
                               .form = form,
                               .headers =
                                   (const char *const[]){"X-Requested-With: nextauthctl", NULL}};
    options.ca_file = c->ca_file;
    na_http_global_init();
    NA_TRY(na_http_make(c->pool, &options, &http));
    NA_TRY(na_http_fetch(http, c->pool, &request, &response));
    na_error *error = na_json_parse(c->pool, NA_CONFIGURATION, (const char *)response.body.data,
                                    response.body.len, answer);
    if (!error && response.status == 200)
        return NULL;
    const char *said = error ? NULL : na_json_string(*answer, "error");
    return na_error_new(c->pool, NA_CONFIGURATION, "%s answers %ld: %s", c->server, response.status,
                        said ? na_one_line(c->pool, said, 300)
                             : "is SetHandler nextauth-sessions there?");
}

static const char *field(const json_t *session, const char *name)
{
    const char *text = na_json_string(session, name);
    return text && *text ? text : "-";
}

/* "2026-01-01 00:00" of "2026-01-01T00:00:00.000Z". */
static const char *minute(apr_pool_t *pool, const json_t *session, const char *name)
{
    char *text = apr_pstrndup(pool, field(session, name), 16);
    char *t = strchr(text, 'T');
    if (t)
        *t = ' ';
    return text;
}

/* Foreign text must not command the terminal. */
static const char *printable(apr_pool_t *pool, const char *text)
{
    return na_one_line(pool, text, 64);
}

static void print_table(const call *c, const json_t *sessions)
{
    const char *bold = isatty(1) ? "\033[1m" : "", *plain = isatty(1) ? "\033[0m" : "";
    int width = 4;
    size_t i;
    json_t *session;
    json_array_foreach(sessions, i, session)
    {
        int len = (int)strlen(printable(c->pool, field(session, "user")));
        width = len > width ? len : width;
    }
    printf("%s%-44s  %-*s  %-22s  %-15s  %-16s  %s%s\n", bold, "ID", width, "USER", "DEVICE",
           "ADDRESS", "LAST USED (UTC)", "ENDS", plain);
    json_array_foreach(sessions, i, session)
        printf("%-44s  %-*s  %-22s  %-15s  %-16s  %s\n", field(session, "id"), width,
               printable(c->pool, field(session, "user")), field(session, "device"),
               field(session, "address"), minute(c->pool, session, "lastUsed"),
               minute(c->pool, session, "expires"));
    fprintf(stderr, "%d session%s\n", (int)json_array_size(sessions),
            json_array_size(sessions) == 1 ? "" : "s");
}

int na_command_session_list(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    json_t *answer;
    if (!read_options(&c, argc, argv) || c.count) {
        fprintf(stderr, "nextauthctl session list: see nextauthctl --help\n");
        return 2;
    }
    const char *url = c.user ? na_url_add(pool, c.server, "user", c.user) : c.server;
    na_error *error = ask(&c, url, NULL, &answer);
    if (error)
        return fail(&c, error);
    if (c.json)
        printf("%s\n", na_json_dump(pool, answer));
    else
        print_table(&c, json_object_get(answer, "sessions"));
    return 0;
}

static const char *form_of(apr_pool_t *pool, const char *name, const char *value)
{
    return value ? apr_pstrcat(pool, name, "=", na_percent_encode(pool, value), "&", NULL) : "";
}

int na_command_session_revoke(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    json_t *answer;
    if (!read_options(&c, argc, argv) || !c.count == !c.user) {
        fprintf(stderr, "nextauthctl session revoke: IDs or --user PROVIDER/ID are wanted\n");
        return 2;
    }
    int calls = c.user ? 1 : c.count, failed = 0;
    for (int i = 0; i < calls; i++) {
        const char *form =
            c.user ? form_of(pool, "user", c.user) : form_of(pool, "session", c.ids[i]);
        na_error *error = ask(&c, c.server, form, &answer);
        if (error)
            failed = fail(&c, error);
        else if (!c.json)
            printf("ended: %s\n", c.user ? c.user : c.ids[i]);
    }
    return failed;
}
