/* SPDX-License-Identifier: Apache-2.0 */
/* Names of browsers, from their User-Agent. */
#include "session/device.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

typedef struct sign {
    const char *word, *name;
} sign;

/* Browsers also name their predecessors, so the more specific word comes first. */
static const sign browsers[] = {
    {"Edg", "Edge"},         {"OPR/", "Opera"},     {"SamsungBrowser", "Samsung Internet"},
    {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"},
    {"Chrome/", "Chrome"},   {"Safari/", "Safari"}, {"curl/", "curl"},
    {"Wget/", "Wget"},       {NULL, NULL}};

static const sign systems[] = {{"iPhone", "iPhone"},   {"iPad", "iPad"},
                               {"Android", "Android"}, {"CrOS", "ChromeOS"},
                               {"Windows", "Windows"}, {"Mac OS X", "macOS"},
                               {"Linux", "Linux"},     {NULL, NULL}};

static const char *find_sign(const sign *signs, const char *user_agent)
{
    for (; signs->word; signs++)
        if (strstr(user_agent, signs->word))
            return signs->name;
    return NULL;
}

const char *na_device(apr_pool_t *pool, const char *user_agent)
{
    const char *browser = user_agent ? find_sign(browsers, user_agent) : NULL;
    const char *system = user_agent ? find_sign(systems, user_agent) : NULL;
    if (browser && system)
        return apr_pstrcat(pool, browser, " on ", system, NULL);
    return browser ? browser : system ? system : "";
}

const char *na_device_family(apr_pool_t *pool, const char *user_agent)
{
    char *family = apr_pstrdup(pool, user_agent ? user_agent : ""), *to = family;
    for (const char *from = family; *from; from++)
        if (!apr_isdigit(*from))
            *to++ = *from;
    *to = '\0';
    return family;
}
