/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that all pages are made of: fields, buttons, messages, sections, lists, and links. */
#ifndef NA_PAGE_KIT_H
#define NA_PAGE_KIT_H

#include <apr_pools.h>

#include "base/choice.h"
#include "base/language.h"

/*
 * Texts are plain, are in the user's language already (na_say), and are escaped here. An argument
 * `html` is HTML that this kit returned, or that na_html escaped. NULL is an empty text.
 */

/* The hidden fields that all forms of a page carry, and the language of its texts. */
typedef struct na_page_form {
    const char *base_url;
    const char *csrf_token;
    const char *callback_url;
    const na_language *language;
    int has_account_page; /* for this user */
    na_choice remember;   /* NA_UNSAID if users are not asked, else the state of the box */
} na_page_form;

/* Returns the start of a form that posts to `path` below the base URL. */
const char *na_page_form_start(apr_pool_t *pool, const na_page_form *form, const char *path);

/* Returns a form that posts to `path` below the base URL. */
const char *na_kit_form(apr_pool_t *pool, const na_page_form *form, const char *path,
                        const char *html);

/* A labelled input. Members that are not set are NULL. */
typedef struct na_kit_field {
    const char *label;
    const char *name;
    const char *id;         /* unique in the page; NULL to use the name */
    const char *attributes; /* further ones, as HTML: one of NA_KIT_…, or several */
    const char *value;
    const char *hint;  /* below the label */
    const char *error; /* what is wrong with the value; beside the field, and said by its name */
} na_kit_field;

const char *na_kit_field_of(apr_pool_t *pool, const na_kit_field *field);

/* Attributes of fields. With type="email", browsers reject letters beyond ASCII. */
#define NA_KIT_EMAIL                                                                               \
    "inputmode=\"email\" autocomplete=\"email\" autocapitalize=\"none\" spellcheck=\"false\" "     \
    "dir=\"ltr\" required"
#define NA_KIT_USERNAME                                                                            \
    "autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" dir=\"auto\" required"
#define NA_KIT_PASSWORD "type=\"password\" autocomplete=\"current-password\" dir=\"ltr\" required"
#define NA_KIT_NEW_PASSWORD "type=\"password\" autocomplete=\"new-password\" dir=\"ltr\" required"
#define NA_KIT_CODE                                                                                \
    "inputmode=\"numeric\" autocomplete=\"one-time-code\" autocapitalize=\"none\" "                \
    "spellcheck=\"false\" dir=\"ltr\" required"
/* The same two, for a field in whose suggestions browsers offer passkeys as well. */
#define NA_KIT_EMAIL_OR_PASSKEY                                                                    \
    "inputmode=\"email\" autocomplete=\"email webauthn\" autocapitalize=\"none\" "                 \
    "spellcheck=\"false\" dir=\"ltr\" required"
#define NA_KIT_USERNAME_OR_PASSKEY                                                                 \
    "autocomplete=\"username webauthn\" autocapitalize=\"none\" spellcheck=\"false\" "             \
    "dir=\"auto\" required"
#define NA_KIT_FOCUS " autofocus"

const char *na_kit_hidden(apr_pool_t *pool, const char *name, const char *value);

/* Returns the choice to stay signed in, as a checkbox with this ID; "" if users are not asked. */
const char *na_kit_remember_me(apr_pool_t *pool, const na_page_form *form, const char *id);

const char *na_kit_checkbox(apr_pool_t *pool, const char *name, const char *label, int is_checked);

/* One button of a page is primary: what most users came for. */
typedef enum na_kit_style { NA_KIT_PRIMARY, NA_KIT_QUIET, NA_KIT_DANGER } na_kit_style;

/*
 * Returns a button that sends its form. `about` is what it acts on, for those who hear the name of
 * the button alone, if the page has several of the same text: "Sign out", "Firefox on Linux".
 */
const char *na_kit_button(apr_pool_t *pool, na_kit_style style, const char *text,
                          const char *about);

/* Returns one with an ID, by which scripts and styles of sites know it. */
const char *na_kit_button_with_id(apr_pool_t *pool, na_kit_style style, const char *id,
                                  const char *text);

/* Returns a link that looks like a button. */
const char *na_kit_link_button(apr_pool_t *pool, na_kit_style style, const char *url,
                               const char *text);

/* Returns a primary one that opens a new tab, which its text says. */
const char *na_kit_link_button_new_tab(apr_pool_t *pool, const char *url, const char *text);

/* Return a message above everything else: what went wrong, and what was done. "" if it is NULL. */
const char *na_kit_alert(apr_pool_t *pool, const char *text);
const char *na_kit_status(apr_pool_t *pool, const char *text);

/* Return the heading of the page, a paragraph, and a less important one. */
const char *na_kit_heading(apr_pool_t *pool, const char *text);
const char *na_kit_text(apr_pool_t *pool, const char *text);
const char *na_kit_note(apr_pool_t *pool, const char *text);

/* Returns a text that users copy: a code, a key, a token. */
const char *na_kit_copied(apr_pool_t *pool, const char *text);

const char *na_kit_section(apr_pool_t *pool, const char *heading, const char *html);

/* Returns a row of a list: its name, what else there is to say, and its forms. */
const char *na_kit_row(apr_pool_t *pool, const char *name, const char *note, const char *html);

/* Returns a list of rows, "" if there is none. */
const char *na_kit_list(apr_pool_t *pool, const char *rows);

/* Returns a link to `path` below the base URL, and the links at the end of a page. */
const char *na_kit_link(apr_pool_t *pool, const na_page_form *form, const char *path,
                        const char *text);
const char *na_kit_links(apr_pool_t *pool, const na_page_form *form, const char *links);

/* Returns the way back from a page that the account page links to, "" if there is none. */
const char *na_kit_account_link(apr_pool_t *pool, const na_page_form *form);

/* Returns "just now", "3 hours ago". */
const char *na_kit_ago(apr_pool_t *pool, const na_language *language, apr_int64_t seconds);

#endif
