/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `session revoke` and `user unlock`: orders to a running server. */
#include <stdio.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/url.h"
#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/session_call.h"
#include "session/order.h"

#define NEEDS_SECRET                                                                               \
    "missing --secret-file FILE (or NEXTAUTHCTL_SECRET_FILE): a file that contains the site's "    \
    "NextAuthSecret"

/* Reads the secret that orders are encrypted with, and asks the site they are for. */
static na_error *prepare_orders(na_session_call *c, char **secret)
{
    json_t *answer;
    NA_TRY(na_secret_read(c->pool, c->secret_file, secret));
    NA_TRY(na_ctl_session_ask(c, c->pool, na_url_add(c->pool, c->server, "about", "site"), NULL,
                              &answer));
    c->site = na_json_string(answer, "site");
    if (!c->site)
        return na_error_new(c->pool, NA_ERR_CONFIGURATION, "%s did not name its site", c->server);
    return NULL;
}

static na_error *give_order(na_session_call *c, const char *secret, const na_order *order,
                            json_t **answer)
{
    char *token;
    NA_TRY(na_order_seal(c->pool, secret, order, apr_time_now(), &token));
    return na_ctl_session_ask(c, c->pool, c->server, apr_pstrcat(c->pool, "order=", token, NULL),
                              answer);
}

static int end(na_session_call *c, const char *secret, const char *session)
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
    na_session_call c = {.pool = pool};
    char *secret;
    if (!na_ctl_session_options(&c, argc, argv, 0) || !c.count == !c.user)
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
    na_session_call c = {.pool = pool};
    char *secret;
    if (!na_ctl_session_options(&c, argc, argv, 0) || c.count != 1 || c.user)
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
