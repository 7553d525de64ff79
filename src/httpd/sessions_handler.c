/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/url.h"
#include "httpd/answer.h"

/*
 * SetHandler nextauth-sessions: everybody's sessions, for the administrator's programs. GET lists
 * them, of one user with ?user=PROVIDER/ID; POST with session=ID ends one, with user= all of one
 * user's.
 */

static int failed(request_rec *r, const na_error *error)
{
    const char *text = na_error_text(r->pool, error);
    na_log_request(r, NA_LOG_ERROR, "SESSION_ERROR", "nextauth-sessions: %s", text);
    int down = na_is_unavailable(error);
    return na_answer_error(r, down ? HTTP_SERVICE_UNAVAILABLE : HTTP_INTERNAL_SERVER_ERROR, text);
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
    return na_answer_json(r, HTTP_OK, json_pack("{s:o}", "sessions", array));
}

/* Whatever fails, it is done: to end access comes first, the record of it second. */
static na_error *record(request_rec *r, const char *user, const char *detail)
{
    const na_event event = {.kind = NA_EVENT_REVOKE_SESSION,
                            .time = apr_time_now(),
                            .actor = "administrator",
                            .user = user,
                            .detail = detail,
                            .origin = na_origin_of(r)};
    return na_audit_write(na_server_conf_of(r->server)->audit, r->pool, NULL, &event);
}

static na_error *end(request_rec *r, const na_sessions *sessions, const char *handle,
                     const char *user, int *found)
{
    na_listed listed;
    *found = 1;
    if (!handle) {
        NA_TRY(na_session_end_user(sessions, r->pool, user, NULL, r->request_time));
        return record(r, user, "all");
    }
    NA_TRY(na_registry_by_handle(sessions->registry, r->pool, user, handle, r->request_time,
                                 &listed, found));
    if (!*found)
        return NULL;
    NA_TRY(na_session_end_other(sessions, r->pool, listed.record.user, &listed.key,
                                listed.record.created, r->request_time));
    return record(r, listed.record.user, handle);
}

static int end_named(request_rec *r, const na_sessions *sessions)
{
    apr_table_t *form;
    int found, status = na_read_form(r, &form);
    if (status != OK)
        return status;
    const char *handle = apr_table_get(form, "session"), *user = apr_table_get(form, "user");
    if (!handle && !user)
        return na_answer_error(r, HTTP_BAD_REQUEST, "session= or user= is wanted");
    na_error *error = end(r, sessions, handle, user, &found);
    if (error)
        return failed(r, error);
    if (!found)
        return na_answer_error(r, HTTP_NOT_FOUND, "there is no such session");
    na_log_request(r, NA_LOG_INFO, "sessionRevoke", "sessions ended by the administrator: %s %s",
                   handle ? "session" : "user", na_one_line(r->pool, handle ? handle : user, 256));
    return na_answer_json(r, HTTP_OK, json_pack("{s:b}", "revoked", 1));
}

/* No page of another site can make a browser send that header without asking first. */
static int is_deliberate(const request_rec *r)
{
    return apr_table_get(r->headers_in, "X-Requested-With") != NULL;
}

int na_answer_sessions(request_rec *r)
{
    const na_sessions *sessions = &na_server_conf_of(r->server)->sessions;
    if (!na_is_local(r))
        return na_answer_error(r, HTTP_FORBIDDEN,
                               "nextauth-sessions is for whoever Require names, and for "
                               "this machine");
    if (!sessions->registry)
        return na_answer_error(r, HTTP_NOT_FOUND,
                               "there is no NextAuthSessionStore in this server");
    if (r->method_number == M_GET)
        return list(r, sessions, apr_table_get(na_form_parse(r->pool, r->args, 8), "user"));
    return is_deliberate(r)
               ? end_named(r, sessions)
               : na_answer_error(r, HTTP_FORBIDDEN, "the X-Requested-With header is missing");
}
