/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "auth/subject.h"
#include "base/json.h"
#include "httpd/module.h"
#include "httpd/parsing.h"

/*
 * In any expression: %{NEXTAUTH:claim} and NEXTAUTH('claim') of the request's session. In rules,
 * roles and claims, which are worked out at sign-in: USER, ACCOUNT and PROFILE likewise.
 */

/* What a name may be asked of: the server's configuration, or below it a .htaccess or a page. */
static const int of_server = 0, of_tenant = 1;

/*
 * httpd has read its configuration before it serves: whatever expression is parsed later is a
 * tenant's.
 */
static const int *who_asks(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_RUN_MPM ? &of_tenant : &of_server;
}

/* The session's id is as good as its cookie, and no tenant's. */
static int may_have(const void *asker, const char *name)
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
    if (is_late) /* of a header of the answer, which depends on the session as well */
        na_insert_cache_filters(ctx->r);
    return na_session_of(ctx->r);
}

/*
 * What goes into a header or a log must not bring lines of its own. Always the whole, of a list all
 * of it: a comparison must not see one part and miss the rest.
 */
static const char *session_text(ap_expr_eval_ctx_t *ctx, const void *asker, const char *name)
{
    const na_session *session = session_for(ctx);
    name = na_path_text(ctx->p, name);
    if (!session || !may_have(asker, name))
        return NULL;
    return na_whole_line(ctx->p, na_session_claim_text(ctx->p, session, name));
}

static apr_array_header_t *session_list(ap_expr_eval_ctx_t *ctx, const void *asker,
                                        const char *name)
{
    const na_session *session = session_for(ctx);
    apr_array_header_t *values = apr_array_make(ctx->p, 4, sizeof(const char *));
    name = na_path_text(ctx->p, name);
    for (int i = 0; session && may_have(asker, name) && i < session->claim_count; i++)
        if (strcmp(session->claims[i].name, name) == 0)
            APR_ARRAY_PUSH(values, const char *) = session->claims[i].value;
    return values;
}

/* Parts of the subject stand in an array, so that a pointer says which. */
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

/* ── looking functions up ──────────────────────────────────────────────────────────────────── */

static int found(ap_expr_lookup_parms *parms, const void *data, ap_expr_string_func_t *text,
                 ap_expr_list_func_t *list)
{
    *parms->func = parms->type == AP_EXPR_FUNC_LIST ? (const void *)list : (const void *)text;
    *parms->data = data;
    return OK;
}

static int refused(ap_expr_lookup_parms *parms, const char *why)
{
    *parms->err = why;
    return !OK;
}

static int session_function(ap_expr_lookup_parms *parms)
{
    return na_is_parsing_for_sign_in()
               ? refused(parms, "at sign-in there is no session yet: ask %{USER:…}, %{ACCOUNT:…} "
                                "or %{PROFILE:…} instead of NEXTAUTH")
               : found(parms, who_asks(), session_text, session_list);
}

static int subject_function(ap_expr_lookup_parms *parms, na_part part)
{
    if (parms->arg && !na_part_has(part, parms->arg))
        return refused(parms, apr_psprintf(parms->ptemp, "%s has no '%s'; it has %s", parms->name,
                                           parms->arg, na_part_names(part)));
    return found(parms, &parts[part], subject_text, subject_list);
}

int na_expression_lookup(ap_expr_lookup_parms *parms)
{
    na_part part;
    if (parms->type != AP_EXPR_FUNC_STRING && parms->type != AP_EXPR_FUNC_LIST)
        return DECLINED;
    if (ap_cstr_casecmp(parms->name, "NEXTAUTH") == 0)
        return session_function(parms);
    return na_part_find(parms->name, &part) ? subject_function(parms, part) : DECLINED;
}
