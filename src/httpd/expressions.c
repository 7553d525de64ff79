/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "httpd/module.h"

/*
 * In any expression: %{NEXTAUTH:claim} and NEXTAUTH('claim') of the request's session. In rules,
 * roles and claims, which are worked out at sign-in: USER, ACCOUNT and PROFILE likewise.
 */

static const na_session *session_for(ap_expr_eval_ctx_t *ctx)
{
    if (!ctx->r)
        return NULL;
    na_state_of(ctx->r)->asked = 1;
    return na_session_of(ctx->r);
}

/*
 * What goes into a header or a log must not bring lines of its own. Always the whole, of a list all
 * of it: a comparison must not see one part and miss the rest.
 */
static const char *session_text(ap_expr_eval_ctx_t *ctx, const void *data, const char *name)
{
    const na_session *session = session_for(ctx);
    return session ? na_whole_line(ctx->p, na_session_claim_text(ctx->p, session, name)) : NULL;
}

static apr_array_header_t *session_list(ap_expr_eval_ctx_t *ctx, const void *data, const char *name)
{
    const na_session *session = session_for(ctx);
    apr_array_header_t *values = apr_array_make(ctx->p, 4, sizeof(const char *));
    for (int i = 0; session && i < session->claim_count; i++)
        if (strcmp(session->claims[i].name, name) == 0)
            APR_ARRAY_PUSH(values, const char *) = session->claims[i].value;
    return values;
}

typedef const json_t *subject_part(apr_pool_t *pool, const na_subject *subject);

static const json_t *user_of(apr_pool_t *pool, const na_subject *subject)
{
    const na_user *user = &subject->user;
    return na_json_own(pool, json_pack("{s:s, s:s*, s:s*, s:s*}", "id", user->id, "name",
                                       user->name, "email", user->email, "image", user->image));
}

static const json_t *account_of(apr_pool_t *pool, const na_subject *subject)
{
    return subject->account;
}

static const json_t *profile_of(apr_pool_t *pool, const na_subject *subject)
{
    return subject->profile;
}

static const struct part {
    const char *name;
    subject_part *of;
} parts[] = {{"USER", user_of}, {"ACCOUNT", account_of}, {"PROFILE", profile_of}};

static const json_t *subject_value(ap_expr_eval_ctx_t *ctx, const void *data, const char *path)
{
    const na_subject *subject = ctx->r ? na_state_of(ctx->r)->subject : NULL;
    return subject ? na_json_path(((const struct part *)data)->of(ctx->p, subject), path) : NULL;
}

static apr_array_header_t *subject_list(ap_expr_eval_ctx_t *ctx, const void *data, const char *path)
{
    const json_t *value = subject_value(ctx, data, path);
    apr_array_header_t *values = apr_array_make(ctx->p, 4, sizeof(const char *));
    const char *text = na_json_scalar(ctx->p, value);
    if (text)
        APR_ARRAY_PUSH(values, const char *) = text;
    for (size_t i = 0; i < json_array_size(value); i++)
        if ((text = na_json_scalar(ctx->p, json_array_get(value, i))))
            APR_ARRAY_PUSH(values, const char *) = text;
    return values;
}

static const char *subject_text(ap_expr_eval_ctx_t *ctx, const void *data, const char *path)
{
    const char *text = na_json_scalar(ctx->p, subject_value(ctx, data, path));
    return text ? text : na_list_text(ctx->p, subject_list(ctx, data, path));
}

static int found(ap_expr_lookup_parms *parms, const void *data, ap_expr_string_func_t *text,
                 ap_expr_list_func_t *list)
{
    *parms->func = parms->type == AP_EXPR_FUNC_LIST ? (const void *)list : (const void *)text;
    *parms->data = data;
    return OK;
}

int na_expression_lookup(ap_expr_lookup_parms *parms)
{
    if (parms->type != AP_EXPR_FUNC_STRING && parms->type != AP_EXPR_FUNC_LIST)
        return DECLINED;
    if (ap_cstr_casecmp(parms->name, "NEXTAUTH") == 0)
        return found(parms, NULL, session_text, session_list);
    for (apr_size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (ap_cstr_casecmp(parms->name, parts[i].name) == 0)
            return found(parms, &parts[i], subject_text, subject_list);
    return DECLINED;
}
