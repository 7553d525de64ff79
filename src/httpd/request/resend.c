/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPreservePost: sends a form that was kept, in place of the one of our page. */
#include "httpd/request/resend.h"

#include <string.h>

#include <apr_strings.h>

#include "httpd/request/action.h"
#include "httpd/request/body.h"
#include "httpd/request/client.h"
#include "httpd/request/preserve.h"
#include "httpd/request/refuse.h"
#include "httpd/request/url.h"

/* ── the body as an input filter ───────────────────────────────────────────────────────────── */

static ap_filter_rec_t *filter;

/* Returns at most `max` bytes of the body, and the end of the stream after the last one. */
static apr_status_t give_body(ap_filter_t *f, apr_bucket_brigade *to, ap_input_mode_t mode,
                              apr_read_type_e block, apr_off_t max)
{
    na_bytes *rest = f->ctx;
    apr_bucket_alloc_t *alloc = f->c->bucket_alloc;
    if (mode != AP_MODE_READBYTES && mode != AP_MODE_SPECULATIVE && mode != AP_MODE_EXHAUSTIVE)
        return mode == AP_MODE_INIT ? APR_SUCCESS : APR_ENOTIMPL;
    apr_size_t len =
        mode != AP_MODE_EXHAUSTIVE && max < (apr_off_t)rest->len ? (apr_size_t)max : rest->len;
    if (len)
        APR_BRIGADE_INSERT_TAIL(to, apr_bucket_pool_create((const char *)rest->data, len,
                                                           f->r->pool, alloc));
    if (len == rest->len)
        APR_BRIGADE_INSERT_TAIL(to, apr_bucket_eos_create(alloc));
    if (mode != AP_MODE_SPECULATIVE)
        *rest = (na_bytes){rest->data + len, rest->len - len};
    return APR_SUCCESS;
}

/* Below filters that decode the body (AP_FTYPE_CONTENT_SET), above the protocol's, which is read.
 */
void na_register_post_filter(void)
{
    filter = ap_register_input_filter("NEXTAUTH_POST", give_body, NULL,
                                      (ap_filter_type)(AP_FTYPE_PROTOCOL - 1));
}

static void replace_body(request_rec *r, na_bytes body)
{
    na_bytes *rest = apr_pmemdup(r->pool, &body, sizeof body);
    na_state_of(r)->body = rest;
    ap_add_input_filter_handle(filter, rest, r, r->connection);
}

static int has_filter(const request_rec *r)
{
    for (const ap_filter_t *f = r->input_filters; f; f = f->next)
        if (f->frec == filter)
            return 1;
    return 0;
}

/*
 * An internal redirect, as of RewriteRule in a directory or of DirectoryIndex, goes on with the
 * protocol's filters alone, whose body has been read.
 */
void na_insert_post_filter(request_rec *r)
{
    na_bytes *rest = NULL;
    for (const request_rec *by = r; by && !rest; by = by->prev) {
        const na_state *state = ap_get_module_config(by->request_config, &nextauth_module);
        rest = state ? state->body : NULL;
    }
    if (rest && !has_filter(r))
        ap_add_input_filter_handle(filter, rest, r, r->connection);
}

/* ── sending again ─────────────────────────────────────────────────────────────────────────── */

/* Returns 1 if the body can be our page's, without reading it. */
static int has_ticket_size(const request_rec *r)
{
    const char *len = apr_table_get(r->headers_in, "Content-Length");
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    return len && type && strcmp(len, apr_itoa(r->pool, NA_RESEND_LEN)) == 0 &&
           na_is_of_type(type, "application/x-www-form-urlencoded");
}

static void set_header(request_rec *r, const char *name, const char *value)
{
    if (value)
        apr_table_setn(r->headers_in, name, value);
    else
        apr_table_unset(r->headers_in, name);
}

/* A body that came in chunks has a length now. */
static void adopt_post(request_rec *r, const na_kept_post *post)
{
    set_header(r, "Content-Type", post->type);
    set_header(r, "Content-Encoding", post->encoding);
    set_header(r, "Content-Length", apr_psprintf(r->pool, "%" APR_SIZE_T_FMT, post->body.len));
    replace_body(r, post->body);
    na_log_request(r, NA_LOG_DEBUG, "PRESERVE_POST",
                   "replaced the body by a form of %" APR_SIZE_T_FMT " bytes", post->body.len);
}

static int send_again(request_rec *r, const na_session *session, const char *id)
{
    na_request request;
    na_former former;
    na_kept_post post;
    int found = 0;
    na_error *error = NULL;
    na_request_begin(r, &request);
    const char *user = na_former_user(&request, na_session_user_name(r->pool, session));
    if (na_is_of_our_page(r) && na_former_find(&request, &former))
        error = na_kept_post_take(&request, &former, id, user, na_requested_url(r), &post, &found);
    if (error)
        na_log_request(r, NA_LOG_WARNING, "PRESERVE_POST", "could not find a form: %s",
                       na_error_text(r->pool, error));
    if (na_is_unavailable(error))
        return na_refuse_unavailable(r);
    if (error || !found)
        return na_redirect_to(r, na_resend_url(r, id)); /* which says why */
    adopt_post(r, &post);
    return DECLINED;
}

int na_resend_post(request_rec *r, const na_session *session)
{
    char *body;
    apr_size_t len;
    if (!na_preserves_post(r) || !has_ticket_size(r))
        return DECLINED;
    int status = na_read_body(r, NA_RESEND_LEN, &body, &len);
    if (status != OK)
        return status;
    const char *id = na_resend_id(body, len);
    if (id)
        return send_again(r, session, id);
    replace_body(r, (na_bytes){(unsigned char *)body, len});
    return DECLINED;
}

/* ── the cookie ────────────────────────────────────────────────────────────────────────────── */

static int has_cookie(const request_rec *r, const char *name)
{
    const char *at = na_cookie_header_of(r);
    na_bytes found, value;
    while (at && na_cookie_next(&at, &found, &value))
        if (found.len == strlen(name) && memcmp(found.data, name, found.len) == 0)
            return 1;
    return 0;
}

static void remember_former(request_rec *r, const na_session *session)
{
    na_request request;
    na_response response = {.set_cookies = apr_array_make(r->pool, 1, sizeof(char *))};
    na_former former;
    const char *user = na_session_user_name(r->pool, session);
    na_request_begin(r, &request);
    if (na_former_find(&request, &former) &&
        na_equal_secret(former.user, na_former_user(&request, user)))
        return;
    na_error *error = na_former_remember(&request, &response, user);
    if (error)
        na_log_request(r, NA_LOG_WARNING, "PRESERVE_POST", "could not remember the user: %s",
                       na_error_text(r->pool, error));
    for (int i = 0; i < response.set_cookies->nelts; i++)
        apr_table_addn(r->err_headers_out, "Set-Cookie",
                       APR_ARRAY_IDX(response.set_cookies, i, char *));
}

/*
 * Pages have forms. Another application, or host with the same cookie, can have signed in another
 * user, so that its name alone does not tell that the cookie is this user's.
 */
void na_remember_former(request_rec *r, const na_session *session)
{
    if (na_dir_conf_of(r)->preserve_post.state == NA_PRESERVE_ON && !r->main && !r->prev &&
        na_state_of(r)->way == NA_BY_COOKIE &&
        (na_is_page_load(r) || !has_cookie(r, na_config_of(r)->cookies[NA_COOKIE_FORMER].name)))
        remember_former(r, session);
}
