/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "httpd/build.h"

static na_error *start(na_building *b, const char *text, na_mail_options **options)
{
    *options = apr_pcalloc(b->pool, sizeof **options);
    NA_TRY(na_mail_options_start(b->pool, text, *options));
    b->config->mail = *options;
    return NULL;
}

static na_error *sender_from_environment(na_building *b, na_mail_options *options)
{
    options->from = na_environment_get(&b->environment, "EMAIL_FROM");
    na_error *error = options->from ? na_mail_sender_check(b->pool, options->from) : NULL;
    if (error)
        na_build_look_at_variable(b, "EMAIL_FROM", "NextAuthMail");
    return error;
}

static na_error *finish(na_building *b, na_mail_options *options)
{
    if (!options->from)
        NA_TRY(sender_from_environment(b, options));
    return na_mail_options_check(b->pool, options);
}

na_error *na_build_mail(na_building *b, const na_written *w)
{
    static const na_key keys[] = {
        {"from", offsetof(na_mail_options, from), na_as_resolved},
        {"username", offsetof(na_mail_options, user), na_as_resolved},
        {"password", offsetof(na_mail_options, password), na_as_secret},
        {"caFile", offsetof(na_mail_options, ca_file), na_as_file},
        {"apiKey", offsetof(na_mail_options, api_key), na_as_secret},
        {"baseUrl", offsetof(na_mail_options, base_url), na_as_text},
        {"accessKeyId", offsetof(na_mail_options, access_key_id), na_as_resolved},
        {"secretAccessKey", offsetof(na_mail_options, secret_access_key), na_as_secret},
        {"sessionToken", offsetof(na_mail_options, session_token), na_as_secret},
        {"region", offsetof(na_mail_options, region), na_as_text},
        {"domain", offsetof(na_mail_options, domain), na_as_text},
        {NULL, 0, NULL}};
    const char *text;
    na_mail_options *options;
    NA_TRY(na_as_address(b, w->argv[0], &text));
    NA_TRY(start(b, text, &options));
    NA_TRY(na_build_keys(b, w, 1, keys, options));
    return finish(b, options);
}

static na_error *as_body(na_building *b, const char *value, void *member)
{
    return na_mail_template_file(b->pool, ap_server_root_relative(b->pool, value), member);
}

static na_error *as_subject(na_building *b, const char *value, void *member)
{
    return na_mail_template_subject(b->pool, value, member);
}

na_error *na_build_mail_template(na_building *b, const na_written *w)
{
    static const na_key keys[] = {{"text", offsetof(na_mail_template, text), as_body},
                                  {"html", offsetof(na_mail_template, html), as_body},
                                  {"subject", offsetof(na_mail_template, subject), as_subject},
                                  {NULL, 0, NULL}};
    na_mail_kind kind;
    na_mail_template *template = apr_palloc(b->pool, sizeof *template);
    if (!na_mail_kind_find(w->argv[0], &kind))
        return na_wrong(b, "'%s': signIn, signUp, passwordReset or emailChange is wanted",
                        w->argv[0]);
    *template = *b->config->mail_templates[kind];
    b->config->mail_templates[kind] = template;
    return na_build_keys(b, w, 1, keys, template);
}

/* ── users in the database ─────────────────────────────────────────────────────────────────── */

na_error *na_build_feature(na_building *b, const na_written *w)
{
    static const struct {
        const char *name;
        int bit;
    } features[] = {{"signUp", NA_FEATURE_SIGN_UP},
                    {"passwordReset", NA_FEATURE_RESET},
                    {"account", NA_FEATURE_ACCOUNT},
                    {"deleteAccount", NA_FEATURE_DELETE}};
    int on;
    NA_TRY(na_as_switch(b, w->argv[1], &on));
    for (int i = 0; i < 4; i++) {
        if (strcmp(w->argv[0], features[i].name) != 0)
            continue;
        b->config->features &= ~features[i].bit;
        b->config->features |= on ? features[i].bit : 0;
        return NULL;
    }
    return na_wrong(b, "'%s': signUp, passwordReset, account or deleteAccount is wanted",
                    w->argv[0]);
}

static na_error *as_length(na_building *b, const char *value, void *member)
{
    long length;
    NA_TRY(na_build_number(b, value, 8, 64, &length));
    *(int *)member = (int)length;
    return NULL;
}

static na_error *as_hash_kind(na_building *b, const char *value, void *member)
{
    return na_hash_kind_parse(b->pool, value, member);
}

na_error *na_build_passwords(na_building *b, const na_written *w)
{
    static const na_key keys[] = {{"minLength", offsetof(na_password_rules, min_characters),
                                   as_length},
                                  {"hash", offsetof(na_password_rules, kind), as_hash_kind},
                                  {NULL, 0, NULL}};
    return na_build_keys(b, w, 0, keys, &b->config->password_rules);
}

/* Unknown users' passwords are checked against one that nobody has: it takes as long. */
static na_error *finish_passwords(na_building *b)
{
    return na_password_hash(b->pool, b->config->password_rules.kind,
                            na_random_base64url(b->pool, 24), &b->config->nobodys_hash);
}

static na_error *mail_from_environment(na_building *b)
{
    na_mail_options *options;
    if (b->config->mail)
        return NULL;
    const char *server = na_build_from_environment(b, "EMAIL_SERVER", "NextAuthMail");
    if (!server)
        return NULL;
    NA_TRY(start(b, server, &options));
    return finish(b, options);
}

static int lacks_mail(const na_building *b)
{
    return !b->config->mail && !na_build_is_wrong(b, "NextAuthMail");
}

static int lacks_database(const na_building *b)
{
    return !b->config->database && !na_build_is_wrong(b, "NextAuthDatabase");
}

static na_error *check_features(na_building *b)
{
    if (!b->config->features || (!lacks_mail(b) && !lacks_database(b)))
        return NULL;
    return na_error_mended_by(na_wrong(b, "NextAuthFeature needs NextAuthDatabase, and "
                                          "NextAuthMail, whose links confirm who has an address"),
                              "add what is not there of the two");
}

static na_error *check_provider(na_building *b, const na_provider *p)
{
    if (p->type == NA_EMAIL && lacks_mail(b))
        return na_error_mended_by(
            na_wrong(b, "provider '%s' needs NextAuthMail, or EMAIL_SERVER in the environment",
                     p->id),
            "say with NextAuthMail how mail is sent");
    if ((p->type == NA_EMAIL || p->in_database) && lacks_database(b))
        return na_error_mended_by(na_wrong(b, "provider '%s' needs NextAuthDatabase", p->id),
                                  "name the database, then run nextauthctl migrate");
    return p->in_database ? finish_passwords(b) : NULL;
}

static const na_written *directive_of(const apr_array_header_t *written, const char *id)
{
    for (int i = written->nelts - 1; i >= 0; i--) {
        const na_written *w = &APR_ARRAY_IDX(written, i, na_written);
        if (strcmp(w->directive, "NextAuthProvider") == 0 && strcmp(w->argv[0], id) == 0)
            return w;
    }
    return NULL;
}

na_error *na_build_finish_mail(na_building *b, const apr_array_header_t *written)
{
    NA_TRY(na_build_noted(b, mail_from_environment(b)));
    na_build_look_at(b, na_build_last_of(written, "NextAuthFeature"), NULL);
    NA_TRY(na_build_noted(b, check_features(b)));
    for (int i = 0; i < b->config->providers->nelts; i++) {
        const na_provider *p = APR_ARRAY_IDX(b->config->providers, i, const na_provider *);
        na_build_look_at(b, directive_of(written, p->id), "NextAuthProvider");
        NA_TRY(na_build_noted(b, check_provider(b, p)));
    }
    return NULL;
}
