/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps answers that are for one user out of the caches that others are served from. */
#include <string.h>

#include <apr_strings.h>

#include "base/header.h"
#include "httpd/module.h"

#define CACHE_CONTROL "private"

/*
 * Two places in the chain of filters: in front of all, as mod_cache may stand anywhere among those
 * of content, and next to mod_headers, which is asked before: in front of mod_cache that serves
 * early, and behind an expression of a header that is what asks for the session.
 */
static ap_filter_rec_t *first, *last;

/*
 * mod_include makes a page of parts, each of which may be for who asks; when that is known, the
 * page's headers have been sent. By AddOutputFilterByType it is called "BYTYPE:INCLUDES".
 */
static int has_parts_for_user(request_rec *r)
{
    for (const ap_filter_t *f = r->output_filters; f; f = f->next)
        if (ap_strcasestr(f->frec->name, "includes"))
            return apr_table_get(r->headers_in, "Authorization") || na_session_of(r);
    return 0;
}

/*
 * NextAuthCacheControl of the request, or of the one it took over: an ErrorDocument, too, is
 * shown at the address that was asked for. NULL where anybody may have the answer.
 */
static const char *value_for(request_rec *r)
{
    for (; r; r = r->prev) {
        const char *value = na_dir_conf_of(r)->cache_control;
        if ((!value || *value) && (na_is_for_user(r) || has_parts_for_user(r)))
            return value ? value : CACHE_CONTROL;
    }
    return NULL;
}

/* What goes before Cache-Control where a cache knows it (RFC 9213): of CDNs, and nginx's. */
static int goes_before(const char *name)
{
    static const char *const names[] = {"Surrogate-Control", "Edge-Control", "X-Accel-Expires"};
    apr_size_t len = strlen(name), end = strlen("-Cache-Control");
    if (len > end && ap_cstr_casecmp(name + len - end, "-Cache-Control") == 0)
        return 1;
    for (int i = 0; i < 3; i++)
        if (len == strlen(names[i]) && ap_cstr_casecmp(name, names[i]) == 0)
            return 1;
    return 0;
}

static void remove_what_goes_before(apr_table_t *headers)
{
    const apr_array_header_t *list = apr_table_elts(headers);
    for (int i = list->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(list, i, apr_table_entry_t).key;
        if (!goes_before(name))
            continue;
        apr_table_unset(headers, name);
        i = list->nelts; /* others of its name are gone, too */
    }
}

/* All that was said; NULL where nothing was. */
static const char *said_of(request_rec *r)
{
    const char *said = apr_table_getm(r->pool, r->headers_out, "Cache-Control");
    const char *always = apr_table_getm(r->pool, r->err_headers_out, "Cache-Control");
    if (!said || !always)
        return said ? said : always;
    return apr_pstrcat(r->pool, always, ", ", said, NULL);
}

static apr_status_t keep_for_user(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    request_rec *r = f->r;
    const char *ours = f->ctx, *said = said_of(r);
    /* what the first of the two filters wrote is mostly there still, the very same text */
    if (said != ours) {
        apr_table_unset(r->err_headers_out, "Cache-Control");
        apr_table_setn(r->headers_out, "Cache-Control",
                       said ? na_cache_control_for_user(r->pool, said, ours) : ours);
    }
    remove_what_goes_before(r->headers_out);
    remove_what_goes_before(r->err_headers_out);
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

/* A part of a page as well, which mod_cache keeps under its own address. */
void na_insert_cache_filters(request_rec *r)
{
    if (!na_config_of(r))
        return;
    const char *value = value_for(r);
    na_state_of(r)->is_answering = 1;
    if (!value)
        return;
    ap_add_output_filter_handle(first, (void *)value, r, r->connection);
    ap_add_output_filter_handle(last, (void *)value, r, r->connection);
}

void na_register_cache_filters(void)
{
    first = ap_register_output_filter("NEXTAUTH_CACHE_FIRST", keep_for_user, NULL,
                                      AP_FTYPE_RESOURCE - 1);
    last =
        ap_register_output_filter("NEXTAUTH_CACHE_LAST", keep_for_user, NULL, AP_FTYPE_CONTENT_SET);
}
