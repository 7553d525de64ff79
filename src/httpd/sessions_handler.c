/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/url.h"
#include "httpd/module.h"

/*
 * SetHandler nextauth-sessions: everybody's sessions, for the administrator's programs. GET lists
 * them, of one user with ?user=PROVIDER/ID; POST with session=ID ends one, with user= all of one
 * user's.
 */

static int answer(request_rec *r, int status, json_t *json)
{
    const char *text = na_json_dump(r->pool, na_json_own(r->pool, json));
    r->status = status;
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_type(r, "application/json; charset=utf-8");
    ap_set_content_length(r, (apr_off_t)strlen(text));
    if (!r->header_only)
        ap_rputs(text, r);
    return OK;
}

static int refuse(request_rec *r, int status, const char *message)
{
    return answer(r, status, json_pack("{s:s}", "error", message));
}

static int failed(request_rec *r, const na_error *error)
{
    const char *text = na_error_text(r->pool, error);
    na_log_request(r, NA_LOG_ERROR, "SESSION_ERROR", "nextauth-sessions: %s", text);
    int down = na_is_unavailable(error);
    return refuse(r, down ? HTTP_SERVICE_UNAVAILABLE : HTTP_INTERNAL_SERVER_ERROR, text);
}

static int list(request_rec *r, const na_sessions *sessions, const char *user)
{
    apr_array_header_t *found = apr_array_make(r->pool, 64, sizeof(na_listed));
    na_error *error = na_registry_list(sessions->registry, r->pool, user, r->request_time, found);
    if (error)
        return failed(r, error);
    json_t *array = json_array();
    for (int i = 0; i < found->nelts; i++)
        json_array_append_new(array,
                              na_session_listing(r->pool, &APR_ARRAY_IDX(found, i, na_listed)));
    return answer(r, HTTP_OK, json_pack("{s:o}", "sessions", array));
}

static na_error *end(request_rec *r, const na_sessions *sessions, const char *handle,
                     const char *user, int *found)
{
    na_listed listed;
    *found = 1;
    if (!handle)
        return na_session_end_user(sessions, r->pool, user, NULL, r->request_time);
    NA_TRY(na_registry_by_handle(sessions->registry, r->pool, user, handle, r->request_time,
                                 &listed, found));
    return *found ? na_session_end_other(sessions, r->pool, listed.record.user, &listed.key,
                                         listed.record.created, r->request_time)
                  : NULL;
}

static int end_named(request_rec *r, const na_sessions *sessions)
{
    apr_table_t *form;
    int found, status = na_read_form(r, &form);
    if (status != OK)
        return status;
    const char *handle = apr_table_get(form, "session"), *user = apr_table_get(form, "user");
    if (!handle && !user)
        return refuse(r, HTTP_BAD_REQUEST, "session= or user= is wanted");
    na_error *error = end(r, sessions, handle, user, &found);
    if (error)
        return failed(r, error);
    if (!found)
        return refuse(r, HTTP_NOT_FOUND, "there is no such session");
    na_log_request(r, NA_LOG_INFO, "sessionRevoke", "sessions ended by the administrator: %s %s",
                   handle ? "session" : "user", na_one_line(r->pool, handle ? handle : user, 256));
    return answer(r, HTTP_OK, json_pack("{s:b}", "revoked", 1));
}

/*
 * This machine, and not by way of a proxy on it: whom Require lets in is the operator's word, but a
 * Require that is forgotten or too wide must not open this to the world.
 */
static int is_local(request_rec *r)
{
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    int local = 0;
    for (int i = 0; i < 2; i++)
        local |= strcmp(r->useragent_ip, addresses[i]) == 0 &&
                 strcmp(r->connection->client_ip, addresses[i]) == 0;
    return local && !apr_table_get(r->headers_in, "X-Forwarded-For") &&
           !apr_table_get(r->headers_in, "Forwarded") && !apr_table_get(r->headers_in, "Via");
}

/* No page of another site can make a browser send that header without asking first. */
static int is_deliberate(const request_rec *r)
{
    return apr_table_get(r->headers_in, "X-Requested-With") != NULL;
}

int na_handle_sessions(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, "nextauth-sessions") != 0)
        return DECLINED;
    const na_sessions *sessions = &na_server_conf_of(r->server)->sessions;
    if (!is_local(r))
        return refuse(r, HTTP_FORBIDDEN,
                      "nextauth-sessions is for whoever Require names, and for "
                      "this machine");
    if (!sessions->registry)
        return refuse(r, HTTP_NOT_FOUND, "there is no NextAuthSessionStore in this server");
    if (r->method_number == M_GET)
        return list(r, sessions, apr_table_get(na_form_parse(r->pool, r->args, 8), "user"));
    if (r->method_number != M_POST)
        return HTTP_METHOD_NOT_ALLOWED;
    return is_deliberate(r) ? end_named(r, sessions)
                            : refuse(r, HTTP_FORBIDDEN, "the X-Requested-With header is missing");
}
