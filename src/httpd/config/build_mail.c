/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthMail and NextAuthMailTemplate. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/settings.h"

static na_error *sender_from_environment(na_builder *b, na_mail_options *options)
{
    options->from = na_environment_get(&b->environment, "EMAIL_FROM");
    na_error *error = options->from ? na_mail_sender_check(b->pool, options->from) : NULL;
    if (error)
        na_build_look_at_variable(b, "EMAIL_FROM", na_directive_name(NextAuthMail));
    return error;
}

static na_error *finish_mail(na_builder *b, na_mail_options *options)
{
    if (!options->from)
        NA_TRY(sender_from_environment(b, options));
    return na_mail_options_check(b->pool, options);
}

na_error *na_build_mail(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {
        {"from", offsetof(na_mail_options, from), na_as_resolved},
        {"username", offsetof(na_mail_options, user), na_as_resolved},
        {"password", offsetof(na_mail_options, password), na_as_secret},
        {"caFile", offsetof(na_mail_options, ca_file), na_as_file},
        {"apiKey", offsetof(na_mail_options, api_key), na_as_secret},
        {"baseUrl", offsetof(na_mail_options, base_url), na_as_text},
        {"accessKeyId", offsetof(na_mail_options, access_key_id), na_as_resolved},
        {"secretAccessKey", offsetof(na_mail_options, secret_access_key), na_as_secret},
        {"sessionToken", offsetof(na_mail_options, session_token), na_as_secret},
        {"region", offsetof(na_mail_options, region), na_as_resolved},
        {"domain", offsetof(na_mail_options, domain), na_as_resolved},
        {"transactionalId", offsetof(na_mail_options, transactional_id), na_as_resolved},
        {NULL, 0, NULL}};
    const char *text;
    na_mail_options *options = apr_pcalloc(b->pool, sizeof *options);
    NA_TRY(na_as_url(b, w->argv[0], &text));
    NA_TRY(na_mail_options_start(b->pool, text, options));
    b->config->mail = options;
    NA_TRY(na_build_settings(b, w, 1, settings, options));
    return finish_mail(b, options);
}

static na_error *as_body(na_builder *b, const char *value, void *member)
{
    return na_mail_template_file(b->pool, ap_server_root_relative(b->pool, value), member);
}

static na_error *as_subject(na_builder *b, const char *value, void *member)
{
    return na_mail_template_subject(b->pool, value, member);
}

na_error *na_build_mail_template(na_builder *b, const na_directive *w)
{
    static const na_setting settings[] = {{"text", offsetof(na_mail_template, text), as_body},
                                          {"html", offsetof(na_mail_template, html), as_body},
                                          {"subject", offsetof(na_mail_template, subject),
                                           as_subject},
                                          {NULL, 0, NULL}};
    na_mail_kind kind;
    na_mail_template *template = apr_palloc(b->pool, sizeof *template);
    if (!na_mail_kind_find(w->argv[0], &kind))
        return na_wrong(b,
                        "unknown email '%s': expected signIn, signUp, passwordReset, emailChange, "
                        "accountLocked, passwordChanged, emailChanged, or accountChanged",
                        w->argv[0]);
    *template = *b->config->mail_templates[kind];
    b->config->mail_templates[kind] = template;
    return na_build_settings(b, w, 1, settings, template);
}
