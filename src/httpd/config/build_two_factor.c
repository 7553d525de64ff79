/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthTwoFactor: whether users give a second factor, and what that requires. */
#include <string.h>

#include "httpd/config/build.h"
#include "httpd/config/settings.h"

#define REMEMBER_DAYS_MAX 365

static na_error *parse_mode(na_builder *b, const char *name)
{
    static const char *const names[] = {[NA_TWO_FACTOR_OFF] = "off",
                                        [NA_TWO_FACTOR_OPTIONAL] = "optional",
                                        [NA_TWO_FACTOR_REQUIRED] = "required"};
    for (int i = NA_TWO_FACTOR_OFF; i <= NA_TWO_FACTOR_REQUIRED; i++)
        if (ap_cstr_casecmp(name, names[i]) == 0) {
            b->config->session.two_factor = (na_two_factor)i;
            return NULL;
        }
    return na_wrong(b, "invalid value '%s': expected Off, Optional, or Required", name);
}

static na_error *as_days(na_builder *b, const char *value, void *member)
{
    long days;
    NA_TRY(na_build_number(b, value, 0, REMEMBER_DAYS_MAX, &days));
    *(int *)member = (int)days;
    return NULL;
}

na_error *na_build_two_factor(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"rememberDays", offsetof(na_config, remember_days),
                                           as_days},
                                          {NULL, 0, NULL}};
    NA_TRY(parse_mode(b, w->argv[0]));
    return na_build_settings(b, w, 1, settings, b->config);
}

/*
 * The feature is the name that NextAuth's guides have for it. A project's variable is about its
 * application, too, so that it alone does not stop a server without a database.
 */
na_error *na_build_finish_two_factor(na_builder *b, const apr_array_header_t *written)
{
    const na_directive *directive = na_last_of(written, NextAuthTwoFactor);
    const na_directive *feature = na_build_feature_at(b, "2fa");
    na_config *config = b->config;
    if (directive)
        config->features &= ~NA_FEATURE_2FA;
    if (config->session.two_factor != NA_TWO_FACTOR_OFF)
        config->features |= NA_FEATURE_2FA;
    if (!directive && config->features & NA_FEATURE_2FA)
        config->session.two_factor = NA_TWO_FACTOR_OPTIONAL;
    if (config->session.two_factor == NA_TWO_FACTOR_OFF || config->database ||
        na_build_is_wrong(b, NextAuthDatabase))
        return NULL;
    na_build_look_at(b, directive ? directive : feature, NULL);
    na_error *error = na_error_with_hint(
        na_wrong(b, "a second factor requires NextAuthDatabase, which keeps its key"),
        "set NextAuthDatabase, then run nextauthctl migrate");
    if (directive || !feature || !feature->is_variable)
        return error;
    config->session.two_factor = NA_TWO_FACTOR_OFF;
    config->features &= ~NA_FEATURE_2FA;
    na_build_warn_aloud(b, error);
    return NULL;
}
