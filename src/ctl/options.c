/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a command line. */
#include "ctl/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_getopt.h>

#define OPTIONS_MAX 15

static void take(const na_option *option, const char *value)
{
    if (option->text)
        *option->text = value;
    else if (option->list)
        APR_ARRAY_PUSH(option->list, const char *) = value;
    else
        *option->flag = 1;
}

int na_ctl_options(apr_pool_t *pool, int argc, char **argv, const na_option *options,
                   const char *const **operands)
{
    apr_getopt_option_t known[OPTIONS_MAX + 1] = {{0}};
    apr_getopt_t *parser;
    const char *value;
    int letter;
    apr_status_t status;
    for (int i = 0; options[i].name; i++)
        known[i] = (apr_getopt_option_t){options[i].name, options[i].letter, !options[i].flag, ""};
    apr_getopt_init(&parser, pool, argc, (const char *const *)argv);
    parser->interleave = 1;
    while ((status = apr_getopt_long(parser, known, &letter, &value)) == APR_SUCCESS)
        for (int i = 0; options[i].name; i++)
            if (options[i].letter == letter)
                take(&options[i], value);
    *operands = parser->argv + parser->ind;
    return status == APR_EOF ? argc - parser->ind : -1;
}

int na_ctl_number(const char *text, long min, long max, long *number)
{
    if (!*text || text[strspn(text, "0123456789")])
        return 0;
    errno = 0;
    *number = strtol(text, NULL, 10);
    return !errno && *number >= min && *number <= max;
}
