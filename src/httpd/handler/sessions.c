/* SPDX-License-Identifier: Apache-2.0 */
/* SetHandler nextauth-sessions: lists and revokes sessions, and unlocks users, for nextauthctl. */
#include <string.h>

#include <apr_strings.h>

#include "auth/replay.h"
#include "auth/limit.h"
#include "endpoint/sessions.h"
#include "base/json.h"
#include "base/url.h"
#include "httpd/handler/answer.h"
#include "httpd/process.h"
#include "httpd/request/local.h"
#include "session/listing.h"
#include "session/order.h"

/*
 * GET lists the sessions of all users by the page (?limit=NUMBER&cursor=NEXT), or those of one with
 * ?user=PROVIDER/ID; with ?about=site, it returns the name of the site. POST runs order=, which
 * only the site's secret can create.
 */

#define DEFAULT_LIMIT 100
#define LIMIT_MAX 1000

static int respond_with_error(request_rec *r, const na_error *error)
{
    const char *text = na_error_text(r->pool, error);
    na_log_request(r, NA_LOG_ERROR, "SESSION_ERROR", "nextauth-sessions: %s", text);
    int down = na_is_unavailable(error);
    return na_answer_error(r, down ? HTTP_SERVICE_UNAVAILABLE : HTTP_INTERNAL_SERVER_ERROR, text);
}

static int refuse_without_store(request_rec *r)
{
    return na_answer_error(r, HTTP_NOT_FOUND,
                           "NextAuthSessionStore is not set in this virtual host");
}

static int refuse_unknown_user(request_rec *r, const char *name)
{
    return na_answer_error(r, HTTP_NOT_FOUND,
                           apr_psprintf(r->pool,
                                        "unknown user '%s': use a name that session list%s prints",
                                        na_one_line(r->pool, name, 256),
                                        na_server_conf_of(r->server)->db ? " or user show" : ""));
}

static void append_session(apr_pool_t *pool, json_t *array, const na_listed *listed)
{
    json_array_append_new(array, na_session_listing(pool, listed));
}

/* A user has few sessions: all are one page. */
static int list_user(request_rec *r, const na_sessions *sessions, const char *name)
{
    apr_array_header_t *found = apr_array_make(r->pool, 8, sizeof(na_listed));
    const char *user = NULL;
    na_error *error = na_sessions_find_user(r, name, &user);
    if (!error && !user)
        return refuse_unknown_user(r, name);
    if (!error)
        error = na_registry_list(sessions->registry, r->pool, user, r->request_time, found);
    if (error)
        return respond_with_error(r, error);
    json_t *array = json_array();
    for (int i = 0; i < found->nelts; i++)
        append_session(r->pool, array, &APR_ARRAY_IDX(found, i, na_listed));
    return na_answer_json(r, HTTP_OK, json_pack("{s:o}", "sessions", array));
}

typedef struct page {
    apr_pool_t *pool; /* for one session at a time */
    json_t *array;
} page;

static void add_session(void *data, const na_listed *listed)
{
    const page *p = data;
    append_session(p->pool, p->array, listed);
    apr_pool_clear(p->pool);
}

static int read_limit(const char *text, int *limit)
{
    char *end;
    apr_int64_t number = text ? apr_strtoi64(text, &end, 10) : DEFAULT_LIMIT;
    *limit = (int)number;
    return number > 0 && number <= LIMIT_MAX && (!text || !*end);
}

static int list_page(request_rec *r, const na_sessions *sessions, const apr_table_t *query)
{
    page p = {.array = na_json_own(r->pool, json_array())};
    const char *next;
    int limit;
    if (!read_limit(apr_table_get(query, "limit"), &limit))
        return na_answer_error(r, HTTP_BAD_REQUEST,
                               "invalid limit: expected a number from 1 to " APR_STRINGIFY(
                                   LIMIT_MAX));
    apr_pool_create(&p.pool, r->pool);
    na_error *error =
        na_registry_list_page(sessions->registry, r->pool, apr_table_get(query, "cursor"), limit,
                              r->request_time, add_session, &p, &next);
    if (na_error_is(error, NA_ERR_INVALID_CHECK))
        return na_answer_error(r, HTTP_BAD_REQUEST, "invalid cursor: use next of the last page");
    if (error)
        return respond_with_error(r, error);
    return na_answer_json(r, HTTP_OK, json_pack("{s:O, s:s*}", "sessions", p.array, "next", next));
}

/* Called after the sessions have ended: revocation must not fail because the audit log does. */
static na_error *record_end(request_rec *r, const char *user, const char *detail)
{
    const na_event event = {.kind = NA_EVENT_REVOKE_SESSION,
                            .time = apr_time_now(),
                            .actor = "administrator",
                            .user = user,
                            .detail = detail,
                            .origin = na_origin_of(r)};
    return na_audit_write(na_server_conf_of(r->server)->audit, r->pool, NULL, &event);
}

/* Also ends sessions without a record; *count is the number of those with one. */
static na_error *end_user(request_rec *r, const na_sessions *sessions, const char *user, int *count)
{
    apr_array_header_t *known = apr_array_make(r->pool, 8, sizeof(na_listed));
    NA_TRY(na_registry_list(sessions->registry, r->pool, user, r->request_time, known));
    *count = known->nelts;
    NA_TRY(na_session_end_user(sessions, r->pool, user, NULL, r->request_time));
    return record_end(r, user, *count ? "all" : "all: none is known");
}

static na_error *end_session(request_rec *r, const na_sessions *sessions, const char *handle,
                             const char *user, int *found)
{
    na_listed listed;
    NA_TRY(na_registry_by_handle(sessions->registry, r->pool, user, handle, r->request_time,
                                 &listed, found));
    if (!*found)
        return NULL;
    NA_TRY(na_session_end_other(sessions, r->pool, listed.record.user, &listed.key,
                                listed.record.created, r->request_time));
    return record_end(r, listed.record.user, handle);
}

/* `name` is the username or email address that was entered: nothing else identifies a lock. */
static int unlock_user(request_rec *r, const char *name)
{
    const na_server_conf *conf = na_server_conf_of(r->server);
    const na_event event = {.kind = NA_EVENT_UNLOCK_USER,
                            .time = apr_time_now(),
                            .actor = "administrator",
                            .name = name,
                            .email = strchr(name, '@') ? name : NULL,
                            .origin = na_origin_of(r)};
    const char *user;
    na_error *error = na_sessions_find_user(r, name, &user);
    if (!error)
        error = na_limit_unlock(r->pool, na_config_of(r), &conf->rates, name,
                                user && *user == '/' ? user + 1 : NULL);
    if (!error)
        error = na_audit_write(conf->audit, r->pool, NULL, &event);
    if (error)
        return respond_with_error(r, error);
    na_log_request(r, NA_LOG_INFO, "userUnlock", "unlocked by the administrator: %s",
                   na_one_line(r->pool, name, 256));
    return na_answer_json(r, HTTP_OK, json_pack("{s:b}", "unlocked", 1));
}

static na_error *open_order(request_rec *r, const char *token, na_order *order)
{
    const na_config *config = na_config_of(r);
    apr_time_t now = apr_time_now();
    NA_TRY(na_order_open(r->pool, config->secrets, config->secret_count, config->session.site,
                         token, now, order));
    const char *id = apr_pstrcat(r->pool, "order ", order->id, NULL);
    return na_replay_memory_take(na_process_of_child()->replays, id, now)
               ? NULL
               : na_error_new(r->pool, NA_ERR_SESSION, "it has already been used");
}

static int refuse_order(request_rec *r, const na_error *error)
{
    na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR", "nextauth-sessions: order refused: %s",
                   na_error_text(r->pool, error));
    return na_answer_error(r, HTTP_FORBIDDEN,
                           "the order is for another site or secret, has expired, or has already "
                           "been used");
}

static int end_sessions(request_rec *r, const na_sessions *sessions, const na_order *order)
{
    const char *user = NULL;
    int count = 0;
    if (!sessions->registry)
        return refuse_without_store(r);
    na_error *error = order->user ? na_sessions_find_user(r, order->user, &user) : NULL;
    if (!error && order->user && !user)
        return refuse_unknown_user(r, order->user);
    if (!error)
        error = order->session ? end_session(r, sessions, order->session, user, &count)
                               : end_user(r, sessions, user, &count);
    if (error)
        return respond_with_error(r, error);
    if (!count)
        return na_answer_error(r, HTTP_NOT_FOUND,
                               order->session ? "the session does not exist"
                                              : "the user has no recorded sessions");
    na_log_request(r, NA_LOG_INFO, "sessionRevoke", "sessions revoked by the administrator: %s %s",
                   order->session ? "session" : "user",
                   na_one_line(r->pool, order->session ? order->session : user, 256));
    return na_answer_json(r, HTTP_OK, json_pack("{s:b,s:i}", "revoked", 1, "sessions", count));
}

static int run_order(request_rec *r, const na_sessions *sessions)
{
    apr_table_t *form;
    json_t *json;
    na_order order;
    int status = na_read_form(r, &form, &json);
    if (status != OK)
        return status;
    const char *token = apr_table_get(form, "order");
    if (!token)
        return na_answer_error(r, HTTP_FORBIDDEN, "missing order=: use nextauthctl session revoke");
    na_error *error = open_order(r, token, &order);
    if (error)
        return refuse_order(r, error);
    return order.unlock ? unlock_user(r, order.unlock) : end_sessions(r, sessions, &order);
}

/* nextauthctl asks for the name of the site, because an order must contain it. */
static int respond_to_get(request_rec *r, const na_sessions *sessions)
{
    const apr_table_t *query = na_form_parse(r->pool, r->args, 8);
    const char *about = apr_table_get(query, "about");
    if (about && strcmp(about, "site") == 0)
        return na_answer_json(r, HTTP_OK,
                              json_pack("{s:s}", "site", na_config_of(r)->session.site));
    if (!sessions->registry)
        return refuse_without_store(r);
    const char *user = apr_table_get(query, "user");
    return user ? list_user(r, sessions, user) : list_page(r, sessions, query);
}

int na_answer_sessions(request_rec *r)
{
    const na_sessions *sessions = na_sessions_of(r);
    if (!na_is_local(r))
        return na_answer_error(r, HTTP_FORBIDDEN,
                               "nextauth-sessions is available to clients on this machine only");
    return r->method_number == M_GET ? respond_to_get(r, sessions) : run_order(r, sessions);
}
