/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps responses for one user out of shared caches. */
#include <string.h>

#include <apr_strings.h>

#include "base/header.h"
#include "httpd/module.h"

#define CACHE_CONTROL "private"

/*
 * The filter runs twice: first of all content filters, because mod_cache can be anywhere among
 * them, and after mod_headers, because an expression in a header can be what asks for the session,
 * but before mod_cache's filter for early serving.
 */
static ap_filter_rec_t *first, *last;

/*
 * Each part that mod_include inserts can depend on the user, but that is known only after the
 * headers were sent. AddOutputFilterByType names the filter "BYTYPE:INCLUDES".
 */
static int has_parts_for_user(request_rec *r)
{
    for (const ap_filter_t *f = r->output_filters; f; f = f->next)
        if (ap_strcasestr(f->frec->name, "includes"))
            return apr_table_get(r->headers_in, "Authorization") || na_session_of(r);
    return 0;
}

/*
 * NextAuthCacheControl of the request, or of the request that redirected to it, because an
 * ErrorDocument is sent for the URL that was requested. NULL if the response is for all visitors.
 */
static const char *cache_control_for(request_rec *r)
{
    for (; r; r = r->prev) {
        const char *value = na_dir_conf_of(r)->cache_control;
        if ((!value || *value) && (na_is_for_user(r) || has_parts_for_user(r)))
            return value ? value : CACHE_CONTROL;
    }
    return NULL;
}

/* Most headers are none that caches obey: those have this length at least, and end in a dash and as
 * many characters as "Control" and "Expires". */
static int is_for_caches(const char *name)
{
    apr_size_t len = strlen(name);
    return len >= strlen("Edge-Control") && name[len - strlen("-Control")] == '-';
}

/*
 * Returns 1 for headers that take precedence over Cache-Control in some caches: those of RFC 9213,
 * of CDNs, and of nginx.
 */
static int takes_precedence(const char *name)
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

static void remove_overriding_headers(apr_table_t *headers)
{
    const apr_array_header_t *list = apr_table_elts(headers);
    for (int i = list->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(list, i, apr_table_entry_t).key;
        if (!takes_precedence(name))
            continue;
        apr_table_unset(headers, name);
        i = list->nelts; /* all entries of that name have been removed */
    }
}

/* Returns the Cache-Control headers of the response, joined; NULL if none. */
static const char *cache_control_sent(request_rec *r)
{
    const char *success = apr_table_getm(r->pool, r->headers_out, "Cache-Control");
    const char *always = apr_table_getm(r->pool, r->err_headers_out, "Cache-Control");
    if (!success || !always)
        return success ? success : always;
    return apr_pstrcat(r->pool, always, ", ", success, NULL);
}

/* Returns the number of headers for caches; sets *has_ours instead for the one that a filter set.
 */
static int count_others(const apr_table_t *headers, const char *ours, int *has_ours)
{
    const apr_array_header_t *list = apr_table_elts(headers);
    int count = 0;
    for (int i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *header = &APR_ARRAY_IDX(list, i, apr_table_entry_t);
        if (header->val == ours)
            *has_ours = 1;
        else
            count += is_for_caches(header->key);
    }
    return count;
}

static void restrict_headers(request_rec *r, const char *ours)
{
    const char *sent = cache_control_sent(r);
    apr_table_unset(r->err_headers_out, "Cache-Control");
    apr_table_setn(r->headers_out, "Cache-Control",
                   sent ? na_cache_control_for_user(r->pool, sent, ours) : ours);
    remove_overriding_headers(r->headers_out);
    remove_overriding_headers(r->err_headers_out);
}

static apr_status_t keep_for_user(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    request_rec *r = f->r;
    const char *ours = f->ctx;
    int has_ours = 0;
    if (count_others(r->headers_out, ours, &has_ours) +
        count_others(r->err_headers_out, ours, &has_ours))
        restrict_headers(r, ours);
    else if (!has_ours)
        apr_table_setn(r->headers_out, "Cache-Control", ours);
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

/* Also runs for subrequests, because mod_cache keeps parts of a page under their own URL. */
void na_insert_cache_filters(request_rec *r)
{
    if (!na_config_of(r))
        return;
    const char *value = cache_control_for(r);
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
