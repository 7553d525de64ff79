/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthRateLimit, and limits that are on by default. */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/settings.h"

#define FORM "[address=|account=|both=|site=]N/SECONDS"

static na_error *read_rate(na_builder *b, const char *text, na_rate *rate)
{
    char *slash, *end;
    long most = strtol(text, &slash, 10);
    long seconds = *slash == '/' ? strtol(slash + 1, &end, 10) : 0;
    if (*slash != '/' || *end || most < 1 || most > NA_RATE_MAX || seconds < 1 ||
        seconds > NA_RATE_SECONDS_MAX)
        return na_error_with_hint(
            na_wrong(b, "invalid limit '%s': expected " FORM, text),
            "set N from 1 to 10000 and SECONDS from 1 to 604800, such as account=10/900");
    *rate = (na_rate){.most = (int)most, .seconds = seconds};
    return NULL;
}

/* An argument is a limit, or the longest pause between attempts. */
static na_error *add_limit(na_builder *b, const char *argument, na_limit_list *limits, long *delay)
{
    const char *equals = strchr(argument, '=');
    apr_size_t len = equals ? (apr_size_t)(equals - argument) : 0;
    na_limit limit = {.by = NA_BY_ADDRESS};
    if (len == 5 && strncmp(argument, "delay", len) == 0)
        return na_build_number(b, equals + 1, 1, 3600, delay);
    if (equals && !na_limit_by_find(argument, len, &limit.by))
        return na_wrong(b, "unknown '%s': expected " FORM " or delay=SECONDS", argument);
    if (limits->count == NA_LIMITS_MAX)
        return na_wrong(b, "more than %d limits", NA_LIMITS_MAX);
    NA_TRY(read_rate(b, equals ? equals + 1 : argument, &limit.rate));
    limits->list[limits->count++] = limit;
    return NULL;
}

static na_error *set_delay(na_builder *b, na_limited what, na_limit_list *limits, long delay)
{
    int set = 0;
    for (int i = 0; i < limits->count; i++) {
        int by_account = limits->list[i].by == NA_BY_ACCOUNT;
        limits->list[i].rate.delay = by_account ? delay : 0;
        set |= by_account;
    }
    return !delay || (set && what == NA_LIMIT_SIGN_IN)
               ? NULL
               : na_error_with_hint(na_wrong(b, "delay= requires signIn and account=N/SECONDS"),
                                    "remove delay= or add account=N/SECONDS");
}

/*
 * Neither a callback nor a wrong token identifies an account. A limit of the whole site would let
 * one client lock out all others, except from what users do not depend on.
 */
static int is_limited_by(na_limited what, na_limit_by by)
{
    if (by == NA_BY_SITE)
        return what == NA_LIMIT_LONG_URL;
    return by == NA_BY_ADDRESS ||
           (what != NA_LIMIT_CALLBACK && what != NA_LIMIT_TOKEN && what != NA_LIMIT_LONG_URL);
}

static na_error *check_by(na_builder *b, na_limited what, const na_limit_list *limits)
{
    for (int i = 0; i < limits->count; i++)
        if (!is_limited_by(what, limits->list[i].by))
            return na_error_with_hint(na_wrong(b, "%s has no limit by %s", na_limited_name(what),
                                               na_limit_by_name(limits->list[i].by)),
                                      apr_psprintf(b->pool, "set NextAuthRateLimit %s N/SECONDS",
                                                   na_limited_name(what)));
    return NULL;
}

na_error *na_build_rate_limit(na_builder *b, const na_directive *w)
{
    na_limited what;
    na_limit_list limits = {.count = 0};
    long delay = 0;
    if (!na_limited_find(w->argv[0], &what))
        return na_wrong(
            b,
            "unknown '%s': expected signIn, callback, magicLink, signUp, passwordReset, "
            "secondFactor, mail, deviceLogin, token, longUrl, or preservedPost",
            w->argv[0]);
    int is_off = w->argc == 2 && ap_cstr_casecmp(w->argv[1], "off") == 0;
    for (int i = 1; i < w->argc && !is_off; i++)
        NA_TRY(add_limit(b, w->argv[i], &limits, &delay));
    NA_TRY(set_delay(b, what, &limits, delay));
    NA_TRY(check_by(b, what, &limits));
    b->config->limits.of[what] = limits;
    b->limited |= 1u << what;
    return NULL;
}

void na_build_finish_limits(na_builder *b)
{
    na_limits *limits = &b->config->limits;
    int is_off = na_build_feature_is_off(b, NA_FEATURE_RATE_LIMITING);
    int has_defaults =
        b->config->features & NA_FEATURE_RATE_LIMITING || b->config->mode == NA_PRODUCTION;
    for (int i = 0; i < NA_LIMITED; i++) {
        if (is_off)
            limits->of[i].count = 0;
        else if (has_defaults && !(b->limited & (1u << i)))
            limits->of[i] = *na_limits_default((na_limited)i);
        if (limits->of[i].count)
            b->config->features |= NA_FEATURE_RATE_LIMITING;
    }
}
