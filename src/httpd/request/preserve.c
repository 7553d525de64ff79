/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPreservePost: keeps the form of a request whose session has ended. */
#include "httpd/request/preserve.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/kept_post.h"
#include "base/url.h"
#include "httpd/request/action.h"
#include "httpd/request/body.h"
#include "httpd/request/client.h"
#include "httpd/request/url.h"
#include "page/page.h"

/* Most bytes of a Content-Type: a boundary has 70 at most (RFC 2046 section 5.1.1). */
#define TYPE_MAX 255

int na_preserves_post(request_rec *r)
{
    return na_dir_conf_of(r)->preserve_post.state == NA_PRESERVE_ON && r->method_number == M_POST &&
           !r->main && !r->prev;
}

/* ── what can be kept ──────────────────────────────────────────────────────────────────────── */

/* RFC 9110 section 8.3.1. */
int na_is_of_type(const char *header, const char *type)
{
    size_t len = strlen(type);
    return ap_cstr_casecmpn(header, type, len) == 0 && strchr("; \t", header[len]);
}

/* The types that forms have (HTML, section 4.10.18.6). */
static int has_form_type(const request_rec *r)
{
    static const char *const types[] = {"application/x-www-form-urlencoded", "multipart/form-data",
                                        "text/plain"};
    const char *header = apr_table_get(r->headers_in, "Content-Type");
    for (apr_size_t i = 0; header && i < sizeof types / sizeof *types; i++)
        if (na_is_of_type(header, types[i]))
            return strlen(header) <= TYPE_MAX && !na_has_control(header);
    return 0;
}

/* ── keeping ───────────────────────────────────────────────────────────────────────────────── */

const char *na_resend_url(request_rec *r, const char *id)
{
    return na_url_add(r->pool,
                      apr_pstrcat(r->pool, na_config_of(r)->base_url, NA_RESEND_PAGE, NULL), "form",
                      id);
}

const char *na_resend_id(const char *body, apr_size_t len)
{
    static const char name[] = NA_RESEND_FIELD "=";
    const char *id = body + strlen(name);
    return len == NA_RESEND_LEN && strncmp(body, name, strlen(name)) == 0 && na_kept_post_is_id(id)
               ? id
               : NULL;
}

static na_preserved keep(request_rec *r, na_request *request, const na_former *former,
                         na_bytes body, const char **url)
{
    const na_kept_post post = {.url = na_requested_url(r),
                               .type = apr_table_get(r->headers_in, "Content-Type"),
                               .encoding = apr_table_get(r->headers_in, "Content-Encoding"),
                               .user = former->user,
                               .body = body};
    const char *id;
    na_error *error =
        na_kept_post_put(request, former, &post, na_dir_conf_of(r)->preserve_post.max_age, &id);
    if (error) {
        na_log_request(r, NA_LOG_WARNING, "PRESERVE_POST", "could not keep a form: %s",
                       na_error_text(r->pool, error));
        return NA_POST_LOST;
    }
    na_log_request(r, NA_LOG_DEBUG, "PRESERVE_POST",
                   "kept a form of %" APR_SIZE_T_FMT " bytes until the sign-in", body.len);
    *url = na_resend_url(r, id);
    return NA_POST_KEPT;
}

na_preserved na_preserve_post(request_rec *r, const char **url)
{
    na_request request;
    na_former former;
    char *body;
    apr_size_t len;
    if (!na_preserves_post(r) || !na_is_page_load(r) || !has_form_type(r) || !na_is_of_our_page(r))
        return NA_POST_NONE;
    na_request_begin(r, &request);
    if (!na_former_find(&request, &former)) /* so that other clients cannot fill the store */
        return NA_POST_NONE;
    long max = na_dir_conf_of(r)->preserve_post.max_bytes;
    int status = na_read_body(r, (apr_size_t)max, &body, &len);
    if (status != OK) {
        na_log_request(r, NA_LOG_INFO, "PRESERVE_POST", "could not keep a form: %s",
                       status == HTTP_REQUEST_ENTITY_TOO_LARGE
                           ? apr_psprintf(r->pool, "it has more than %ld bytes", max)
                           : "it could not be read");
        return NA_POST_LOST;
    }
    const char *id = na_resend_id(body, len);
    if (!id)
        return keep(r, &request, &former, (na_bytes){(unsigned char *)body, len}, url);
    *url = na_resend_url(r, id); /* another session has ended meanwhile */
    return NA_POST_KEPT;
}
