/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthEvent, NextAuthEventQueue and NextAuthSentry. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "httpd/config/build.h"
#include "httpd/config/targets.h"
#include "httpd/config/settings.h"
#include "httpd/resource/sinks.h"
#include "httpd/watchdog.h"
#include "event/webhook.h"

#define QUEUE_MAX 10000

/* ── NextAuthEvent ─────────────────────────────────────────────────────────────────────────── */

na_error *na_as_keys(na_builder *b, const char *value, void *member)
{
    const char *text;
    NA_TRY(na_as_secret(b, value, &text));
    return na_webhook_add_keys(b->pool, text, *(apr_array_header_t **)member);
}

static na_error *kinds_of(na_builder *b, const char *name, unsigned *kinds)
{
    na_event_kind kind;
    *kinds = na_event_routes_all();
    if (strcmp(name, "all") == 0)
        return NULL;
    if (!na_event_find(name, &kind))
        return na_wrong(b,
                        "unknown event '%s': expected signIn, signOut, createUser, updateUser, "
                        "linkAccount, session, or all (all but session)",
                        name);
    *kinds = 1u << kind;
    return NULL;
}

/* Returns the previous rule with this destination, whose secret need not be repeated; NULL if none.
 */
static const na_event_rule *find_rule(const na_builder *b, const char *target)
{
    for (int i = 0; i < b->plan->delivery.rules->nelts; i++) {
        const na_event_rule *rule = &APR_ARRAY_IDX(b->plan->delivery.rules, i, na_event_rule);
        if (strcmp(rule->target, target) == 0)
            return rule;
    }
    return NULL;
}

static na_error *check_webhook_url(na_builder *b, const char *target)
{
    na_url url;
    if (!na_url_parse(b->pool, target, &url))
        return na_wrong(b, "invalid destination: expected an HTTPS URL or \"|program arguments\"");
    return strcmp(url.scheme, "https") == 0 || b->config->mode != NA_PRODUCTION
               ? NULL
               : na_wrong(b, "'%s' is not an HTTPS URL: events contain personal data", url.origin);
}

static na_error *read_webhook(na_builder *b, const na_directive *w, na_event_rule *rule)
{
    static const na_setting settings[] = {{"secret", offsetof(na_event_rule, keys), na_as_keys},
                                          {NULL, 0, NULL}};
    const na_event_rule *before = find_rule(b, rule->target);
    NA_TRY(check_webhook_url(b, rule->target));
    rule->keys = apr_array_make(b->pool, 2, sizeof(na_bytes));
    NA_TRY(na_build_settings(b, w, 2, settings, rule));
    if (!rule->keys->nelts && before)
        rule->keys = before->keys;
    if (before && !na_webhook_same_keys(before->keys, rule->keys))
        return na_error_with_hint(na_wrong(b, "a previous NextAuthEvent has the same URL but "
                                              "another secret"),
                                  "use one secret=; to rotate, set both in it, separated by a "
                                  "space");
    return rule->keys->nelts
               ? NULL
               : na_error_with_hint(na_wrong(b,
                                             "a webhook requires secret=, at least %d bytes that "
                                             "its receiver has, too",
                                             NA_WEBHOOK_KEY_MIN),
                                    "generate one with 'nextauthctl secret'");
}

na_error *na_build_event(na_builder *b, const na_directive *w)
{
    na_event_rule rule = {.at = w};
    if (!b->plan->delivery.rules)
        b->plan->delivery.rules = apr_array_make(b->pool, 4, sizeof(na_event_rule));
    NA_TRY(kinds_of(b, w->argv[0], &rule.kinds));
    NA_TRY(na_value_resolve(&b->environment, w->argv[1], &rule.target));
    if (*rule.target != '|')
        NA_TRY(read_webhook(b, w, &rule));
    else if (w->argc > 2)
        return na_error_with_hint(na_wrong(b, "unexpected argument '%s' after a program",
                                           na_build_setting_of(b, w->argv[2])),
                                  "put quotation marks around the program and its arguments");
    else
        NA_TRY(na_build_check_target(b, rule.target));
    APR_ARRAY_PUSH(b->plan->delivery.rules, na_event_rule) = rule;
    return NULL;
}

static na_error *as_items(na_builder *b, const char *value, void *member)
{
    return na_build_number(b, value, 1, 1000000, member);
}

na_error *na_build_event_queue(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"max", offsetof(na_delivery_plan, max_items), as_items},
                                          {NULL, 0, NULL}};
    b->plan->delivery.directory = ap_server_root_relative(b->pool, w->argv[0]);
    if (!b->plan->delivery.directory)
        return na_wrong(b, "invalid path '%s'", w->argv[0]);
    return na_build_settings(b, w, 1, settings, &b->plan->delivery);
}

/* ── NextAuthSentry ────────────────────────────────────────────────────────────────────────── */

static na_error *as_rate(na_builder *b, const char *value, void *member)
{
    char *end;
    double rate = strtod(value, &end);
    if (!*value || *end || !(rate >= 0 && rate <= 1))
        return na_wrong(b, "invalid sampleRate='%s': expected a number from 0 to 1", value);
    *(double *)member = rate;
    return NULL;
}

static na_error *as_tag(na_builder *b, const char *value, void *member)
{
    NA_TRY(na_value_resolve(&b->environment, value, member));
    const char *text = *(const char **)member;
    return *text && strlen(text) <= 200 && !na_has_control(text) && na_is_utf8(text)
               ? NULL
               : na_wrong(b, "invalid %s=: expected 1 to 200 characters", b->key);
}

static na_error *start_sentry(na_builder *b, const char *dsn, na_sentry_options **options)
{
    const char *environment = na_environment_get(&b->environment, "SENTRY_ENVIRONMENT");
    *options = apr_pcalloc(b->pool, sizeof **options);
    NA_TRY(na_sentry_dsn_parse(b->pool, dsn, &(*options)->dsn));
    if (b->config->mode == NA_PRODUCTION && strncmp((*options)->dsn.origin, "https:", 6) != 0)
        return na_wrong(b, "'%s' is not an HTTPS URL", (*options)->dsn.origin);
    (*options)->environment = environment ? environment : na_mode_name(b->config->mode);
    (*options)->release = na_environment_get(&b->environment, "SENTRY_RELEASE");
    (*options)->sample_rate = 1;
    b->plan->delivery.sentry = *options;
    return NULL;
}

na_error *na_build_sentry(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {
        {"environment", offsetof(na_sentry_options, environment), as_tag},
        {"release", offsetof(na_sentry_options, release), as_tag},
        {"sampleRate", offsetof(na_sentry_options, sample_rate), as_rate},
        {"sendDefaultPii", offsetof(na_sentry_options, send_default_pii), na_as_switch},
        {NULL, 0, NULL}};
    const char *dsn;
    na_sentry_options *options;
    b->plan->delivery.sentry = NULL; /* forgets the main server's */
    if (ap_cstr_casecmp(w->argv[0], "off") == 0)
        return w->argc == 1 ? NULL : na_wrong(b, "Off cannot have options");
    NA_TRY(na_value_resolve(&b->environment, w->argv[0], &dsn));
    NA_TRY(start_sentry(b, dsn, &options));
    return na_build_settings(b, w, 1, settings, options);
}

static na_error *check_queue(const na_builder *b, const char *target)
{
    return na_sink_directory_check(b->pool,
                                   na_sink_directory_of(b->pool, &b->plan->delivery, target));
}

static na_error *check_delivery(na_builder *b)
{
    const na_delivery_plan *plan = &b->plan->delivery;
    const na_directive *queue =
        na_last_of(na_server_conf_of(b->server)->written, NextAuthEventQueue);
    if (!plan->rules && !plan->sentry)
        return NULL;
    NA_TRY(na_watchdog_check(b->pool, "NextAuthEvent and NextAuthSentry require mod_watchdog"));
    if (queue)
        na_build_look_at(b, queue, NULL);
    for (int i = 0; plan->rules && i < plan->rules->nelts; i++)
        NA_TRY(check_queue(b, APR_ARRAY_IDX(plan->rules, i, na_event_rule).target));
    return plan->sentry ? check_queue(b, plan->sentry->dsn.text) : NULL;
}

na_error *na_build_finish_delivery(na_builder *b)
{
    if (!b->plan->delivery.max_items)
        b->plan->delivery.max_items = QUEUE_MAX;
    return check_delivery(b);
}
