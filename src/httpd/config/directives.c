/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/header.h"
#include "httpd/module.h"

/* What a server directive looks like: how many arguments, and which of them is an expression. */
typedef struct shape {
    int least, most;
    int expression; /* index of the argument, or -1 */
    int is_string;  /* the expression's value is text */
    int at_sign_in; /* it is worked out when somebody signs in */
} shape;

static const shape one = {1, 1, -1, 0, 0}, two = {2, 2, -1, 0, 0}, one_or_more = {1, 64, -1, 0, 0},
                   two_or_more = {2, 64, -1, 0, 0}, rule = {2, 2, 1, 0, 1},
                   named_text = {2, 2, 1, 1, 1}, text = {1, 1, 0, 1, 0};

/* What ends the path of a profile that begins here, in "PROFILE:…}" or "PROFILE('…'"; 0: none does.
 */
static char end_of_path(const char *at)
{
    static const char name[] = "PROFILE";
    if (strncasecmp(at, name, sizeof name - 1) != 0)
        return 0;
    at += sizeof name - 1;
    if (*at == ':')
        return '}';
    return *at == '(' && (at[1] == '\'' || at[1] == '"') ? at[1] : 0;
}

/* httpd takes backslashes out of what it parses; a path needs those before dots of a name. */
static const char *with_backslashes(apr_pool_t *pool, const char *at)
{
    char *out = apr_palloc(pool, 2 * strlen(at) + 1), *p = out, end = 0;
    for (; *at; at++) {
        char begins = end ? 0 : end_of_path(at);
        if (begins) {
            size_t len = strcspn(at, ":(") + (begins == '}' ? 1 : 2);
            memcpy(p, at, len);
            p += len;
            at += len - 1;
            end = begins;
            continue;
        }
        if (*at == end)
            end = 0;
        if (end && *at == '\\')
            *p++ = '\\';
        *p++ = *at;
    }
    *p = '\0';
    return out;
}

static const char *parse_expression(cmd_parms *cmd, const shape *is, na_written *written)
{
    const char *error = NULL;
    unsigned flags = is->is_string ? AP_EXPR_FLAG_STRING_RESULT : 0;
    na_expressions_at_sign_in(is->at_sign_in);
    written->expression =
        ap_expr_parse_cmd(cmd, with_backslashes(cmd->pool, written->argv[is->expression]), flags,
                          &error, NULL);
    na_expressions_at_sign_in(0);
    return error ? apr_psprintf(cmd->pool, "%s: bad expression '%s': %s", written->directive,
                                written->argv[is->expression], error)
                 : NULL;
}

/* httpd knows quotes only around a whole argument; key="value" is what people write. */
static const char *without_inner_quotes(apr_pool_t *pool, const char *argument)
{
    const char *quote = strstr(argument, "=\"");
    size_t len = strlen(argument);
    if (!quote || argument + len - 1 == quote + 1 || argument[len - 1] != '"')
        return apr_pstrdup(pool, argument);
    return apr_pstrcat(pool, apr_pstrmemdup(pool, argument, (apr_size_t)(quote + 1 - argument)),
                       apr_pstrmemdup(pool, quote + 2, strlen(quote + 2) - 1), NULL);
}

/* Server directives are kept as written: what they mean may depend on others, or on a file. */
static const char *write_down(cmd_parms *cmd, void *dir_conf, int argc, char *const argv[])
{
    const shape *is = cmd->info;
    const char *not_here = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);
    if (not_here)
        return not_here;
    if (argc > is->most && is->expression >= 0)
        return apr_psprintf(cmd->pool,
                            "%s: too many arguments: put quotation marks around the whole "
                            "expression, as in %s%s%s \"EXPRESSION\"",
                            cmd->cmd->name, cmd->cmd->name, is->expression ? " " : "",
                            is->expression ? argv[0] : "");
    if (argc < is->least || argc > is->most)
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, cmd->cmd->errmsg);
    na_written *written = apr_array_push(na_server_conf_of(cmd->server)->written);
    const char **copy = apr_palloc(cmd->pool, (apr_size_t)argc * sizeof *copy);
    for (int i = 0; i < argc; i++)
        copy[i] = i == is->expression ? apr_pstrdup(cmd->pool, argv[i])
                                      : without_inner_quotes(cmd->pool, argv[i]);
    *written = (na_written){.directive = cmd->cmd->name,
                            .file = cmd->directive->filename,
                            .line = cmd->directive->line_num,
                            .server = cmd->server,
                            .argc = argc,
                            .argv = copy};
    return is->expression < 0 ? NULL : parse_expression(cmd, is, written);
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
    return "NextAuthUnauthenticated takes auto, redirect, 401 or pass";
}

static const char *set_pass_identity(cmd_parms *cmd, void *conf, const char *value)
{
    na_dir_conf *dir = conf;
    int bit = ap_cstr_casecmp(value, "env") == 0       ? NA_PASS_ENV
              : ap_cstr_casecmp(value, "headers") == 0 ? NA_PASS_HEADERS
              : ap_cstr_casecmp(value, "none") == 0    ? NA_PASS_NOTHING
                                                       : 0;
    if (!bit)
        return "NextAuthPassIdentity takes env, headers or both, or none";
    dir->pass_identity |= bit;
    if ((dir->pass_identity & NA_PASS_NOTHING) && dir->pass_identity != NA_PASS_NOTHING)
        return "NextAuthPassIdentity: none excludes env and headers";
    return NULL;
}

static const char *set_remote_user(cmd_parms *cmd, void *conf, const char *claim,
                                   const char *pattern, const char *form)
{
    na_dir_conf *dir = conf;
    if (strcmp(claim, NA_CLAIM_SESSION_ID) == 0)
        return "NextAuthRemoteUser: sid is as good as the session's cookie, and no name";
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
                            "what becomes REMOTE_USER",
                            pattern);
    return NULL;
}

static const char *set_accept_tokens(cmd_parms *cmd, void *conf, const char *value)
{
    int kind = ap_cstr_casecmp(value, "session") == 0 ? NA_ACCEPT_SESSION
               : ap_cstr_casecmp(value, "none") == 0  ? NA_ACCEPT_NONE
                                                      : 0;
    ((na_dir_conf *)conf)->accept_tokens = kind;
    return kind ? NULL
                : apr_psprintf(cmd->pool,
                               "NextAuthAcceptTokens: invalid value '%s': expected session or none",
                               value);
}

static const char *set_cache_control(cmd_parms *cmd, void *conf, const char *value)
{
    int off = ap_cstr_casecmp(value, "Off") == 0;
    if (!off && (na_has_control(value) || !na_cache_control_is_for_user(value)))
        return "NextAuthCacheControl takes a Cache-Control with private or no-store, or Off to "
               "leave "
               "the application's as it is";
    ((na_dir_conf *)conf)->cache_control = off ? "" : value;
    return NULL;
}

#define SERVER(name, shape, help)                                                                  \
    AP_INIT_TAKE_ARGV(name, write_down, (void *)&shape, RSRC_CONF, help)

const command_rec na_directives[] = {
    SERVER("NextAuthEngine", one, "On or Off: serve the sign-in endpoints here"),
    SERVER("NextAuthURL", one, "the canonical address, https://host[/base/path]"),
    SERVER("NextAuthBasePath", one, "where the endpoints live, /api/auth by default"),
    SERVER("NextAuthSite", one_or_more,
           "a name that virtual hosts share to share sessions, then unbound="),
    SERVER("NextAuthSecret", one_or_more, "the secret, then older ones that still open"),
    SERVER("NextAuthEnvFile", one, "a .env file to read variables from"),
    SERVER("NextAuthMode", one, "production, development or test"),
    SERVER("NextAuthCompat", one_or_more, "v4 or v5, then accept=v4,v5"),
    SERVER("NextAuthCookie", two_or_more, "a cookie's name in NextAuth, then key=value"),
    SERVER("NextAuthSessionMaxAge", one, "seconds until an unused session ends"),
    SERVER("NextAuthSessionUpdateAge", one, "seconds between re-issues of the session cookie"),
    SERVER("NextAuthSessionIdleTimeout", one, "seconds without use until a session ends, or Off"),
    SERVER("NextAuthSessionAbsoluteTimeout", one, "seconds from sign-in to the end, or Off"),
    SERVER("NextAuthSessionStrategy", one, "jwt: claims in the cookie; database: on the server"),
    SERVER("NextAuthSessionBind", text, "certificate, fingerprint, off or an expression"),
    SERVER("NextAuthSessionStore", one_or_more,
           "redis, database, socache or none, those of before, then checkInterval= and whenDown="),
    SERVER("NextAuthSOCache", one, "the shared object cache, such as shmcb:PATH(SIZE)"),
    SERVER("NextAuthRedis", one_or_more, "redis://, rediss:// or unix: address, then key=value"),
    SERVER("NextAuthDatabase", one_or_more,
           "postgresql://, mysql:// or sqlite: address, then key=value"),
    SERVER("NextAuthFeature", two,
           "signUp, passwordReset, account, deleteAccount or rateLimiting, then On or Off"),
    SERVER("NextAuthRateLimit", two_or_more,
           "signIn, callback, magicLink, signUp, passwordReset or mail, then Off or "
           "[address=|account=|both=]N/SECONDS"),
    SERVER("NextAuthPasswords", one_or_more, "minLength=, hash= and breached= of new passwords"),
    SERVER("NextAuthMail", one_or_more,
           "smtp:// or smtps:// address, or a service's name, then key=value"),
    SERVER("NextAuthMailTemplate", two_or_more,
           "signIn, signUp, passwordReset, emailChange, accountLocked, passwordChanged or "
           "emailChanged, then text=, html= and "
           "subject="),
    SERVER("NextAuthRoleColumn", one, "On or Off: users have a column named role"),
    SERVER("NextAuthProvider", one_or_more, "a provider's id, then key=value"),
    SERVER("NextAuthProvidersFromEnv", one,
           "On or Off: providers whose ID and secret are in the "
           "environment need no directive"),
    SERVER("NextAuthPages", one_or_more, "key=/path of pages of your own"),
    SERVER("NextAuthTheme", one_or_more, "key=value, the look of the built-in pages"),
    SERVER("NextAuthSignInRule", rule, "allow or deny, then an expression"),
    SERVER("NextAuthRedirectAllow", one_or_more, "origins that callbackUrl may lead to"),
    SERVER("NextAuthClearSiteData", one_or_more,
           "cache, cookies, storage, executionContexts or *, or Off: what browsers forget at "
           "sign-out"),
    SERVER("NextAuthRole", rule, "a role, then the expression of who has it"),
    SERVER("NextAuthClaim", named_text, "a claim's name, then the expression of its value"),
    SERVER("NextAuthSessionClaim", one_or_more, "claims that the browser may see"),
    SERVER("NextAuthEvent", two_or_more,
           "an event or all, then a webhook's address or \"|program\", then secret="),
    SERVER("NextAuthEventQueue", one_or_more, "the folder of what is not delivered yet, then max="),
    SERVER("NextAuthSentry", one_or_more, "a DSN or Off, then key=value"),
    SERVER("NextAuthAuditLog", one_or_more,
           "files, \"|program\" or database, then onFailure= and key="),
    SERVER("NextAuthHTTP", one_or_more, "key=value, limits of outgoing calls"),
    SERVER("NextAuthLog", two, "json or plain, then errorlog, a file or \"|program\""),
    SERVER("NextAuthStatsD", one_or_more, "HOST:PORT, then prefix=, format= and interval="),
    AP_INIT_TAKE1("NextAuthUnauthenticated", set_unauthenticated, NULL, OR_AUTHCFG,
                  "auto, redirect, 401 or pass"),
    AP_INIT_ITERATE("NextAuthPassIdentity", set_pass_identity, NULL, OR_AUTHCFG,
                    "env, headers or none"),
    AP_INIT_TAKE123(
        "NextAuthRemoteUser", set_remote_user, NULL, OR_AUTHCFG,
        "the claim that becomes REMOTE_USER, then a pattern and what its match becomes"),
    AP_INIT_TAKE1("NextAuthAcceptTokens", set_accept_tokens, NULL, OR_AUTHCFG,
                  "session or none: what programs may send as Authorization: Bearer"),
    AP_INIT_TAKE1("NextAuthCacheControl", set_cache_control, NULL, OR_AUTHCFG,
                  "Cache-Control with private or no-store, or Off"),
    {NULL}};

void *na_make_server_conf(apr_pool_t *pool, server_rec *s)
{
    na_server_conf *conf = apr_pcalloc(pool, sizeof *conf);
    conf->written = apr_array_make(pool, 16, sizeof(na_written));
    return conf;
}

/* The main server's directives come first: a later one replaces an earlier one, or adds to it. */
void *na_merge_server_conf(apr_pool_t *pool, void *base, void *over)
{
    na_server_conf *conf = apr_pcalloc(pool, sizeof *conf);
    conf->written = apr_array_append(pool, ((na_server_conf *)base)->written,
                                     ((na_server_conf *)over)->written);
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
    conf->pass_identity = over->pass_identity ? over->pass_identity : base->pass_identity;
    const na_dir_conf *named = over->remote_user ? over : base;
    conf->remote_user = named->remote_user;
    conf->remote_user_pattern = named->remote_user_pattern;
    conf->remote_user_form = named->remote_user_form;
    conf->accept_tokens = over->accept_tokens ? over->accept_tokens : base->accept_tokens;
    conf->cache_control = over->cache_control ? over->cache_control : base->cache_control;
    return conf;
}
