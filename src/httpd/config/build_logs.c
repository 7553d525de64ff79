/* SPDX-License-Identifier: Apache-2.0 */
/* The log and the audit log. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/pipe.h"
#include "httpd/resource/resource.h"
#include "audit/chain.h"

na_error *na_build_log(na_builder *b, const na_directive *w)
{
    const char *target = w->argv[1];
    int json = strcmp(w->argv[0], "json") == 0;
    if (!json && strcmp(w->argv[0], "plain") != 0)
        return na_wrong(b, "'%s': json or plain is wanted", w->argv[0]);
    b->plan->log =
        (na_log_plan){.json = json, .target = strcmp(target, "errorlog") == 0 ? NULL : target};
    return b->plan->log.target ? na_build_check_target(b, b->plan->log.target) : NULL;
}

/* ── the audit log ─────────────────────────────────────────────────────────────────────────── */

/* Bytes of a key: as many as SHA-256 has. */
#define KEY_MIN 32

static na_error *as_policy(na_builder *b, const char *value, void *member)
{
    *(int *)member = strcmp(value, "continue") == 0;
    return *(int *)member || strcmp(value, "refuse") == 0
               ? NULL
               : na_wrong(b, "onFailure=%s: refuse or continue is wanted", value);
}

static na_error *as_key(na_builder *b, const char *value, void *member)
{
    const char *key;
    NA_TRY(na_as_secret(b, value, &key));
    *(const char **)member = key;
    return strlen(key) >= KEY_MIN
               ? NULL
               : na_wrong(b,
                          "the key has %d bytes, at least %d are wanted: make one with "
                          "'nextauthctl secret'",
                          (int)strlen(key), KEY_MIN);
}

static int is_option(const char *argument)
{
    return *argument != '|' && *argument != '/' && strchr(argument, '=');
}

static na_error *take_sink(na_builder *b, const char *argument, apr_array_header_t *sinks)
{
    const char *sink = argument;
    if (*argument != '|' && strcmp(argument, NA_AUDIT_DATABASE) != 0)
        sink = ap_server_root_relative(b->pool, argument);
    if (!sink)
        return na_wrong(b, "'%s' is no path", argument);
    for (int i = 0; i < sinks->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(sinks, i, const char *), sink) == 0)
            return na_error_with_hint(na_wrong(b, "'%s' is named twice", argument),
                                      "leave one out");
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
        NA_TRY(take_sink(b, w->argv[i], sinks));
    if (!sinks->nelts)
        return na_wrong(b, "a file, \"|program\" or database is wanted before '%s'",
                        na_build_setting_of(b, w->argv[0]));
    b->plan->audit = (na_audit_plan){.sinks = sinks};
    return na_build_settings(b, w, i, settings, &b->plan->audit);
}

static na_error *check_sink(na_builder *b, const char *sink)
{
    if (strcmp(sink, NA_AUDIT_DATABASE) == 0)
        return b->config->database
                   ? NULL
                   : na_error_with_hint(na_wrong(b, "sink database needs NextAuthDatabase"),
                                        "name the database, then run nextauthctl migrate");
    if (*sink != '|')
        return na_audit_chain_check(b->pool, sink, b->plan->audit.key);
    NA_TRY(na_build_check_target(b, sink));
    return na_audit_chain_check_pipe(b->pool, na_pipe_name(b->pool, sink),
                                     na_audit_head_of_program(b->pool, sink));
}

na_error *na_build_finish_audit(na_builder *b)
{
    for (int i = 0; b->plan->audit.sinks && i < b->plan->audit.sinks->nelts; i++)
        NA_TRY(check_sink(b, APR_ARRAY_IDX(b->plan->audit.sinks, i, const char *)));
    return NULL;
}
