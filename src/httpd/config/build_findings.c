/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes and warnings of building, and the place that each is about. */
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/findings.h"

void na_build_look_at(na_builder *b, const na_directive *at, const char *about)
{
    b->at = at;
    b->about = about;
    b->variable = NULL;
    if (!at || !at->is_variable)
        return;
    b->variable = at->directive;
    b->about = about ? about : na_directive_name(at->id);
}

void na_build_look_at_variable(na_builder *b, const char *name, const char *directive)
{
    na_build_look_at(b, na_environment_place(&b->environment, name), directive);
    b->variable = name;
}

static const char *subject_of(const na_builder *b)
{
    return b->about ? b->about : b->at ? b->at->directive : "mod_nextauth";
}

int na_build_is_noted(const na_builder *b, const char *name)
{
    for (int i = 0; name && i < b->wrong->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(b->wrong, i, const char *), name) == 0)
            return 1;
    return 0;
}

int na_build_is_wrong(const na_builder *b, na_directive_id id)
{
    return na_build_is_noted(b, na_directive_name(id));
}

/* "set NextAuthMode production|development|test" if the error has no hint. */
static const char *hint_of(const na_builder *b, const na_error *error)
{
    const char *hint = na_error_hint(error);
    if (!hint && b->at && b->at->is_variable)
        return apr_pstrcat(b->pool, "correct it, or set ", na_directive_name(b->at->id), " ",
                           na_directive_form(b->at->id), ", which takes precedence", NULL);
    if (hint || b->about || !b->at)
        return hint;
    return apr_pstrcat(b->pool, "set ", b->at->directive, " ", na_directive_form(b->at->id), NULL);
}

static int add_error(const na_builder *b, const na_error *error, na_finding_state state)
{
    const na_finding finding = {.group = b->variable ? NA_GROUP_ENVIRONMENT : NA_GROUP_DIRECTIVES,
                                .subject = b->variable ? b->variable : subject_of(b),
                                .state = state,
                                .message = na_error_reason(b->pool, error),
                                .hint = hint_of(b, error),
                                .file = b->at ? b->at->file : NULL,
                                .line = b->at ? b->at->line : 0};
    return na_findings_add(b->server, &finding);
}

int na_build_warn(const na_builder *b, const na_error *error)
{
    return add_error(b, error, NA_WARNING);
}

void na_build_warn_aloud(const na_builder *b, const na_error *error)
{
    const na_directive *at = b->at;
    const char *text = na_error_text(b->pool, error);
    if (na_build_warn(b, error))
        return;
    if (at && at->file)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, b->server, "%s on line %d of %s: %s",
                     at->directive, at->line, at->file, text);
    else
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, b->server, "mod_nextauth: %s%s%s",
                     at ? at->directive : "", at ? ": " : "", text);
}

na_error *na_build_noted(na_builder *b, na_error *error)
{
    if (!error || !add_error(b, error, NA_WRONG))
        return error;
    APR_ARRAY_PUSH(b->wrong, const char *) = subject_of(b);
    return NULL;
}
