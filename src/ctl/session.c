/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `session list`, `session revoke` and `user unlock`: requests to a running server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/http.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/url.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "session/order.h"

#define DEFAULT_SERVER "http://127.0.0.1/nextauth-sessions"

/* A listing of a million sessions. */
#define BODY_MAX ((apr_size_t)512 * 1024 * 1024)

#define NEEDS_SECRET                                                                               \
    "missing --secret-file FILE (or NEXTAUTHCTL_SECRET_FILE): a file that contains the site's "    \
    "NextAuthSecret"

/* Most bytes of a field. */
#define FIELD_MAX 64

typedef struct call {
    apr_pool_t *pool;
    const char *server, *user, *ca_file, *secret_file;
    const char *site; /* of the server, as it responded */
    int json, loopback;
    int count;
    const char *const *ids;
} call;

static int read_options(call *c, int argc, char **argv)
{
    const na_option options[] = {{"server", 's', .text = &c->server},
                                 {"user", 'u', .text = &c->user},
                                 {"ca-file", 'c', .text = &c->ca_file},
                                 {"secret-file", 'f', .text = &c->secret_file},
                                 {"insecure-loopback", 'l', .flag = &c->loopback},
                                 {"json", 'j', .flag = &c->json},
                                 {0}};
    c->server = getenv("NEXTAUTHCTL_SERVER");
    c->secret_file = getenv("NEXTAUTHCTL_SECRET_FILE");
    c->count = na_ctl_options(c->pool, argc, argv, options, &c->ids);
    if (!c->server)
        c->server = DEFAULT_SERVER;
    return c->count >= 0;
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
    na_http_request request = {.url = url, .form = form};
    options.ca_file = c->ca_file;
    options.loopback = c->loopback;
    na_http_global_init();
    NA_TRY(na_http_make(c->pool, &options, &http));
    NA_TRY(na_http_fetch(http, c->pool, &request, &response));
    na_error *error = na_json_parse(c->pool, NA_ERR_CONFIGURATION, (const char *)response.body.data,
                                    response.body.len, answer);
    if (!error && response.status == 200)
        return NULL;
    const char *said = error ? NULL : na_json_string(*answer, "error");
    return na_error_new(c->pool, NA_ERR_CONFIGURATION, "%s returned status %ld: %s", c->server,
                        response.status,
                        said ? na_one_line(c->pool, said, 300)
                             : "check that SetHandler nextauth-sessions is set there");
}

static const char *field(const call *c, const json_t *session, const char *name)
{
    return na_ctl_field(c->pool, session, name, FIELD_MAX);
}

static const char *minute(const call *c, const json_t *session, const char *name)
{
    return na_ctl_minute(c->pool, field(c, session, name));
}

static void print_table(const call *c, const json_t *sessions)
{
    int width = 4;
    size_t i;
    json_t *session;
    json_array_foreach(sessions, i, session)
    {
        int len = (int)strlen(field(c, session, "user"));
        width = len > width ? len : width;
    }
    printf("%s%-44s  %-*s  %-22s  %-15s  %-16s  %s%s\n", na_ctl_paint(NA_CTL_BOLD), "ID", width,
           "USER", "DEVICE", "ADDRESS", "LAST USED (UTC)", "ENDS", na_ctl_paint(NA_CTL_PLAIN));
    json_array_foreach(sessions, i, session)
        printf("%-44s  %-*s  %-22s  %-15s  %-16s  %s\n", field(c, session, "id"), width,
               field(c, session, "user"), field(c, session, "device"), field(c, session, "address"),
               minute(c, session, "lastUsed"), minute(c, session, "expires"));
    fprintf(stderr, "%d session%s\n", (int)json_array_size(sessions),
            json_array_size(sessions) == 1 ? "" : "s");
}

int na_command_session_list(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    json_t *answer;
    if (!read_options(&c, argc, argv) || c.count)
        return na_ctl_wrong_call("session list", NULL);
    const char *url = c.user ? na_url_add(pool, c.server, "user", c.user) : c.server;
    na_error *error = ask(&c, url, NULL, &answer);
    if (error)
        return na_ctl_failed(pool, error);
    if (c.json)
        printf("%s\n", na_json_dump(pool, answer));
    else
        print_table(&c, json_object_get(answer, "sessions"));
    return 0;
}

/* Reads the secret that orders are encrypted with, and asks the site they are for. */
static na_error *prepare_orders(call *c, char **secret)
{
    json_t *answer;
    NA_TRY(na_secret_read(c->pool, c->secret_file, secret));
    NA_TRY(ask(c, na_url_add(c->pool, c->server, "about", "site"), NULL, &answer));
    c->site = na_json_string(answer, "site");
    if (!c->site)
        return na_error_new(c->pool, NA_ERR_CONFIGURATION, "%s did not name its site", c->server);
    return NULL;
}

static na_error *give_order(const call *c, const char *secret, const na_order *order,
                            json_t **answer)
{
    char *token;
    NA_TRY(na_order_seal(c->pool, secret, order, apr_time_now(), &token));
    return ask(c, c->server, apr_pstrcat(c->pool, "order=", token, NULL), answer);
}

static int end(const call *c, const char *secret, const char *session)
{
    const na_order order = {.site = c->site, .session = session, .user = c->user};
    json_t *answer;
    na_error *error = give_order(c, secret, &order, &answer);
    if (error)
        return na_ctl_failed(c->pool, error);
    int count = (int)json_integer_value(json_object_get(answer, "sessions"));
    if (c->json)
        printf("%s\n", na_json_dump(c->pool, answer));
    else if (session)
        printf("ended: %s\n", session);
    else
        printf("ended: %s (%d session%s)\n", c->user, count, count == 1 ? "" : "s");
    return 0;
}

int na_command_session_revoke(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    char *secret;
    if (!read_options(&c, argc, argv) || !c.count == !c.user)
        return na_ctl_wrong_call("session revoke", "missing IDs or --user USER");
    if (!c.secret_file)
        return na_ctl_wrong_call("session revoke", NEEDS_SECRET);
    na_error *error = prepare_orders(&c, &secret);
    if (error)
        return na_ctl_failed(pool, error);
    if (c.user)
        return end(&c, secret, NULL);
    int failed = 0;
    for (int i = 0; i < c.count; i++)
        failed |= end(&c, secret, c.ids[i]);
    return failed;
}

int na_command_user_unlock(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    char *secret;
    if (!read_options(&c, argc, argv) || c.count != 1 || c.user)
        return na_ctl_wrong_call("user unlock", NULL);
    if (!c.secret_file)
        return na_ctl_wrong_call("user unlock", NEEDS_SECRET);
    na_error *error = prepare_orders(&c, &secret);
    const na_order order = {.site = c.site, .unlock = c.ids[0]};
    json_t *answer;
    if (!error)
        error = give_order(&c, secret, &order, &answer);
    if (error)
        return na_ctl_failed(pool, error);
    if (!c.json)
        printf("unlocked: %s\n", c.ids[0]);
    return 0;
}
