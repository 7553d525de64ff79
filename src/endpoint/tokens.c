/* SPDX-License-Identifier: Apache-2.0 */
/* Personal access tokens of the user: makes, lists, and revokes them. */
#include <string.h>

#include <apr_strings.h>

#include "auth/access_token.h"
#include "auth/fresh.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "auth/token_scope.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/url.h"
#include "endpoint/endpoints.h"

#define PATH "/tokens"
#define NEW_SCOPE "/"

/* A request to the page, and what it shows. */
typedef struct tokens_visit {
    na_request *request;
    na_response *response;
    const na_session *session; /* NULL if no user is signed in, which is answered then */
    apr_array_header_t *rows;  /* na_db_secret */
    na_page_tokens page;
} tokens_visit;

/* ── who asks ──────────────────────────────────────────────────────────────────────────────── */

static void ask_to_sign_in(na_request *request, na_response *response)
{
    const char *base = request->config->base_url;
    if (!request->wants_html && strcmp(request->method, "GET") == 0) {
        na_respond_json(request, response, 401,
                        na_json_own(request->pool, json_pack("{s:s}", "error", "Unauthorized")));
        return;
    }
    na_respond_redirect(request, response, 401,
                        na_url_add(request->pool, apr_pstrcat(request->pool, base, "/signin", NULL),
                                   "callbackUrl", apr_pstrcat(request->pool, base, PATH, NULL)));
}

/* Only users of the database can have tokens. */
static na_error *load_visit(tokens_visit *v)
{
    na_request *request = v->request;
    if (!request->db || !request->config->accepts_personal_tokens)
        return na_error_new(request->pool, NA_ERR_CONFIGURATION,
                            "no path has NextAuthAcceptTokens personal, or NextAuthDatabase is "
                            "not set");
    na_error *error = na_request_session_now(request, &v->session);
    if (na_is_unavailable(error))
        return error;
    if (v->session && !na_session_claim(v->session, NA_CLAIM_DATABASE_USER))
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "the user is not one of the database");
    if (!v->session)
        ask_to_sign_in(request, v->response);
    return NULL;
}

static na_error *list_rows(tokens_visit *v)
{
    v->rows = apr_array_make(v->request->pool, 8, sizeof(na_db_secret));
    return na_db_list_secrets(v->request->db, v->request->pool, v->session->user, NA_SECRET_TOKEN,
                              v->rows);
}

/* ── showing ───────────────────────────────────────────────────────────────────────────────── */

/* Returns what is wrong with what was sent; NULL if nothing is. */
static const char *first_fault(const na_page_tokens *page)
{
    if (page->fault)
        return page->fault;
    if (page->name_fault)
        return page->name_fault;
    return page->scope_fault ? page->scope_fault : page->days_fault;
}

static json_t *row_json(apr_pool_t *pool, const na_db_secret *row)
{
    const char *used = row->used_at ? na_iso8601(pool, row->used_at * 1000) : NULL;
    return json_pack("{s:s, s:s*, s:s*, s:s, s:s*, s:s}", "id", na_access_token_handle(pool, row),
                     "name", row->name, "scope", row->scope, "created",
                     na_iso8601(pool, row->created_at * 1000), "lastUsed", used, "expires",
                     na_iso8601(pool, row->expires_at * 1000));
}

static void respond_list(tokens_visit *v)
{
    apr_pool_t *pool = v->request->pool;
    json_t *json = na_json_own(pool, json_object()), *list = json_array();
    for (int i = 0; i < v->rows->nelts; i++)
        json_array_append_new(list, row_json(pool, &APR_ARRAY_IDX(v->rows, i, na_db_secret)));
    json_object_set_new(json, "tokens", list);
    if (v->page.token)
        json_object_set_new(json, "token", json_string(v->page.token));
    const char *fault = first_fault(&v->page);
    if (fault)
        json_object_set_new(json, "error", json_string(fault));
    na_respond_json(v->request, v->response, fault ? 400 : 200, json);
}

static na_page_token shown_token(const na_request *request, const na_db_secret *row)
{
    apr_int64_t now = apr_time_as_msec(request->now);
    return (na_page_token){.handle = na_access_token_handle(request->pool, row),
                           .name = row->name ? row->name : "",
                           .scope = row->scope ? row->scope : "",
                           .used = row->used_at ? (now - row->used_at) / 1000 : -1,
                           .days_left = (long)((row->expires_at - now) / 86400000)};
}

static na_error *respond_tokens(tokens_visit *v)
{
    na_request *request = v->request;
    NA_TRY(list_rows(v));
    if (!request->wants_html) {
        respond_list(v);
        return NULL;
    }
    na_page_form form = na_form_of_request(request);
    apr_array_header_t *shown = apr_array_make(request->pool, 8, sizeof(na_page_token));
    for (int i = 0; i < v->rows->nelts; i++)
        APR_ARRAY_PUSH(shown, na_page_token) =
            shown_token(request, &APR_ARRAY_IDX(v->rows, i, na_db_secret));
    v->page.tokens = shown;
    na_respond_page(request, v->response, 200, na_say(request->language, "Your access tokens"),
                    na_page_access_tokens(request->pool, &form, &v->page));
    return NULL;
}

static tokens_visit visit_of(na_request *request, na_response *response)
{
    return (tokens_visit){.request = request,
                          .response = response,
                          .page = {.scope = NEW_SCOPE,
                                   .days = apr_itoa(request->pool, NA_ACCESS_TOKEN_DAYS)}};
}

na_error *na_get_tokens(na_request *request, na_response *response)
{
    tokens_visit v = visit_of(request, response);
    NA_TRY(load_visit(&v));
    return v.session ? respond_tokens(&v) : NULL;
}

/* ── changing ──────────────────────────────────────────────────────────────────────────────── */

static long days_of(const char *text)
{
    int days = text ? na_small_number(text) : -1;
    return days >= 1 && days <= NA_ACCESS_TOKEN_DAYS_MAX ? days : 0;
}

/* Returns 0, and says what is wrong beside the fields, if the form is not that of a token. */
static int read_wish(tokens_visit *v, na_access_wish *wish)
{
    na_request *request = v->request;
    const na_language *l = request->language;
    na_page_tokens *page = &v->page;
    page->name = apr_table_get(request->form, "name");
    page->scope = apr_table_get(request->form, "scope");
    page->days = apr_table_get(request->form, "days");
    *wish = (na_access_wish){.user_id = v->session->user,
                             .claims = na_access_token_claims(request->pool, v->session),
                             .name = page->name,
                             .days = days_of(page->days)};
    if (na_access_token_name_fault(page->name))
        page->name_fault = na_say(l, "Enter a name of at most 200 characters.");
    if (!wish->days)
        page->days_fault = na_say(l, "Enter a number of days from 1 to 365.");
    if (na_scope_parse(request->pool, page->scope, &wish->scope))
        page->scope_fault =
            na_say(l, "Enter paths such as /files, or GET,PROPFIND /files; /project");
    return !first_fault(page);
}

/* The error is NA_ERR_SESSION if the session ended since it was loaded. */
static na_error *read_revision(const tokens_visit *v, apr_int64_t *revision)
{
    const na_request *request = v->request;
    const na_db_who who = {.id = v->session->user, .current = 1};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(request->db, request->pool, &who, &person, &found));
    if (!found || !na_session_is_of_revision(request, v->session, person.revision))
        return na_error_new(request->pool, NA_ERR_SESSION, "the user's sessions were ended");
    *revision = person.revision;
    return NULL;
}

static na_error *make_token(tokens_visit *v)
{
    na_access_wish wish;
    int is_fresh;
    na_fresh(v->request, v->response, v->session, PATH, &is_fresh);
    if (!is_fresh)
        return NULL;
    if (!read_wish(v, &wish))
        return respond_tokens(v);
    na_error *error = read_revision(v, &wish.revision);
    if (!error)
        error = na_access_token_make(v->request, &wish, &v->page.token);
    if (na_error_is(error, NA_ERR_SESSION)) {
        ask_to_sign_in(v->request, v->response);
        return NULL;
    }
    if (na_error_is(error, NA_ERR_ACCESS_DENIED))
        v->page.fault = na_say(v->request->language,
                               "You have too many tokens. Revoke one that is no longer used.");
    else
        NA_TRY(error);
    if (!error)
        v->page = (na_page_tokens){.token = v->page.token,
                                   .scope = NEW_SCOPE,
                                   .days = apr_itoa(v->request->pool, NA_ACCESS_TOKEN_DAYS)};
    return respond_tokens(v);
}

static na_error *revoke_token(tokens_visit *v)
{
    const char *handle = apr_table_get(v->request->form, "token");
    NA_TRY(list_rows(v));
    const na_db_secret *row =
        na_access_token_by_handle(v->request->pool, v->rows, handle ? handle : "");
    if (row)
        NA_TRY(na_access_token_revoke(v->request, v->session->user, row));
    na_respond_redirect(v->request, v->response, 200,
                        apr_pstrcat(v->request->pool, v->request->config->base_url, PATH, NULL));
    return NULL;
}

na_error *na_post_tokens(na_request *request, na_response *response)
{
    tokens_visit v = visit_of(request, response);
    const char *change = apr_table_get(request->form, "change");
    NA_TRY(load_visit(&v));
    if (!v.session)
        return NULL;
    return change && strcmp(change, "revoke") == 0 ? revoke_token(&v) : make_token(&v);
}
