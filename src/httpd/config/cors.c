/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthCORS: the other origins whose scripts may read responses. */
#include "httpd/config/cors.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/origin.h"

#define HEADERS "Authorization, Content-Type, X-Auth-Return-Redirect, X-Requested-With"
#define HEADERS_MAX 500
#define MAX_AGE "600"
#define MAX_AGE_MAX 86400

static const char *add_headers(cmd_parms *cmd, na_cors *cors, const char *names)
{
    size_t len = strlen(names);
    for (size_t i = 0; i < len; i++)
        if (!apr_isalnum(names[i]) && names[i] != '-' && names[i] != '_' &&
            (names[i] != ',' || i == 0 || names[i - 1] == ',' || i + 1 == len))
            len = 0;
    if (!len || len > HEADERS_MAX)
        return apr_psprintf(cmd->pool,
                            "NextAuthCORS: invalid headers=%s: expected names of headers with "
                            "commas between them",
                            names);
    cors->headers = apr_pstrcat(cmd->pool, cors->headers, ", ", names, NULL);
    return NULL;
}

static const char *set_max_age(cmd_parms *cmd, na_cors *cors, const char *value)
{
    char *end;
    long seconds = strtol(value, &end, 10);
    if (!apr_isdigit(*value) || *end || seconds > MAX_AGE_MAX)
        return apr_psprintf(cmd->pool, "NextAuthCORS: invalid maxAge=%s: expected 0 to %d", value,
                            MAX_AGE_MAX);
    cors->max_age = value;
    return NULL;
}

static const char *add_origin(cmd_parms *cmd, na_cors *cors, const char *text)
{
    na_origin *origin = apr_array_push(cors->origins);
    return na_origin_parse(cmd->pool, text, origin)
               ? NULL
               : apr_psprintf(cmd->pool,
                              "NextAuthCORS: invalid origin '%s': expected https://HOST[:PORT], or "
                              "https://*.DOMAIN for all hosts below a domain",
                              text);
}

static const char *set_argument(cmd_parms *cmd, na_cors *cors, const char *argument)
{
    if (strncmp(argument, "headers=", 8) == 0)
        return add_headers(cmd, cors, argument + 8);
    if (strncmp(argument, "maxAge=", 7) == 0)
        return set_max_age(cmd, cors, argument + 7);
    return add_origin(cmd, cors, argument);
}

const char *na_set_cors(cmd_parms *cmd, void *conf, int argc, char *const argv[])
{
    na_cors *cors = apr_palloc(cmd->pool, sizeof *cors);
    const char *wrong = NULL;
    *cors = (na_cors){apr_array_make(cmd->pool, 4, sizeof(na_origin)), HEADERS, MAX_AGE};
    ((na_dir_conf *)conf)->cors = cors;
    if (argc == 1 && ap_cstr_casecmp(argv[0], "Off") == 0)
        return NULL;
    for (int i = 0; i < argc && !wrong; i++)
        wrong = set_argument(cmd, cors, argv[i]);
    return wrong || cors->origins->nelts
               ? wrong
               : "NextAuthCORS: no origin: name at least one, or write Off";
}
