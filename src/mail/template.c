/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of emails: the built-in ones, and those of files. */
#include "mail/template.h"

#include <string.h>

#include <apr_strings.h>

#include "base/file.h"
#include "base/text.h"

#define BRAND_COLOR "#346df1"
#define BUTTON_TEXT "#ffffff"

/* ── built in ──────────────────────────────────────────────────────────────────────────────── */

#define LINK_IS_SHORT_LIVED                                                                        \
    NA_TEXT("This link expires in {expires} and can be used once. If you did not request this "    \
            "email, you can safely ignore it.")
#define GO_TO_SITE NA_TEXT("Go to {host}")

const na_mail_template *na_mail_template_default(na_mail_kind kind)
{
    static const na_mail_words words[NA_MAIL_KINDS] = {
        [NA_MAIL_SIGN_IN] = {NA_TEXT("Sign in to {host}"), NA_TEXT("Sign in"), LINK_IS_SHORT_LIVED,
                             0},
        [NA_MAIL_SIGN_UP] = {NA_TEXT("Create your account on {host}"), NA_TEXT("Choose a password"),
                             LINK_IS_SHORT_LIVED, 0},
        [NA_MAIL_PASSWORD_RESET] =
            {NA_TEXT("Reset your password for {host}"), NA_TEXT("Reset password"),
             NA_TEXT("This link expires in {expires} and can be used once. If you did not request "
                     "this, ignore this email. Your password will not change."),
             0},
        [NA_MAIL_EMAIL_CHANGE] =
            {NA_TEXT("Confirm your new email address for {host}"), NA_TEXT("Confirm email address"),
             NA_TEXT("This link expires in {expires} and can be used once. If you did not request "
                     "this, ignore this email. Your email address will not change."),
             0},
        [NA_MAIL_ACCOUNT_LOCKED] =
            {NA_TEXT("Failed sign-ins at {host}"), GO_TO_SITE,
             NA_TEXT("Too many attempts to sign in to your account failed. For {expires} it takes "
                     "no password from browsers that did not sign in to it before. If you have "
                     "forgotten your password, you can choose a new one."),
             1},
        [NA_MAIL_PASSWORD_CHANGED] =
            {NA_TEXT("Your password for {host} was changed"), GO_TO_SITE,
             NA_TEXT("The password of your account was changed. If you did this, there is nothing "
                     "to do. If you did not, choose a new password now."),
             1},
        [NA_MAIL_EMAIL_CHANGED] =
            {NA_TEXT("Your email address for {host} was changed"), GO_TO_SITE,
             NA_TEXT("The email address of your account was changed. If you did this, there is "
                     "nothing to do. If you did not, contact the administrator of {host}."),
             1},
        [NA_MAIL_ACCOUNT_CHANGED] = {NA_TEXT("Your account at {host} was changed"), GO_TO_SITE,
                                     NULL, 1},
    };
#define OF(kind) [kind] = {.words = &words[kind] }
    static const na_mail_template templates[NA_MAIL_KINDS] = {
        OF(NA_MAIL_SIGN_IN),       OF(NA_MAIL_SIGN_UP),        OF(NA_MAIL_PASSWORD_RESET),
        OF(NA_MAIL_EMAIL_CHANGE),  OF(NA_MAIL_ACCOUNT_LOCKED), OF(NA_MAIL_PASSWORD_CHANGED),
        OF(NA_MAIL_EMAIL_CHANGED), OF(NA_MAIL_ACCOUNT_CHANGED)};
#undef OF
    return &templates[kind];
}

static const char *const kinds[NA_MAIL_KINDS] = {[NA_MAIL_SIGN_IN] = "signIn",
                                                 [NA_MAIL_SIGN_UP] = "signUp",
                                                 [NA_MAIL_PASSWORD_RESET] = "passwordReset",
                                                 [NA_MAIL_EMAIL_CHANGE] = "emailChange",
                                                 [NA_MAIL_ACCOUNT_LOCKED] = "accountLocked",
                                                 [NA_MAIL_PASSWORD_CHANGED] = "passwordChanged",
                                                 [NA_MAIL_EMAIL_CHANGED] = "emailChanged",
                                                 [NA_MAIL_ACCOUNT_CHANGED] = "accountChanged"};

const char *na_mail_kind_name(na_mail_kind kind)
{
    return kinds[kind];
}

int na_mail_kind_find(const char *name, na_mail_kind *kind)
{
    for (int i = 0; i < NA_MAIL_KINDS; i++)
        if (strcmp(kinds[i], name) == 0) {
            *kind = (na_mail_kind)i;
            return 1;
        }
    return 0;
}

/* ── placeholders ──────────────────────────────────────────────────────────────────────────── */

static const char *url_of(apr_pool_t *pool, const na_mail_values *values)
{
    return values->url;
}

static const char *host_of(apr_pool_t *pool, const na_mail_values *values)
{
    return values->host;
}

static const char *email_of(apr_pool_t *pool, const na_mail_values *values)
{
    return values->email;
}

static const char *brand_color_of(apr_pool_t *pool, const na_mail_values *values)
{
    return values->brand_color ? values->brand_color : BRAND_COLOR;
}

static const char *button_text_of(apr_pool_t *pool, const na_mail_values *values)
{
    return values->button_text ? values->button_text : BUTTON_TEXT;
}

static const char *lang_of(apr_pool_t *pool, const na_mail_values *values)
{
    return values->language->tag;
}

static const char *dir_of(apr_pool_t *pool, const na_mail_values *values)
{
    return values->language->is_rtl ? "rtl" : "ltr";
}

static const char *amount_of(apr_pool_t *pool, const na_language *language, long number,
                             const char *one, const char *many)
{
    return number == 1 ? na_say(language, one)
                       : na_say_with(pool, language, many, "number",
                                     apr_psprintf(pool, "%ld", number), NULL);
}

/* Returns the lifetime in days or hours if there is no remainder. */
static const char *expires_of(apr_pool_t *pool, const na_mail_values *values)
{
    long seconds = values->valid_for;
    const na_language *l = values->language;
    if (seconds > 86400 && seconds % 86400 == 0)
        return amount_of(pool, l, seconds / 86400, NA_TEXT("1 day"), NA_TEXT("{number} days"));
    if (seconds >= 3600 && seconds % 3600 == 0)
        return amount_of(pool, l, seconds / 3600, NA_TEXT("1 hour"), NA_TEXT("{number} hours"));
    if (seconds >= 60)
        return amount_of(pool, l, seconds / 60, NA_TEXT("1 minute"), NA_TEXT("{number} minutes"));
    return amount_of(pool, l, seconds, NA_TEXT("1 second"), NA_TEXT("{number} seconds"));
}

static const char *change_of(apr_pool_t *pool, const na_mail_values *values)
{
    return values->change;
}

typedef const char *reader(apr_pool_t *pool, const na_mail_values *values);

static const struct placeholder {
    const char *name;
    reader *read;
} placeholders[] = {
    {"{{url}}", url_of},
    {"{{host}}", host_of},
    {"{{email}}", email_of},
    {"{{brandColor}}", brand_color_of},
    {"{{buttonText}}", button_text_of},
    {"{{expires}}", expires_of},
    {"{{lang}}", lang_of},
    {"{{dir}}", dir_of},
    {"{{change}}", change_of},
};

static const struct placeholder *placeholder_at(const char *text)
{
    for (apr_size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
        if (strncmp(text, placeholders[i].name, strlen(placeholders[i].name)) == 0)
            return &placeholders[i];
    return NULL;
}

typedef const char *escaper(apr_pool_t *pool, const char *text);

static const char *escape_nothing(apr_pool_t *pool, const char *text)
{
    return text;
}

static const char *fill_text(apr_pool_t *pool, const char *text, const na_mail_values *values,
                             escaper *escape)
{
    apr_array_header_t *parts = apr_array_make(pool, 16, sizeof(const char *));
    const char *braces;
    while ((braces = strstr(text, "{{"))) {
        const struct placeholder *found = placeholder_at(braces);
        apr_size_t len = found ? strlen(found->name) : strlen("{{");
        const char *value = found ? found->read(pool, values) : "{{";
        APR_ARRAY_PUSH(parts, const char *) =
            apr_pstrmemdup(pool, text, (apr_size_t)(braces - text));
        APR_ARRAY_PUSH(parts, const char *) = value ? escape(pool, value) : "";
        text = braces + len;
    }
    APR_ARRAY_PUSH(parts, const char *) = text;
    return apr_array_pstrcat(pool, parts, '\0');
}

/* ── filling ───────────────────────────────────────────────────────────────────────────────── */

/* Returns a built-in text in the language of the email. */
static const char *say(apr_pool_t *pool, const char *text, const na_mail_values *values)
{
    return text ? na_say_with(pool, values->language, text, "host", values->host, "expires",
                              expires_of(pool, values), NULL)
                : values->change;
}

/* NextAuth's form: the subject, the link, an empty line. A notice says what happened in between. */
static const char *built_in_text(apr_pool_t *pool, const na_mail_words *words,
                                 const na_mail_values *values)
{
    const char *heading = say(pool, words->heading, values);
    return words->is_notice ? apr_pstrcat(pool, heading, "\n\n", say(pool, words->note, values),
                                          "\n", values->url, "\n\n", NULL)
                            : apr_pstrcat(pool, heading, "\n", values->url, "\n\n", NULL);
}

/* No colors but the button's: clients choose light or dark. */
static const char *built_in_html(apr_pool_t *pool, const na_mail_words *words,
                                 const na_mail_values *values)
{
    const char *heading = na_html(pool, say(pool, words->heading, values));
    return apr_pstrcat(
        pool, "<!doctype html>\n<html lang=\"", lang_of(pool, values), "\" dir=\"",
        dir_of(pool, values),
        "\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<meta name=\"supported-color-schemes\" content=\"light dark\">\n<title>",
        heading,
        "</title>\n<style>:root{color-scheme:light dark}</style>\n</head>\n"
        "<body style=\"margin:0;padding:24px;font:16px/1.5 Helvetica,Arial,sans-serif;"
        "text-align:center\">\n"
        "<h1 style=\"margin:0 0 24px;font-size:22px;font-weight:normal\">",
        heading, "</h1>\n<p style=\"margin:0 0 24px\"><a href=\"", na_html(pool, values->url),
        "\" style=\"display:inline-block;padding:12px 24px;border-radius:6px;background:",
        brand_color_of(pool, values), ";color:", button_text_of(pool, values),
        ";font-size:18px;font-weight:bold;text-decoration:none\">",
        na_html(pool, say(pool, words->button, values)), "</a></p>\n<p style=\"margin:0\">",
        na_html(pool, say(pool, words->note, values)), "</p>\n</body>\n</html>\n", NULL);
}

static void fill_built_in(apr_pool_t *pool, const na_mail_words *words,
                          const na_mail_values *values, na_mail_message *message)
{
    message->subject = say(pool, words->heading, values);
    message->text = built_in_text(pool, words, values);
    message->html = built_in_html(pool, words, values);
}

void na_mail_template_fill(apr_pool_t *pool, const na_mail_template *template,
                           const na_mail_values *values, na_mail_message *message)
{
    *message = (na_mail_message){.to = values->email, .url = values->url};
    if (template->words)
        fill_built_in(pool, template->words, values, message);
    if (template->subject)
        message->subject = fill_text(pool, template->subject, values, escape_nothing);
    if (template->text)
        message->text = fill_text(pool, template->text, values, escape_nothing);
    if (template->html)
        message->html = fill_text(pool, template->html, values, na_html);
    message->subject = na_one_line(pool, message->subject, NA_MAIL_SUBJECT_MAX);
}

/* ── templates of the administrator ────────────────────────────────────────────────────────── */

static const char *placeholder_names(apr_pool_t *pool)
{
    const char *names = "";
    for (apr_size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
        names = apr_pstrcat(pool, names, i ? ", " : "", placeholders[i].name, NULL);
    return names;
}

static na_error *check_placeholders(apr_pool_t *pool, const char *text)
{
    for (; (text = strstr(text, "{{")); text += 2)
        if (!placeholder_at(text))
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "unknown placeholder '%s': expected one of %s",
                                na_one_line(pool, apr_pstrndup(pool, text, 20), 20),
                                placeholder_names(pool));
    return NULL;
}

na_error *na_mail_template_subject(apr_pool_t *pool, const char *text, const char **subject)
{
    if (!*text || strlen(text) > NA_MAIL_SUBJECT_MAX || na_has_control(text) || !na_is_utf8(text))
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "invalid subject: expected one line of UTF-8 of at most %d bytes",
                            NA_MAIL_SUBJECT_MAX);
    NA_TRY(check_placeholders(pool, text));
    *subject = text;
    return NULL;
}

na_error *na_mail_template_file(apr_pool_t *pool, const char *path, const char **body)
{
    NA_TRY(na_file_read(pool, path, NA_MAIL_BODY_MAX, body));
    na_error *error = check_placeholders(pool, *body);
    if (error)
        return na_error_wrap(pool, error, NULL, "%s", path);
    if (!strstr(*body, "{{url}}"))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "'%s' has no {{url}}",
                                               path),
                                  "add {{url}} where the link should appear");
    return NULL;
}
