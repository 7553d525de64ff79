/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPassHeader and NextAuthPassEnv: values for applications under names of their choice. */
#include "httpd/config/passed.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/header.h"
#include "httpd/parsing.h"

#define NAME_MAX_BYTES 64

/* ── names ─────────────────────────────────────────────────────────────────────────────────── */

static const char letters_and_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* Returns 1 if the name begins with a letter, and the rest is letters, digits, and `further`. */
static int is_name(const char *name, const char *further)
{
    apr_size_t len = strlen(name);
    for (const char *p = name; *p; p++)
        if (!strchr(letters_and_digits, *p) && !strchr(further, *p))
            return 0;
    return len && len <= NAME_MAX_BYTES && strchr(letters_and_digits, *name) && !apr_isdigit(*name);
}

/* Returns 1 for headers that httpd, mod_proxy, or this module reads: what clients send under a name
 * of the directive is removed. */
static int is_read_header(const char *name)
{
    static const char *const names[] = {"Accept",
                                        "Accept-Encoding",
                                        "Accept-Language",
                                        "Access-Control-Request-Headers",
                                        "Access-Control-Request-Method",
                                        "Authorization",
                                        "Connection",
                                        "Content-Encoding",
                                        "Content-Length",
                                        "Content-Type",
                                        "Cookie",
                                        "Destination",
                                        "DPoP",
                                        "Expect",
                                        "Forwarded",
                                        "Host",
                                        "If-Match",
                                        "If-Modified-Since",
                                        "If-None-Match",
                                        "If-Range",
                                        "If-Unmodified-Since",
                                        "Keep-Alive",
                                        "Max-Forwards",
                                        "Origin",
                                        "Proxy",
                                        "Proxy-Authorization",
                                        "Proxy-Connection",
                                        "Purpose",
                                        "Range",
                                        "Referer",
                                        "Sec-Fetch-Dest",
                                        "Sec-Fetch-Mode",
                                        "Sec-Fetch-Site",
                                        "Sec-Purpose",
                                        "TE",
                                        "traceparent",
                                        "tracestate",
                                        "Trailer",
                                        "Transfer-Encoding",
                                        "Upgrade",
                                        "User-Agent",
                                        "Via",
                                        "X-Auth-Return-Redirect",
                                        "X-Forwarded-For",
                                        "X-Forwarded-Host",
                                        "X-Forwarded-Proto",
                                        "X-Forwarded-Server",
                                        "X-HTTP-Method",
                                        "X-HTTP-Method-Override",
                                        "X-Moz",
                                        "X-Method-Override",
                                        "X-Requested-With"};
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (na_header_is_spelling_of(name, names[i]))
            return 1;
    return 0;
}

static const char *check_header(cmd_parms *cmd, const char *name)
{
    static const char ours[] = "X-NextAuth-";
    const char *start = apr_pstrndup(cmd->temp_pool, name, sizeof ours - 1);
    if (!is_name(name, "-_"))
        return apr_psprintf(cmd->pool,
                            "NextAuthPassHeader: invalid name '%s': expected up to %d letters, "
                            "digits, - and _, the first a letter",
                            name, NAME_MAX_BYTES);
    if (is_read_header(name) || na_header_is_spelling_of(start, ours))
        return apr_psprintf(cmd->pool,
                            "NextAuthPassHeader: '%s' has a meaning of its own and cannot be used",
                            name);
    return NULL;
}

/*
 * Returns 1 for variables that a program's start depends on, and for those that httpd sets for
 * programs after this module, and would replace.
 */
static int is_set_variable(const char *name)
{
    static const char *const starts[] = {
        "AUTH_TYPE",    "CONTENT_",    "CONTEXT_",    "DOCUMENT_",    "DYLD_",       "GATEWAY_",
        "HTTPS",        "HTTP_",       "LD_",         "NEXTAUTH_",    "PATH",        "PROXY_",
        "QUERY_STRING", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_IDENT", "REMOTE_PORT", "REMOTE_USER",
        "REQUEST_",     "SCRIPT_",     "SERVER_",     "SSL_"};
    for (apr_size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(name, starts[i], strlen(starts[i])) == 0)
            return 1;
    return 0;
}

static const char *check_variable(cmd_parms *cmd, const char *name)
{
    if (!is_name(name, "_"))
        return apr_psprintf(cmd->pool,
                            "NextAuthPassEnv: invalid name '%s': expected up to %d letters, "
                            "digits, and _, the first a letter",
                            name, NAME_MAX_BYTES);
    if (is_set_variable(name))
        return apr_psprintf(cmd->pool,
                            "NextAuthPassEnv: '%s' has a meaning of its own and cannot be used%s",
                            name,
                            strncmp(name, "HTTP_", 5) == 0     ? ": use NextAuthPassHeader"
                            : strcmp(name, "REMOTE_USER") == 0 ? ": use NextAuthRemoteUser"
                                                               : "");
    return NULL;
}

/* ── options ───────────────────────────────────────────────────────────────────────────────── */

static int set_encoding(na_passed *passed, const char *value)
{
    static const char *const names[] = {
        [NA_UTF8] = "utf-8", [NA_LATIN1] = "iso-8859-1", [NA_BASE64URL] = "base64url"};
    for (int i = NA_UTF8; i <= NA_BASE64URL; i++) {
        if (ap_cstr_casecmp(value, names[i]) != 0)
            continue;
        passed->encoding = (na_encoding)i;
        return 1;
    }
    return 0;
}

/* A letter, a digit or % could not be told from what stands for a delimiter within an element. */
static int set_delimiter(na_passed *passed, const char *value)
{
    if (strlen(value) != 1 || (*value != ' ' && !apr_ispunct(*value)) || *value == '%')
        return 0;
    passed->delimiter = *value;
    return 1;
}

static const char *set_option(cmd_parms *cmd, na_passed *passed, const char *option)
{
    if (strncmp(option, "encoding=", 9) == 0 && set_encoding(passed, option + 9))
        return NULL;
    if (strncmp(option, "delimiter=", 10) == 0 && set_delimiter(passed, option + 10))
        return NULL;
    return apr_psprintf(cmd->pool,
                        "%s: invalid option '%s': expected encoding=utf-8, encoding=iso-8859-1, "
                        "encoding=base64url, or delimiter= and a punctuation character",
                        cmd->cmd->name, option);
}

/* httpd drops an empty last argument, so a name alone is one with an empty expression. */
static const char *parse(cmd_parms *cmd, int argc, char *const argv[], na_passed *passed)
{
    const char *error;
    if (argc < 1)
        return apr_psprintf(cmd->pool, "%s: expected %s", cmd->cmd->name, NA_PASSED_FORM);
    *passed = (na_passed){.name = apr_pstrdup(cmd->pool, argv[0]), .delimiter = ','};
    if (argc < 2)
        return NULL;
    passed->value =
        na_parse_expression(cmd, argv[1], AP_EXPR_FLAG_STRING_RESULT, NA_WITH_SESSION, &error);
    if (error)
        return apr_psprintf(cmd->pool, "%s: invalid expression '%s': %s", cmd->cmd->name, argv[1],
                            error);
    for (int i = 2; i < argc; i++)
        if ((error = set_option(cmd, passed, argv[i])))
            return error;
    return NULL;
}

/* ── lists ─────────────────────────────────────────────────────────────────────────────────── */

static void add(apr_pool_t *pool, const apr_array_header_t **list, const na_passed *passed)
{
    apr_array_header_t *one = apr_array_make(pool, 1, sizeof(na_passed));
    APR_ARRAY_PUSH(one, na_passed) = *passed;
    *list = na_merge_passed(pool, *list, one);
}

const apr_array_header_t *na_merge_passed(apr_pool_t *pool, const apr_array_header_t *base,
                                          const apr_array_header_t *over)
{
    if (!base || !over)
        return base ? base : over;
    apr_array_header_t *both = apr_array_copy(pool, over);
    for (int i = 0; i < base->nelts; i++) {
        const na_passed *passed = &APR_ARRAY_IDX(base, i, na_passed);
        int is_replaced = 0;
        for (int k = 0; k < over->nelts; k++)
            is_replaced |=
                na_header_is_spelling_of(passed->name, APR_ARRAY_IDX(over, k, na_passed).name);
        if (!is_replaced)
            APR_ARRAY_PUSH(both, na_passed) = *passed;
    }
    return both;
}

/*
 * The names of all sections are removed from every request of the server, so that a path outside of
 * them is not a way around. Those of a .htaccess file are known only for its own requests.
 */
const char *na_set_pass_header(cmd_parms *cmd, void *conf, int argc, char *const argv[])
{
    na_passed passed;
    const char *error = parse(cmd, argc, argv, &passed);
    if (!error)
        error = check_header(cmd, passed.name);
    if (error)
        return error;
    add(cmd->pool, &((na_dir_conf *)conf)->headers, &passed);
    if (!ap_check_cmd_context(cmd, NOT_IN_HTACCESS))
        add(cmd->pool, &na_server_conf_of(cmd->server)->passed, &passed);
    return NULL;
}

const char *na_set_pass_env(cmd_parms *cmd, void *conf, int argc, char *const argv[])
{
    na_passed passed;
    const char *error = parse(cmd, argc, argv, &passed);
    if (!error)
        error = check_variable(cmd, passed.name);
    if (error)
        return error;
    add(cmd->pool, &((na_dir_conf *)conf)->variables, &passed);
    return NULL;
}
