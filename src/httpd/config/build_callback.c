/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthCallback: services and programs that answer NextAuth's callbacks. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "event/webhook.h"
#include "httpd/config/build.h"
#include "httpd/config/settings.h"
#include "httpd/config/targets.h"

#define TIMEOUT_MS 5000

static na_error *as_seconds(na_builder *b, const char *value, void *member)
{
    long seconds;
    NA_TRY(na_build_number(b, value, 1, 60, &seconds));
    *(long *)member = seconds * 1000;
    return NULL;
}

static na_error *check_service(na_builder *b, const na_adviser *adviser)
{
    na_url url;
    if (!na_url_parse(b->pool, adviser->url, &url))
        return na_wrong(b, "invalid service: expected an HTTPS URL or \"|program arguments\"");
    if (strcmp(url.scheme, "https") != 0 && b->config->mode == NA_PRODUCTION)
        return na_wrong(b, "'%s' is not an HTTPS URL: callbacks contain personal data", url.origin);
    return adviser->keys->nelts
               ? NULL
               : na_error_with_hint(na_wrong(b,
                                             "a service requires secret=, at least %d bytes that "
                                             "it has, too",
                                             NA_WEBHOOK_KEY_MIN),
                                    "generate one with 'nextauthctl secret'");
}

static na_error *set_program(na_builder *b, const char *command, na_adviser *adviser)
{
    char **argv;
    NA_TRY(na_build_check_target(b, command));
    if (apr_tokenize_to_argv(command + strspn(command, "| "), &argv, b->pool) != APR_SUCCESS ||
        !argv[0])
        return na_wrong(b, "invalid program: expected \"|program arguments\"");
    adviser->argv = (const char *const *)argv;
    return *argv[0] == '/'
               ? NULL
               : na_wrong(b, "invalid program '%s': expected an absolute path", argv[0]);
}

na_error *na_build_callback(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"secret", offsetof(na_adviser, keys), na_as_keys},
                                          {"timeout", offsetof(na_adviser, timeout_ms), as_seconds},
                                          {NULL, 0, NULL}};
    na_adviser *adviser = apr_pcalloc(b->pool, sizeof *adviser);
    na_callback_kind callback;
    const char *target;
    if (!na_callback_find(w->argv[0], &callback))
        return na_wrong(b, "unknown callback '%s': expected signIn, redirect, jwt, or session",
                        w->argv[0]);
    NA_TRY(na_value_resolve(&b->environment, w->argv[1], &target));
    adviser->keys = apr_array_make(b->pool, 1, sizeof(na_bytes));
    adviser->timeout_ms = TIMEOUT_MS;
    NA_TRY(na_build_settings(b, w, 2, settings, adviser));
    adviser->url = *target == '|' ? NULL : target;
    NA_TRY(adviser->url ? check_service(b, adviser) : set_program(b, target, adviser));
    b->config->callbacks[callback] = adviser;
    return NULL;
}
