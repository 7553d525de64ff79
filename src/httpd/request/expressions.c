/* SPDX-License-Identifier: Apache-2.0 */
/* Functions and variables for httpd's expressions. */
#include <string.h>

#include <apr_strings.h>

#include "auth/subject.h"
#include "base/json.h"
#include "httpd/module.h"
#include "httpd/parsing.h"

/*
 * All expressions can use %{NEXTAUTH:claim} and NEXTAUTH('claim') for the request's session. Rules,
 * roles, and claims are evaluated at sign-in, and use USER, ACCOUNT, and PROFILE in the same way.
 */

/* Where an expression comes from: the server's configuration, or a tenant's .htaccess or page. */
static const int of_server = 0, of_tenant = 1;

/* httpd reads its configuration before it serves, so an expression parsed later is a tenant's. */
static const int *asker_of_expression(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_RUN_MPM ? &of_tenant : &of_server;
}

/* The session ID is hidden from tenants, because it grants the same access as the cookie. */
static int can_read_claim(const void *asker, const char *name)
{
    return asker == &of_server || strcmp(name, NA_CLAIM_SESSION_ID) != 0;
}

static const na_session *session_for(ap_expr_eval_ctx_t *ctx)
{
    if (!ctx->r)
        return NULL;
    na_state *state = na_state_of(ctx->r);
    int is_late = state->is_answering && !state->asked;
    state->asked = 1;
    if (is_late) /* an expression in a response header makes the response depend on the session */
        na_insert_cache_filters(ctx->r);
    return na_session_of(ctx->r);
}

/*
 * The text is one line, because it can become part of a header or a log. It is never shortened, and
 * a list is complete: a comparison must not miss a part.
 */
static const char *session_text(ap_expr_eval_ctx_t *ctx, const void *asker, const char *name)
{
    const na_session *session = session_for(ctx);
    name = na_path_text(ctx->p, name);
    if (!session || !can_read_claim(asker, name))
        return NULL;
    char delimiter = na_state_of(ctx->r)->delimiter;
    return na_whole_line(ctx->p, na_session_claim_text_with(ctx->p, session, name,
                                                            delimiter ? delimiter : ','));
}

static apr_array_header_t *session_list(ap_expr_eval_ctx_t *ctx, const void *asker,
                                        const char *name)
{
    const na_session *session = session_for(ctx);
    apr_array_header_t *values = apr_array_make(ctx->p, 4, sizeof(const char *));
    name = na_path_text(ctx->p, name);
    for (int i = 0; session && can_read_claim(asker, name) && i < session->claim_count; i++)
        if (strcmp(session->claims[i].name, name) == 0)
            APR_ARRAY_PUSH(values, const char *) = session->claims[i].value;
    return values;
}

/* an array, so that the data pointer of a function identifies the part */
static const na_part parts[] = {NA_PART_USER, NA_PART_ACCOUNT, NA_PART_PROFILE};

static const na_subject *subject_for(ap_expr_eval_ctx_t *ctx)
{
    return ctx->r ? na_state_of(ctx->r)->subject : NULL;
}

static apr_array_header_t *subject_list(ap_expr_eval_ctx_t *ctx, const void *data, const char *path)
{
    const na_subject *subject = subject_for(ctx);
    return subject ? na_subject_list(ctx->p, subject, *(const na_part *)data, path)
                   : apr_array_make(ctx->p, 1, sizeof(const char *));
}

static const char *subject_text(ap_expr_eval_ctx_t *ctx, const void *data, const char *path)
{
    const na_subject *subject = subject_for(ctx);
    const na_part part = *(const na_part *)data;
    if (!subject)
        return "";
    const char *text = na_json_scalar(ctx->p, na_subject_value(ctx->p, subject, part, path));
    return text ? text : na_list_text(ctx->p, na_subject_list(ctx->p, subject, part, path));
}

/* ── lookup ────────────────────────────────────────────────────────────────────────────────── */

static int set_function(ap_expr_lookup_parms *parms, const void *data, ap_expr_string_func_t *text,
                        ap_expr_list_func_t *list)
{
    *parms->func = parms->type == AP_EXPR_FUNC_LIST ? (const void *)list : (const void *)text;
    *parms->data = data;
    return OK;
}

static int refuse_function(ap_expr_lookup_parms *parms, const char *why)
{
    *parms->err = why;
    return !OK;
}

static int set_session_function(ap_expr_lookup_parms *parms)
{
    switch (na_parsing_for()) {
    case NA_AT_SIGN_IN:
        return refuse_function(parms,
                               "NEXTAUTH cannot be used at sign-in, before there is a session: use "
                               "%{USER:…}, %{ACCOUNT:…} or %{PROFILE:…}");
    case NA_BEFORE_SESSION:
        return refuse_function(parms, "NEXTAUTH cannot be used before the session is known");
    default:
        return set_function(parms, asker_of_expression(), session_text, session_list);
    }
}

static int set_subject_function(ap_expr_lookup_parms *parms, na_part part)
{
    if (parms->arg && !na_part_has(part, parms->arg))
        return refuse_function(parms, apr_psprintf(parms->ptemp,
                                                   "unknown name '%s' in %s: expected one of %s",
                                                   parms->arg, parms->name, na_part_names(part)));
    return set_function(parms, &parts[part], subject_text, subject_list);
}

int na_expression_lookup(ap_expr_lookup_parms *parms)
{
    na_part part;
    if (parms->type != AP_EXPR_FUNC_STRING && parms->type != AP_EXPR_FUNC_LIST)
        return DECLINED;
    if (ap_cstr_casecmp(parms->name, "NEXTAUTH") == 0)
        return set_session_function(parms);
    return na_part_find(parms->name, &part) ? set_subject_function(parms, part) : DECLINED;
}
