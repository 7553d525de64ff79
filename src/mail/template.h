/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of emails. */
#ifndef NA_MAIL_TEMPLATE_H
#define NA_MAIL_TEMPLATE_H

#include "base/language.h"
#include "mail/mail.h"

/* The purpose of an email, in configuration signIn, signUp, passwordReset, emailChange,
 * accountLocked, passwordChanged, emailChanged, or accountChanged. */
typedef enum na_mail_kind {
    NA_MAIL_SIGN_IN,
    NA_MAIL_SIGN_UP,
    NA_MAIL_PASSWORD_RESET,
    NA_MAIL_EMAIL_CHANGE,
    NA_MAIL_ACCOUNT_LOCKED,
    NA_MAIL_PASSWORD_CHANGED,
    NA_MAIL_EMAIL_CHANGED,
    NA_MAIL_ACCOUNT_CHANGED
} na_mail_kind;

#define NA_MAIL_KINDS 8

/* Returns the name of a purpose in configuration. */
const char *na_mail_kind_name(na_mail_kind kind);

/* Returns 0 if the name is unknown. */
int na_mail_kind_find(const char *name, na_mail_kind *kind);

/*
 * The built-in texts of an email, which are translated, with the placeholders {host} and {expires}.
 * They never repeat the recipient's address.
 */
typedef struct na_mail_words {
    const char *heading; /* and subject */
    const char *button;
    const char *note; /* NULL for what na_mail_values says of the change */
    int is_notice;    /* its plain text has the note, too */
} na_mail_words;

/*
 * Subject and bodies with the placeholders {{url}}, {{host}}, {{email}}, {{brandColor}},
 * {{buttonText}}, {{expires}}, {{lang}}, {{dir}}, and {{change}}; NULL for the built-in text, if
 * there is one. Immutable configuration.
 */
typedef struct na_mail_template {
    const char *subject;
    const char *text;
    const char *html;
    const na_mail_words *words; /* NULL if nothing is built in */
} na_mail_template;

const na_mail_template *na_mail_template_default(na_mail_kind kind);

/*
 * Read a subject, or a body from a file, for a template. Refused are an unknown placeholder, a body
 * without {{url}}, text that is not UTF-8, and more than NA_MAIL_SUBJECT_MAX or NA_MAIL_BODY_MAX
 * bytes.
 */
na_error *na_mail_template_subject(apr_pool_t *pool, const char *text, const char **subject);
na_error *na_mail_template_file(apr_pool_t *pool, const char *path, const char **body);

/* The values of placeholders. */
typedef struct na_mail_values {
    const na_language *language;
    const char *url;
    const char *host;        /* of the site */
    const char *email;       /* of the recipient */
    const char *brand_color; /* NULL for a default */
    const char *button_text; /* the color of text on it; NULL for a default */
    long valid_for;          /* seconds; {{expires}} is "24 hours", "15 minutes" */
    const char *change; /* sentences about what was changed, in the language; NULL if nothing was */
} na_mail_values;

/*
 * Sets to, subject, text, html, and url of *message, and the rest to NULL or 0. In the HTML, values
 * are escaped for text and quoted attributes. The message lives in `pool`, and no longer than
 * `values`.
 */
void na_mail_template_fill(apr_pool_t *pool, const na_mail_template *template,
                           const na_mail_values *values, na_mail_message *message);

#endif
