/* SPDX-License-Identifier: Apache-2.0 */
/* httpd's interface to the directives: reading, merging, and the settings of directories. */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/header.h"
#include "httpd/config/build.h"
#include "httpd/config/mode_sections.h"
#include "httpd/config/cors.h"
#include "httpd/config/passed.h"
#include "httpd/parsing.h"

/* httpd supports quotes only around a whole argument, but key="value" is common. */
static const char *without_inner_quotes(apr_pool_t *pool, const char *argument)
{
    const char *quote = strstr(argument, "=\"");
    size_t len = strlen(argument);
    if (!quote || argument + len - 1 == quote + 1 || argument[len - 1] != '"')
        return apr_pstrdup(pool, argument);
    return apr_pstrcat(pool, apr_pstrmemdup(pool, argument, (apr_size_t)(quote + 1 - argument)),
                       apr_pstrmemdup(pool, quote + 2, strlen(quote + 2) - 1), NULL);
}

static const char *parse_expression(cmd_parms *cmd, const na_arguments *are, na_directive *written)
{
    const char *error, *text = written->argv[are->expression];
    written->expression =
        na_parse_expression(cmd, text, are->is_string ? AP_EXPR_FLAG_STRING_RESULT : 0,
                            are->at_sign_in ? NA_AT_SIGN_IN : NA_WITH_SESSION, &error);
    return error ? apr_psprintf(cmd->pool, "%s: invalid expression '%s': %s", written->directive,
                                text, error)
                 : NULL;
}

static const char *check_arguments(cmd_parms *cmd, const na_directive_row *row, int argc,
                                   char *const argv[])
{
    const na_arguments *are = &row->arguments;
    if (argc > are->max && are->expression >= 0)
        return apr_psprintf(cmd->pool,
                            "%s: too many arguments: put quotation marks around the whole "
                            "expression, as in %s%s%s \"EXPRESSION\"",
                            row->name, row->name, are->expression ? " " : "",
                            are->expression ? argv[0] : "");
    return argc < are->min || argc > are->max
               ? apr_psprintf(cmd->pool, "%s: wrong number of arguments: expected %s", row->name,
                              row->form)
               : NULL;
}

/* Server directives are stored as written, because their meaning can depend on others. */
static const char *store_directive(cmd_parms *cmd, void *dir_conf, int argc, char *const argv[])
{
    const na_directive_row *row = cmd->info;
    const na_arguments *are = &row->arguments;
    const char *wrong = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);
    if (!wrong)
        wrong = check_arguments(cmd, row, argc, argv);
    if (wrong)
        return wrong;
    na_directive *written = apr_array_push(na_server_conf_of(cmd->server)->written);
    const char **copy = apr_palloc(cmd->pool, (apr_size_t)argc * sizeof *copy);
    for (int i = 0; i < argc; i++)
        copy[i] = i == are->expression ? apr_pstrdup(cmd->pool, argv[i])
                                       : without_inner_quotes(cmd->pool, argv[i]);
    *written = (na_directive){.id = row->id,
                              .directive = row->name,
                              .file = cmd->directive->filename,
                              .line = cmd->directive->line_num,
                              .server = cmd->server,
                              .argc = argc,
                              .argv = copy};
    return are->expression < 0 ? NULL : parse_expression(cmd, are, written);
}

static const char *set_unauthenticated(cmd_parms *cmd, void *conf, const char *value)
{
    static const char *const names[] = {
        [NA_AUTO] = "auto", [NA_REDIRECT] = "redirect", [NA_401] = "401", [NA_PASS] = "pass"};
    for (int i = NA_AUTO; i <= NA_PASS; i++) {
        if (ap_cstr_casecmp(value, names[i]) != 0)
            continue;
        ((na_dir_conf *)conf)->unauthenticated = (na_unauthenticated)i;
        return NULL;
    }
    return apr_psprintf(cmd->pool,
                        "NextAuthUnauthenticated: invalid value '%s': expected auto, redirect, "
                        "401, or pass",
                        value);
}

static const char *set_pass_identity(cmd_parms *cmd, void *conf, const char *value)
{
    na_dir_conf *dir = conf;
    int bit = ap_cstr_casecmp(value, "env") == 0       ? NA_PASS_ENV
              : ap_cstr_casecmp(value, "headers") == 0 ? NA_PASS_HEADERS
              : ap_cstr_casecmp(value, "jwt") == 0     ? NA_PASS_JWT
              : ap_cstr_casecmp(value, "none") == 0    ? NA_PASS_NOTHING
                                                       : 0;
    if (!bit)
        return apr_psprintf(cmd->pool,
                            "NextAuthPassIdentity: invalid value '%s': expected env, headers, "
                            "jwt, or none",
                            value);
    dir->pass_identity |= bit;
    if ((dir->pass_identity & NA_PASS_NOTHING) && dir->pass_identity != NA_PASS_NOTHING)
        return "NextAuthPassIdentity: none cannot be combined with other values";
    return NULL;
}

static const char *set_audience(cmd_parms *cmd, void *conf, const char *value)
{
    ((na_dir_conf *)conf)->audience = value;
    return *value && !na_has_control(value)
               ? NULL
               : "NextAuthIdentityAudience: expected the name of an application";
}

static const char *set_pass_tokens(cmd_parms *cmd, void *conf, const char *value)
{
    na_dir_conf *dir = conf;
    int bit = ap_cstr_casecmp(value, "access") == 0    ? NA_PASS_ACCESS
              : ap_cstr_casecmp(value, "refresh") == 0 ? NA_PASS_REFRESH
              : ap_cstr_casecmp(value, "id") == 0      ? NA_PASS_ID
              : ap_cstr_casecmp(value, "bearer") == 0  ? NA_PASS_BEARER
              : ap_cstr_casecmp(value, "none") == 0    ? NA_PASS_NO_TOKEN
                                                       : 0;
    if (!bit)
        return apr_psprintf(cmd->pool,
                            "NextAuthPassTokens: invalid value '%s': expected access, refresh, id, "
                            "bearer, or none",
                            value);
    dir->pass_tokens |= bit;
    if ((dir->pass_tokens & NA_PASS_NO_TOKEN) && dir->pass_tokens != NA_PASS_NO_TOKEN)
        return "NextAuthPassTokens: none cannot be combined with other values";
    return NULL;
}

/* A .htaccess file cannot show its programs what the server's configuration hides from them. */
static const char *set_strip_cookie(cmd_parms *cmd, void *conf, int on)
{
    if (!on && ap_check_cmd_context(cmd, NOT_IN_HTACCESS))
        return "NextAuthStripCookie: Off is not allowed in .htaccess";
    ((na_dir_conf *)conf)->strip_cookie = on ? NA_STRIP_ON : NA_STRIP_OFF;
    return NULL;
}

/* The session is not known yet: whether its use is recorded depends on the expression. */
static const char *set_activity(cmd_parms *cmd, void *conf, const char *text)
{
    const char *error;
    ((na_dir_conf *)conf)->activity = na_parse_expression(cmd, text, 0, NA_BEFORE_SESSION, &error);
    return error ? apr_psprintf(cmd->pool, "NextAuthActivity: invalid expression '%s': %s", text,
                                error)
                 : NULL;
}

static const char *set_remote_user(cmd_parms *cmd, void *conf, const char *claim,
                                   const char *pattern, const char *form)
{
    na_dir_conf *dir = conf;
    if (strcmp(claim, NA_CLAIM_SESSION_ID) == 0)
        return "NextAuthRemoteUser: sid grants the same access as the session cookie";
    dir->remote_user = claim;
    dir->remote_user_pattern = NULL;
    dir->remote_user_form = form ? form : "$1";
    if (!pattern)
        return NULL;
    dir->remote_user_pattern = ap_pregcomp(cmd->pool, pattern, AP_REG_EXTENDED);
    if (!dir->remote_user_pattern)
        return apr_psprintf(cmd->pool, "NextAuthRemoteUser: invalid pattern '%s'", pattern);
    if (!form && !dir->remote_user_pattern->re_nsub)
        return apr_psprintf(cmd->pool,
                            "NextAuthRemoteUser: pattern '%s' has no group: put parentheses around "
                            "the part that becomes REMOTE_USER",
                            pattern);
    return NULL;
}

/* Adds an issuer whose access tokens are accepted. Without a name, those of all issuers are. */
static void add_issuer(apr_pool_t *pool, na_dir_conf *dir, const char *id)
{
    int takes_all = (dir->accept_tokens & NA_ACCEPT_OAUTH) && !dir->issuers;
    if (!*id || takes_all) {
        dir->issuers = NULL;
        return;
    }
    if (!dir->issuers)
        dir->issuers = apr_array_make(pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH((apr_array_header_t *)dir->issuers, const char *) = id;
}

static const char *set_accept_tokens(cmd_parms *cmd, void *conf, const char *value)
{
    na_dir_conf *dir = conf;
    int names_issuer = ap_cstr_casecmpn(value, "oauth:", 6) == 0 && value[6];
    int kind = ap_cstr_casecmp(value, "session") == 0                 ? NA_ACCEPT_SESSION
               : ap_cstr_casecmp(value, "personal") == 0              ? NA_ACCEPT_PERSONAL
               : ap_cstr_casecmp(value, "oauth") == 0 || names_issuer ? NA_ACCEPT_OAUTH
               : ap_cstr_casecmp(value, "only") == 0                  ? NA_ACCEPT_ONLY
               : ap_cstr_casecmp(value, "none") == 0                  ? NA_ACCEPT_NONE
                                                                      : 0;
    if (!kind)
        return apr_psprintf(cmd->pool,
                            "NextAuthAcceptTokens: invalid value '%s': expected session, personal, "
                            "oauth, oauth:ISSUER, only, or none",
                            value);
    if (kind == NA_ACCEPT_OAUTH)
        add_issuer(cmd->pool, dir, names_issuer ? value + 6 : "");
    dir->accept_tokens |= kind;
    if ((dir->accept_tokens & NA_ACCEPT_NONE) && dir->accept_tokens != NA_ACCEPT_NONE)
        return "NextAuthAcceptTokens: none cannot be combined with other values";
    return NULL;
}

static const char *set_basic(cmd_parms *cmd, void *conf, const char *value)
{
    ((na_dir_conf *)conf)->basic = value;
    return NULL;
}

/* httpd evaluates it when a sign-in begins; a step-up has a session. */
static const char *add_param(cmd_parms *cmd, void *conf, const char *name, const char *text,
                             const char *provider)
{
    na_dir_conf *dir = conf;
    const char *error;
    if (na_provider_is_reserved(name) || ap_cstr_casecmp(name, "hd") == 0)
        return apr_psprintf(cmd->pool, "NextAuthAuthorizationParam: cannot set %s: %s", name,
                            na_provider_is_reserved(name)
                                ? "the protocol depends on it"
                                : "set it with authorization.params= of NextAuthProvider");
    apr_array_header_t *params = dir->params ? apr_array_copy(cmd->pool, dir->params)
                                             : apr_array_make(cmd->pool, 2, sizeof(na_param));
    APR_ARRAY_PUSH(params, na_param) =
        (na_param){name, na_parse_expression(cmd, text, AP_EXPR_FLAG_STRING_RESULT, 0, &error),
                   provider};
    dir->params = params;
    return error
               ? apr_psprintf(cmd->pool, "NextAuthAuthorizationParam: invalid expression '%s': %s",
                              text, error)
               : NULL;
}

static const char *set_sign_in_with(cmd_parms *cmd, void *conf, const char *text)
{
    const char *error;
    ((na_dir_conf *)conf)->sign_in_with =
        na_parse_expression(cmd, text, AP_EXPR_FLAG_STRING_RESULT, NA_AT_SIGN_IN, &error);
    return error ? apr_psprintf(cmd->pool, "NextAuthSignInWith: invalid expression '%s': %s", text,
                                error)
                 : NULL;
}

static const char *set_cache_control(cmd_parms *cmd, void *conf, const char *value)
{
    int off = ap_cstr_casecmp(value, "Off") == 0;
    if (!off && (na_has_control(value) || !na_cache_control_is_for_user(value)))
        return apr_psprintf(cmd->pool,
                            "NextAuthCacheControl: invalid value '%s': expected a Cache-Control "
                            "with private or no-store, or Off to keep the application's",
                            value);
    ((na_dir_conf *)conf)->cache_control = off ? "" : value;
    return NULL;
}

#define PRESERVED_BYTES (64 * 1024)
#define PRESERVED_BYTES_MAX (1024 * 1024)
#define PRESERVED_SECONDS 900
#define PRESERVED_SECONDS_MAX 3600

static const char *set_preserve_option(cmd_parms *cmd, na_preserve *preserve, const char *option)
{
    static const struct {
        const char *name;
        apr_size_t member;
        long min, max;
    } options[] = {
        {"maxBytes=", offsetof(na_preserve, max_bytes), 1024, PRESERVED_BYTES_MAX},
        {"maxAge=", offsetof(na_preserve, max_age), 60, PRESERVED_SECONDS_MAX},
    };
    for (apr_size_t i = 0; i < sizeof options / sizeof *options; i++) {
        size_t len = strlen(options[i].name);
        char *end;
        if (strncmp(option, options[i].name, len) != 0)
            continue;
        long value = strtol(option + len, &end, 10);
        if (!apr_isdigit(option[len]) || *end || value < options[i].min || value > options[i].max)
            return apr_psprintf(cmd->pool, "NextAuthPreservePost: invalid %s: expected %ld to %ld",
                                option, options[i].min, options[i].max);
        *(long *)((char *)preserve + options[i].member) = value;
        return NULL;
    }
    return apr_psprintf(cmd->pool,
                        "NextAuthPreservePost: unknown option '%s': expected maxBytes= or maxAge=",
                        option);
}

static const char *set_preserve_post(cmd_parms *cmd, void *conf, const char *state,
                                     const char *first, const char *second)
{
    na_preserve *preserve = &((na_dir_conf *)conf)->preserve_post;
    int is_on = ap_cstr_casecmp(state, "On") == 0;
    if (!is_on && (ap_cstr_casecmp(state, "Off") != 0 || first))
        return apr_psprintf(
            cmd->pool,
            "NextAuthPreservePost: invalid value '%s': expected On with options, or "
            "Off",
            state);
    *preserve =
        (na_preserve){is_on ? NA_PRESERVE_ON : NA_PRESERVE_OFF, PRESERVED_BYTES, PRESERVED_SECONDS};
    const char *wrong = first ? set_preserve_option(cmd, preserve, first) : NULL;
    return wrong || !second ? wrong : set_preserve_option(cmd, preserve, second);
}

/* Arguments of a row: {min, max, index of the expression or -1, is text, at sign-in}. */
/* clang-format off */
#define ONE {1, 1, -1, 0, 0}
#define TWO {2, 2, -1, 0, 0}
#define ONE_OR_MORE {1, 64, -1, 0, 0}
#define TWO_OR_MORE {2, 64, -1, 0, 0}
#define TEXT {1, 1, 0, 1, 0}
#define RULE {2, 2, 1, 0, 1}
#define NAMED_TEXT {2, 2, 1, 1, 1}
/* clang-format on */

const na_directive_row na_directive_rows[] = {
#define NA_ROW(name, arguments, stage, setter, shown, help, form)                                  \
    {name, #name, arguments, NA_STAGE_##stage, setter, NA_SHOW_##shown, form},
    NA_DIRECTIVES(NA_ROW)
#undef NA_ROW
};

/* The directives that decide <IfNextAuthMode> run when their lines are read, then as any other. */
/* clang-format off */
#define NA_COMMAND(name, arguments, stage, setter, shown, help, form) \
    NA_COMMAND_##stage(name, help ": " form),
#define STORE(directive, row, help) \
    AP_INIT_TAKE_ARGV(directive, store_directive, (void *)&na_directive_rows[row], RSRC_CONF, help)
#define READ(directive, reader, help) \
    AP_INIT_RAW_ARGS(directive, reader, NULL, RSRC_CONF | EXEC_ON_READ, help)
#define NA_COMMAND_FILE(name, help) \
    READ(#name, na_read_env_file, help), STORE(#name NA_READ, name, help)
#define NA_COMMAND_MODE(name, help) READ(#name, na_read_mode, help), STORE(#name NA_READ, name, help)
#define NA_COMMAND_FIRST(name, help) STORE(#name, name, help)
#define NA_COMMAND_SITE NA_COMMAND_FIRST
#define NA_COMMAND_PROVIDERS NA_COMMAND_FIRST
#define NA_COMMAND_ISSUERS NA_COMMAND_FIRST
#define NA_COMMAND_COOKIES NA_COMMAND_FIRST
/* clang-format on */

const command_rec na_directives[] = {
    NA_DIRECTIVES(NA_COMMAND)
        AP_INIT_RAW_ARGS(NA_MODE_SECTION, na_read_mode_section, NULL, OR_ALL | EXEC_ON_READ,
                         "directives for some modes: [!]MODE …"),
    AP_INIT_RAW_ARGS(NA_MODE_SECTION NA_READ, na_note_mode_section, NULL, OR_ALL,
                     "directives for some modes: [!]MODE …"),
    AP_INIT_TAKE1("NextAuthUnauthenticated", set_unauthenticated, NULL, OR_AUTHCFG,
                  "response to requests without a session: auto|redirect|401|pass"),
    AP_INIT_ITERATE("NextAuthPassIdentity", set_pass_identity, NULL, OR_AUTHCFG,
                    "ways in which applications receive the identity: env|headers|jwt|none …"),
    AP_INIT_TAKE1("NextAuthIdentityAudience", set_audience, NULL, OR_AUTHCFG,
                  "audience of the identity as a JWT: AUDIENCE"),
    AP_INIT_TAKE_ARGV("NextAuthPassHeader", na_set_pass_header, NULL, OR_AUTHCFG,
                      "request header for applications: " NA_PASSED_FORM),
    AP_INIT_TAKE_ARGV("NextAuthPassEnv", na_set_pass_env, NULL, OR_AUTHCFG,
                      "environment variable for applications: " NA_PASSED_FORM),
    AP_INIT_ITERATE("NextAuthPassTokens", set_pass_tokens, NULL, ACCESS_CONF,
                    "tokens of the provider that applications receive: "
                    "access|refresh|id|bearer|none …"),
    AP_INIT_FLAG("NextAuthStripCookie", set_strip_cookie, NULL, OR_AUTHCFG,
                 "cookies of this module that applications do not receive: On|Off"),
    AP_INIT_TAKE1("NextAuthActivity", set_activity, NULL, OR_AUTHCFG,
                  "requests that count as use of the session: EXPRESSION"),
    AP_INIT_TAKE123("NextAuthRemoteUser", set_remote_user, NULL, OR_AUTHCFG,
                    "claim that becomes REMOTE_USER: CLAIM [PATTERN [FORM]]"),
    AP_INIT_ITERATE("NextAuthAcceptTokens", set_accept_tokens, NULL, OR_AUTHCFG,
                    "tokens that are accepted in place of cookies: "
                    "session|personal|oauth[:ISSUER]|only|none …"),
    AP_INIT_TAKE1("NextAuthBasic", set_basic, NULL, OR_AUTHCFG,
                  "passwords of the site in place of cookies: On|Off|PROVIDER"),
    AP_INIT_TAKE23("NextAuthAuthorizationParam", add_param, NULL, OR_AUTHCFG,
                   "parameter of authorization requests: NAME EXPRESSION [PROVIDER]"),
    AP_INIT_TAKE1("NextAuthSignInWith", set_sign_in_with, NULL, OR_AUTHCFG,
                  "provider that a page without a session leads to: page|PROVIDER|EXPRESSION"),
    AP_INIT_TAKE1("NextAuthCacheControl", set_cache_control, NULL, OR_AUTHCFG,
                  "Cache-Control of responses for one user: VALUE|Off"),
    AP_INIT_TAKE123("NextAuthPreservePost", set_preserve_post, NULL, OR_AUTHCFG,
                    "forms that are sent again after a sign-in: On|Off [maxBytes=BYTES] "
                    "[maxAge=SECONDS]"),
    AP_INIT_TAKE_ARGV("NextAuthCORS", na_set_cors, NULL, OR_AUTHCFG,
                      "other origins whose scripts may read responses: " NA_CORS_FORM),
    {NULL}};

void *na_make_server_conf(apr_pool_t *pool, server_rec *s)
{
    na_server_conf *conf = apr_pcalloc(pool, sizeof *conf);
    conf->written = apr_array_make(pool, 16, sizeof(na_directive));
    conf->mode_sections = apr_array_make(pool, 1, sizeof(na_mode_section));
    return conf;
}

/* The main server's directives come first: a later directive replaces an earlier one, or adds to
 * it. */
void *na_merge_server_conf(apr_pool_t *pool, void *base, void *over)
{
    na_server_conf *conf = apr_pcalloc(pool, sizeof *conf);
    conf->written = apr_array_append(pool, ((na_server_conf *)base)->written,
                                     ((na_server_conf *)over)->written);
    conf->mode_sections = apr_array_append(pool, ((na_server_conf *)base)->mode_sections,
                                           ((na_server_conf *)over)->mode_sections);
    conf->passed =
        na_merge_passed(pool, ((na_server_conf *)base)->passed, ((na_server_conf *)over)->passed);
    return conf;
}

void *na_make_dir_conf(apr_pool_t *pool, char *dir)
{
    return apr_pcalloc(pool, sizeof(na_dir_conf));
}

void *na_merge_dir_conf(apr_pool_t *pool, void *base_conf, void *over_conf)
{
    const na_dir_conf *base = base_conf, *over = over_conf;
    na_dir_conf *conf = apr_palloc(pool, sizeof *conf);
    conf->unauthenticated = over->unauthenticated ? over->unauthenticated : base->unauthenticated;
    conf->strip_cookie = over->strip_cookie ? over->strip_cookie : base->strip_cookie;
    conf->activity = over->activity ? over->activity : base->activity;
    conf->pass_identity = over->pass_identity ? over->pass_identity : base->pass_identity;
    conf->audience = over->audience ? over->audience : base->audience;
    conf->pass_tokens = over->pass_tokens ? over->pass_tokens : base->pass_tokens;
    const na_dir_conf *named = over->remote_user ? over : base;
    conf->remote_user = named->remote_user;
    conf->remote_user_pattern = named->remote_user_pattern;
    conf->remote_user_form = named->remote_user_form;
    conf->params = over->params && base->params ? apr_array_append(pool, base->params, over->params)
                   : over->params               ? over->params
                                                : base->params;
    conf->sign_in_with = over->sign_in_with ? over->sign_in_with : base->sign_in_with;
    conf->basic = over->basic ? over->basic : base->basic;
    const na_dir_conf *accepting = over->accept_tokens ? over : base;
    conf->accept_tokens = accepting->accept_tokens;
    conf->issuers = accepting->issuers;
    conf->cache_control = over->cache_control ? over->cache_control : base->cache_control;
    conf->headers = over->headers && base->headers
                        ? na_merge_passed(pool, base->headers, over->headers)
                    : over->headers ? over->headers
                                    : base->headers;
    conf->variables = over->variables && base->variables
                          ? na_merge_passed(pool, base->variables, over->variables)
                      : over->variables ? over->variables
                                        : base->variables;
    conf->cors = over->cors ? over->cors : base->cors;
    conf->preserve_post = over->preserve_post.state ? over->preserve_post : base->preserve_post;
    return conf;
}
