/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in pages: HTML of the forms, lists, and errors that users see. */
#ifndef NA_PAGE_PAGE_H
#define NA_PAGE_PAGE_H

#include <apr_tables.h>

#include "page/kit.h"
#include "provider/provider.h"

/* NextAuthTheme; values were checked when the configuration was read. */
typedef struct na_page_theme {
    const char *color_scheme; /* "auto", "light" or "dark" */
    const char *brand_color;  /* "#rrggbb" or NULL */
    const char *button_text;  /* "#rrggbb" or NULL */
    const char *logo;         /* URL or path, or NULL */
    const char *site_name;    /* NULL to use the host */
    const char *banner;       /* a warning above everything, or NULL; not set by a directive */
} na_page_theme;

/* A whole page, in one language. */
typedef struct na_page_frame {
    const na_page_theme *theme;
    const char *site_name;               /* the theme's, or the host */
    const char *home;                    /* URL of the site */
    const char *template;                /* the administrator's (template.h), NULL if built in */
    const apr_array_header_t *providers; /* const na_provider *, whose buttons have colors */
    const na_language *language;
    const char *style_nonce; /* allows its style in the Content-Security-Policy */
    const char *title;       /* plain text */
    const char *content;     /* HTML */
    const char *reference;   /* finds the log lines about an error, NULL if there is none */
} na_page_frame;

/* Returns the HTML document. */
const char *na_page(apr_pool_t *pool, const na_page_frame *frame);

/* The links of the sign-in page for users without a working password. */
typedef struct na_page_offers {
    int sign_up, reset;
} na_page_offers;

/* The attempt that led to the sign-in page; members are NULL if there was none. */
typedef struct na_page_attempt {
    const char *error;       /* a code */
    const char *provider_id; /* whose form was sent */
    const char *user;        /* the username, or email address */
} na_page_attempt;

/* Returns the button that signs in with a provider of OAuth 2.0 or OpenID Connect. */
const char *na_page_provider_button(apr_pool_t *pool, const na_language *language,
                                    const na_provider *provider);

/* Returns the "or" between two ways to do the same. */
const char *na_page_or(apr_pool_t *pool, const na_language *language);

/* Returns the content of the sign-in page. */
const char *na_page_signin(apr_pool_t *pool, const na_page_form *form,
                           const apr_array_header_t *providers, na_page_offers offers,
                           const na_page_attempt *attempt);

/* A way for a user who is known to sign in again, and the user's name there. */
typedef struct na_page_way {
    const na_provider *provider;
    const char *name;
} na_page_way;

/*
 * Returns the page on which a user who is signed in signs in again. `ways` are na_page_way;
 * `problem` is plain text, or NULL.
 */
const char *na_page_sign_in_again(apr_pool_t *pool, const na_page_form *form, const char *reason,
                                  const char *problem, int has_second_factor,
                                  const apr_array_header_t *ways);

/* A form that is sent with an authenticator's answer. */
typedef struct na_page_passkey_use {
    const na_provider *provider;
    const char *path;   /* where it is sent, below the base URL */
    const char *action; /* "authenticate" or "register" */
    const char *query;  /* further parameters of the options, "&name=value"; NULL if none */
} na_page_passkey_use;

/*
 * Return the form, with `html` in it, and the script that sends it. The page's response has
 * `runs_script` set.
 */
const char *na_page_passkey_form(apr_pool_t *pool, const na_page_form *form,
                                 const na_page_passkey_use *use, const char *html);
const char *na_page_passkey_script(apr_pool_t *pool, const na_page_form *form);

/* Returns both, with a button that signs in with a passkey, after `html`. */
const char *na_page_passkey_button(apr_pool_t *pool, const na_page_form *form,
                                   const na_page_passkey_use *use, const char *html);

/* A passkey, as its user can recognize it. */
typedef struct na_page_passkey {
    const char *handle;
    const char *name;        /* NULL if it has none */
    apr_int64_t added, used; /* ms since 1970; 0 if unknown or never */
    int is_synced;
} na_page_passkey;

typedef struct na_page_passkey_list {
    const na_provider *provider;
    const apr_array_header_t *passkeys; /* na_page_passkey */
    apr_int64_t now;                    /* ms */
    const char *said, *fault;           /* plain text; NULL if none */
} na_page_passkey_list;

const char *na_page_passkeys(apr_pool_t *pool, const na_page_form *form,
                             const na_page_passkey_list *page);

/* Returns the script itself. */
const char *na_page_passkey_js(void);

/* The page that sends a form again, and its only field. */
#define NA_RESEND_PAGE "/resend-form"
#define NA_RESEND_FIELD "nextauth-form"

/* Returns that page, for the form `id` and its URL. It has na_page_resend_script in it. */
const char *na_page_resend(apr_pool_t *pool, const na_language *language, const char *url,
                           const char *id);
const char *na_page_resend_script(void);

/* Returns the page if another user is signed in: `signout_url` leads back to it. */
const char *na_page_resend_other(apr_pool_t *pool, const na_language *language,
                                 const char *signout_url, const char *home);

/* Returns the page if there is no such form, or no more. */
const char *na_page_resend_gone(apr_pool_t *pool, const na_language *language, const char *home);

/* Returns the page for a form that could not be kept; `url` is where its user can sign in. */
const char *na_page_form_lost(apr_pool_t *pool, const na_language *language, const char *url);

/* Returns the page for a URL that is too long to return to, likewise. */
const char *na_page_url_lost(apr_pool_t *pool, const na_language *language, const char *url);

const char *na_page_signout(apr_pool_t *pool, const na_page_form *form);

/* Returns the page that a link in an email opens: a button that signs in with its token. */
const char *na_page_confirm(apr_pool_t *pool, const na_page_form *form, const char *provider_id,
                            const char *email, const char *token, const char *remember_me);

/*
 * Pages of users whose password is in the database. `error` is plain text, or NULL; `name` can be
 * NULL.
 */
/* Ask for the address that gets a link; `typed` is what was sent before, NULL if nothing. */
const char *na_page_sign_up(apr_pool_t *pool, const na_page_form *form, const char *typed,
                            const char *error);
const char *na_page_reset(apr_pool_t *pool, const na_page_form *form, const char *typed,
                          const char *error);

/* The page that the link opens. */
typedef struct na_page_choice {
    const char *email, *token;
    int signs_up;     /* the name is asked for, too */
    const char *name; /* as typed before */
    const char *error;
} na_page_choice;

const char *na_page_choose_password(apr_pool_t *pool, const na_page_form *form,
                                    const na_page_choice *page);
const char *na_page_confirm_email(apr_pool_t *pool, const na_page_form *form, const char *email,
                                  const char *token);

/* An account with a provider, on the account page. */
typedef struct na_page_linked {
    const char *provider; /* its ID */
    const char *name;     /* the provider's */
    const char *account;  /* the user's ID there */
    int can_unlink;
} na_page_linked;

/* The account page: its user, and what is offered. Texts can be NULL. */
typedef struct na_page_account_of {
    const char *name, *email;
    int has_password; /* which confirms changes; otherwise a fresh sign-in does */
    int can_set_password, can_change_email, can_delete;
    int has_sessions, has_second_factor, has_passkeys, has_tokens;
    const apr_array_header_t *linked;   /* na_page_linked */
    const apr_array_header_t *linkable; /* const na_provider * */
    const char *said;
    int is_error;
} na_page_account_of;

const char *na_page_account(apr_pool_t *pool, const na_page_form *form,
                            const na_page_account_of *account);

/* Returns what a user types to confirm the deletion: the email address, "delete" if there is none.
 */
const char *na_page_deletion_word(const char *email);

/* A session, as its user can recognize it. */
typedef struct na_page_session {
    const char *handle;
    const char *device, *address; /* "" if unknown */
    apr_int64_t begun, used;      /* seconds ago */
    int is_current;
} na_page_session;

/* Returns the list of the user's sessions (na_page_session). */
const char *na_page_sessions(apr_pool_t *pool, const na_page_form *form,
                             const apr_array_header_t *sessions);

/* A device that asks to sign its user in; name and client are what it says about itself. */
typedef struct na_page_device {
    const char *user_code, *name, *client;
    const char *address; /* "" if unknown */
    int is_elsewhere;    /* not at the user's own address */
    int is_whole_site;   /* the scope is everything */
    const char *scope;
    apr_int64_t asked; /* seconds ago */
} na_page_device;

/* Return the page that asks for a code, that shows what it is for, and that says what was decided.
 * `error` is plain text, or NULL. */
const char *na_page_device_ask(apr_pool_t *pool, const na_page_form *form, const char *error);
const char *na_page_device_confirm(apr_pool_t *pool, const na_page_form *form,
                                   const na_page_device *device);
const char *na_page_device_decided(apr_pool_t *pool, const na_page_form *form, int allows);

/* A personal access token, as its user can recognize it. */
typedef struct na_page_token {
    const char *handle, *name, *scope;
    apr_int64_t used; /* seconds ago; -1 if never */
    long days_left;
} na_page_token;

/* The page of personal access tokens. Texts are plain, and NULL if there is none. */
typedef struct na_page_tokens {
    const apr_array_header_t *tokens; /* na_page_token */
    const char *token;                /* the new one, which is shown once */
    const char *name, *scope, *days;  /* what the form has */
    const char *name_fault, *scope_fault, *days_fault;
    const char *fault; /* why nothing was done */
} na_page_tokens;

const char *na_page_access_tokens(apr_pool_t *pool, const na_page_form *form,
                                  const na_page_tokens *page);

/* The page on which a second factor is given. */
typedef struct na_page_challenge {
    const char *user;            /* who signs in; NULL if unknown */
    int has_code;                /* an authenticator app is set up */
    const na_provider *passkeys; /* NULL if the user cannot use one */
    int remember_days;           /* offered for this browser; 0 if it is not */
    const char *error;           /* plain text; NULL if none */
    const char *alert;           /* likewise, above the forms */
} na_page_challenge;

const char *na_page_two_factor(apr_pool_t *pool, const na_page_form *form,
                               const na_page_challenge *page);

/* The page on which an authenticator app is set up. */
typedef struct na_page_factor_setup {
    const char *qr;     /* HTML; NULL if there is none */
    const char *key;    /* base32 */
    const char *sealed; /* the same, for the form */
    int is_required;    /* the user cannot sign in without it */
    const char *error;  /* plain text; NULL if none */
} na_page_factor_setup;

const char *na_page_two_factor_setup(apr_pool_t *pool, const na_page_form *form,
                                     const na_page_factor_setup *page);

/* Returns the only page that shows recovery codes (const char *). */
const char *na_page_recovery_codes(apr_pool_t *pool, const na_page_form *form,
                                   const apr_array_header_t *codes);

/* A browser in which no second factor is asked for. */
typedef struct na_page_browser {
    const char *id;
    const char *device; /* NULL if unknown */
    apr_int64_t used;   /* seconds ago */
} na_page_browser;

/* The page of a user who has set up an authenticator app. */
typedef struct na_page_factor_state {
    int recovery_codes;                 /* left */
    const apr_array_header_t *browsers; /* na_page_browser */
    int may_disable;
    const char *said; /* plain text; NULL if none */
} na_page_factor_state;

const char *na_page_two_factor_state(apr_pool_t *pool, const na_page_form *form,
                                     const na_page_factor_state *page);

/* Returns the page for a user without permission; `user` is how the site knows the user. */
const char *na_page_forbidden(apr_pool_t *pool, const na_language *language, const char *user,
                              const char *signout_url, const char *home);

/* Stands for all pages in NextAuthPageTemplate. */
#define NA_PAGE_ALL "all"

/* The name of that page, which no endpoint has, for its template. */
#define NA_PAGE_FORBIDDEN "forbidden"

const char *na_page_unavailable(apr_pool_t *pool, const na_language *language);

const char *na_page_too_many(apr_pool_t *pool, const na_language *language, long seconds,
                             const char *signin_url);

const char *na_page_verify_request(apr_pool_t *pool, const na_language *language, const char *home);

/* Returns the content of the error page for a code (NULL if none), its *title, and its *status. */
const char *na_page_error(apr_pool_t *pool, const na_language *language, const char *code,
                          const char *home, const char *signin_url, const char **title,
                          int *status);

#endif
