/* SPDX-License-Identifier: Apache-2.0 */
/* Output of nextauthctl. */
#include "ctl/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/json.h"

/* Most bytes of an error with all its causes. */
#define ERROR_MAX 1000

int na_ctl_failed(apr_pool_t *pool, const na_error *error)
{
    fprintf(stderr, "nextauthctl: %s\n", na_one_line(pool, na_error_text(pool, error), ERROR_MAX));
    return 1;
}

int na_ctl_wrong_call(const char *command, const char *why)
{
    fprintf(stderr, "nextauthctl %s: %s\n", command, why ? why : "see nextauthctl --help");
    return 2;
}

const char *na_ctl_paint(const char *code)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(1) && (!no_color || !*no_color) ? code : "";
}

const char *na_ctl_field(apr_pool_t *pool, const json_t *object, const char *name, apr_size_t max)
{
    const char *text = na_json_string(object, name);
    return text && *text ? na_one_line(pool, text, max) : "-";
}

static const char *cut_time(apr_pool_t *pool, const char *time, apr_size_t len)
{
    char *text = apr_pstrndup(pool, time, len);
    char *t = strchr(text, 'T');
    if (t)
        *t = ' ';
    return text;
}

const char *na_ctl_minute(apr_pool_t *pool, const char *time)
{
    return cut_time(pool, time, 16);
}

const char *na_ctl_second(apr_pool_t *pool, const char *time)
{
    return cut_time(pool, time, 19);
}
