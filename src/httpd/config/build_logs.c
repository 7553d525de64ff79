/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthLog and NextAuthAuditLog. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/targets.h"
#include "httpd/config/settings.h"
#include "httpd/pipe.h"
#include "httpd/resource/resource.h"
#include "audit/chain.h"

na_error *na_build_log(na_builder *b, const na_directive *w)
{
    const char *target = w->argv[1];
    int json = strcmp(w->argv[0], "json") == 0;
    if (!json && strcmp(w->argv[0], "plain") != 0)
        return na_wrong(b, "invalid format '%s': expected json or plain", w->argv[0]);
    b->plan->log =
        (na_log_plan){.json = json, .target = strcmp(target, "errorlog") == 0 ? NULL : target};
    return b->plan->log.target ? na_build_check_target(b, b->plan->log.target) : NULL;
}

/* Returns httpd's level for a word of pino, winston, or httpd; -1 for any other. */
static int find_level(const char *name)
{
    static const struct {
        const char *name;
        int level;
    } levels[] = {{"fatal", APLOG_CRIT},      {"error", APLOG_ERR},     {"warn", APLOG_WARNING},
                  {"warning", APLOG_WARNING}, {"notice", APLOG_NOTICE}, {"info", APLOG_INFO},
                  {"http", APLOG_INFO},       {"verbose", APLOG_DEBUG}, {"debug", APLOG_DEBUG},
                  {"trace", APLOG_TRACE1},    {"silly", APLOG_TRACE1}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (ap_cstr_casecmp(name, levels[i].name) == 0)
            return levels[i].level;
    return -1;
}

static int has_own_level(const server_rec *s)
{
    return s->log.module_levels && s->log.module_levels[APLOG_MODULE_INDEX] >= 0;
}

/* The levels are copied first, because virtual hosts share them with the main server. */
na_error *na_build_finish_log(na_builder *b)
{
    const char *name = b->from_env && !has_own_level(b->server)
                           ? na_environment_get(&b->environment, NA_VARIABLE_LOG_LEVEL)
                           : NULL;
    int level = name ? find_level(name) : -1;
    if (!name)
        return NULL;
    na_build_look_at_variable(b, NA_VARIABLE_LOG_LEVEL, "LogLevel");
    if (level < 0)
        return na_error_with_hint(
            na_wrong(b, "invalid level '%s': expected fatal, error, warn, info, debug, or trace",
                     name),
            "set one of these, or LogLevel nextauth:LEVEL, which takes precedence");
    b->server->log = *ap_new_log_config(b->pool, &b->server->log);
    ap_set_module_loglevel(b->pool, &b->server->log, APLOG_MODULE_INDEX, level);
    return NULL;
}

/* ── the audit log ─────────────────────────────────────────────────────────────────────────── */

/* bytes of a key: the size of a SHA-256 hash */
#define KEY_MIN 32

static na_error *as_policy(na_builder *b, const char *value, void *member)
{
    *(int *)member = strcmp(value, "continue") == 0;
    return *(int *)member || strcmp(value, "refuse") == 0
               ? NULL
               : na_wrong(b, "invalid onFailure='%s': expected refuse or continue", value);
}

static na_error *as_key(na_builder *b, const char *value, void *member)
{
    const char *key;
    NA_TRY(na_as_secret(b, value, &key));
    *(const char **)member = key;
    return strlen(key) >= KEY_MIN
               ? NULL
               : na_error_with_hint(na_wrong(b, "the key is %d bytes; at least %d are required",
                                             (int)strlen(key), KEY_MIN),
                                    "generate one with 'nextauthctl secret'");
}

static int is_option(const char *argument)
{
    return *argument != '|' && *argument != '/' && strchr(argument, '=');
}

static na_error *add_sink(na_builder *b, const char *argument, apr_array_header_t *sinks)
{
    const char *sink = argument;
    if (*argument != '|' && strcmp(argument, NA_AUDIT_DATABASE) != 0)
        sink = ap_server_root_relative(b->pool, argument);
    if (!sink)
        return na_wrong(b, "invalid path '%s'", argument);
    for (int i = 0; i < sinks->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(sinks, i, const char *), sink) == 0)
            return na_error_with_hint(na_wrong(b, "duplicate destination '%s'", argument),
                                      "remove one of them");
    APR_ARRAY_PUSH(sinks, const char *) = sink;
    return NULL;
}

na_error *na_build_audit_log(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"onFailure", offsetof(na_audit_plan, goes_on),
                                           as_policy},
                                          {"key", offsetof(na_audit_plan, key), as_key},
                                          {NULL, 0, NULL}};
    apr_array_header_t *sinks = apr_array_make(b->pool, 2, sizeof(const char *));
    int i = 0;
    for (; i < w->argc && !is_option(w->argv[i]); i++)
        NA_TRY(add_sink(b, w->argv[i], sinks));
    if (!sinks->nelts)
        return na_wrong(
            b, "missing destination before '%s': expected a file, \"|program\", or database",
            na_build_setting_of(b, w->argv[0]));
    b->plan->audit = (na_audit_plan){.sinks = sinks};
    return na_build_settings(b, w, i, settings, &b->plan->audit);
}

static na_error *check_sink(na_builder *b, const char *sink)
{
    if (strcmp(sink, NA_AUDIT_DATABASE) == 0)
        return b->config->database
                   ? NULL
                   : na_error_with_hint(na_wrong(b,
                                                 "destination database requires NextAuthDatabase"),
                                        "set NextAuthDatabase, then run nextauthctl migrate");
    if (*sink != '|')
        return na_audit_chain_check(b->pool, sink, b->plan->audit.key);
    NA_TRY(na_build_check_target(b, sink));
    return na_audit_chain_check_pipe(b->pool, na_pipe_name(b->pool, sink),
                                     na_audit_head_of_program(b->pool, sink));
}

/* A directive takes precedence over a variable: what is written must not end unnoticed. */
static int is_overruled(na_builder *b, const na_directive *feature)
{
    if (!feature->is_variable || !b->plan->audit.sinks)
        return 0;
    na_build_look_at(b, feature, NULL);
    na_build_warn_aloud(
        b, na_error_with_hint(na_wrong(b, "not used: NextAuthAuditLog takes precedence"),
                              "set NextAuthFeature auditLogging Off to record nothing"));
    return 1;
}

static void record_in_database(na_builder *b)
{
    apr_array_header_t *sinks = apr_array_make(b->pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(sinks, const char *) = NA_AUDIT_DATABASE;
    b->plan->audit.sinks = sinks;
}

/*
 * Without NextAuthAuditLog, the feature keeps records in the database. In production it is on if
 * there is one; what was not asked for must not prevent a sign-in, whatever becomes of the table.
 */
static void apply_feature(na_builder *b)
{
    const na_directive *feature = na_build_feature_at(b, "auditLogging");
    int is_off = na_build_feature_is_off(b, NA_FEATURE_AUDIT) && !is_overruled(b, feature);
    int is_on = feature && b->config->features & NA_FEATURE_AUDIT;
    if (is_off)
        b->plan->audit.sinks = NULL;
    else if (!b->plan->audit.sinks && is_on) {
        record_in_database(b);
        na_build_look_at(b, feature, NULL);
    } else if (!b->plan->audit.sinks && b->config->mode == NA_PRODUCTION && b->config->database) {
        record_in_database(b);
        b->plan->audit.goes_on = 1;
    }
    if (b->plan->audit.sinks)
        b->config->features |= NA_FEATURE_AUDIT;
}

na_error *na_build_finish_audit(na_builder *b)
{
    apply_feature(b);
    for (int i = 0; b->plan->audit.sinks && i < b->plan->audit.sinks->nelts; i++)
        NA_TRY(check_sink(b, APR_ARRAY_IDX(b->plan->audit.sinks, i, const char *)));
    return NULL;
}
