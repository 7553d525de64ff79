/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for sign-ins, and roles and claims of sessions. */
#include <string.h>

#include <apr_strings.h>

#include "auth/subject.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"
#include "session/reserved.h"

/* The first rule that is true decides; a virtual host's rules come before inherited ones. */
static na_sign_in_rule *insert_rule(na_builder *b, const na_directive *w)
{
    apr_array_header_t *rules = (apr_array_header_t *)b->config->sign_in_rules;
    int at = w->server == b->server ? b->own_rules++ : rules->nelts;
    apr_array_push(rules);
    na_sign_in_rule *list = (na_sign_in_rule *)rules->elts;
    memmove(list + at + 1, list + at, (size_t)(rules->nelts - 1 - at) * sizeof *list);
    return list + at;
}

na_error *na_build_sign_in_rule(na_builder *b, const na_directive *w)
{
    int allow = strcmp(w->argv[0], "allow") == 0;
    if (!allow && strcmp(w->argv[0], "deny") != 0)
        return na_wrong(b, "invalid rule '%s': expected allow or deny", w->argv[0]);
    *insert_rule(b, w) = (na_sign_in_rule){allow, (const na_expression *)w->expression};
    return NULL;
}

/* *found is NULL unless the text is exactly one lookup, such as "%{PROFILE:groups}". */
static na_error *parse_lookup(na_builder *b, const char *text, const na_lookup **found)
{
    na_lookup *lookup = apr_palloc(b->pool, sizeof *lookup);
    *found = NULL;
    if (!na_lookup_parse(b->pool, text, lookup))
        return NULL;
    if (!na_part_has(lookup->part, lookup->path))
        return na_wrong(b, "unknown value '%s': expected %s", text, na_part_names(lookup->part));
    *found = lookup;
    return NULL;
}

na_error *na_build_role(na_builder *b, const na_directive *w)
{
    na_role_rule rule = {.name = w->argv[0], .expression = (const na_expression *)w->expression};
    NA_TRY(parse_lookup(b, w->argv[0], &rule.list));
    if (rule.list)
        rule.name = NULL;
    else if (!na_build_is_name(w->argv[0]))
        return na_wrong(b,
                        "invalid role '%s': expected letters, digits, and - _ . :, or "
                        "%%{PROFILE:PATH} of a list of roles",
                        w->argv[0]);
    APR_ARRAY_PUSH((apr_array_header_t *)b->config->roles, na_role_rule) = rule;
    return NULL;
}

/* A token in the session is allowed, but makes the session large. */
static void warn_if_token(na_builder *b, const na_directive *w)
{
    static const char *const tokens[] = {"access_token", "refresh_token", "id_token"};
    for (int i = 0; ap_strcasestr(w->argv[1], "ACCOUNT") && i < 3; i++) {
        if (!strstr(w->argv[1], tokens[i]))
            continue;
        const na_error *warning = na_error_with_hint(
            na_wrong(b,
                     "stores the provider's %s in the session: the cookie becomes large, and "
                     "applications receive the token",
                     tokens[i]),
            "set NextAuthSessionStrategy database, or remove the claim");
        if (!na_build_warn(b, warning))
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, b->server,
                         "%s on line %d of %s: %s", w->directive, w->line, w->file,
                         na_error_text(b->pool, warning));
    }
}

na_error *na_build_claim(na_builder *b, const na_directive *w)
{
    if (na_claim_is_reserved(w->argv[0]))
        return na_error_with_hint(na_wrong(b, "'%s' is a reserved claim", w->argv[0]),
                                  "use another name, or NextAuthRole for roles");
    if (!na_build_is_name(w->argv[0]))
        return na_wrong(b, "invalid claim '%s': expected letters, digits, and - _ . :", w->argv[0]);
    na_claim_rule rule = {.name = w->argv[0], .expression = (const na_expression *)w->expression};
    NA_TRY(parse_lookup(b, w->argv[1], &rule.value));
    warn_if_token(b, w);
    APR_ARRAY_PUSH((apr_array_header_t *)b->config->claims, na_claim_rule) = rule;
    APR_ARRAY_PUSH((apr_array_header_t *)b->config->session.identity_claims, na_identity_claim) =
        na_identity_claim_of(b->pool, w->argv[0]);
    return NULL;
}

na_error *na_build_session_claim(na_builder *b, const na_directive *w)
{
    for (int i = 0; i < w->argc; i++) {
        if (strcmp(w->argv[i], NA_CLAIM_SESSION_ID) == 0)
            return na_error_with_hint(
                na_wrong(b,
                         "'%s' grants the same access as the session cookie: scripts must not "
                         "see it",
                         w->argv[i]),
                "remove it");
        APR_ARRAY_PUSH((apr_array_header_t *)b->config->session_claims, const char *) = w->argv[i];
    }
    return NULL;
}
