/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the account page and the forms of database users. */
#include <apr_strings.h>

#include "base/text.h"
#include "page/page.h"

static const char *alert_box(apr_pool_t *pool, const char *text, int is_error)
{
    const char *kind = is_error ? "error\" role=\"alert" : "soft\" role=\"status";
    return text ? apr_pstrcat(pool, "<p class=\"", kind, "\">", na_html(pool, text), "</p>", NULL)
                : "";
}

static const char *input_field(apr_pool_t *pool, const char *label, const char *name,
                               const char *id, const char *attributes, const char *value)
{
    return apr_pstrcat(pool, "<label for=\"", id, "\">", label, "</label><input id=\"", id,
                       "\" name=\"", name, "\" ", attributes, " value=\"", na_html(pool, value),
                       "\">", NULL);
}

static const char *hidden_field(apr_pool_t *pool, const char *name, const char *value)
{
    return apr_pstrcat(pool, "<input type=\"hidden\" name=\"", name, "\" value=\"",
                       na_html(pool, value), "\">", NULL);
}

#define NEW_PASSWORD "type=\"password\" autocomplete=\"new-password\" required"
#define OLD_PASSWORD "type=\"password\" autocomplete=\"current-password\" required"

const char *na_page_ask_email(apr_pool_t *pool, const na_page_form *form, const char *path,
                              const char *title, const char *error)
{
    return apr_pstrcat(pool, "<h1>", title, "</h1>", alert_box(pool, error, 1),
                       na_page_form_start(pool, form, path),
                       input_field(pool, "Email", "email", "email", NA_PAGE_EMAIL, ""),
                       "<button>Email me a link</button></form>", NULL);
}

const char *na_page_choose_password(apr_pool_t *pool, const na_page_form *form, const char *email,
                                    const char *token, const char *name, const char *error)
{
    return apr_pstrcat(pool, "<h1>Choose a password</h1><p>For <strong>", na_html(pool, email),
                       "</strong></p>", alert_box(pool, error, 1),
                       na_page_form_start(pool, form, "/set-password"),
                       hidden_field(pool, "email", email), hidden_field(pool, "token", token),
                       input_field(pool, "Name (new accounts only)", "name", "name",
                                   "autocomplete=\"name\" maxlength=\"200\"", name),
                       input_field(pool, "New password", "password", "password", NEW_PASSWORD, ""),
                       "<button>Save and sign in</button></form>", NULL);
}

static const char *change_form(apr_pool_t *pool, const na_page_form *form, const char *what,
                               const char *fields, const char *button)
{
    return apr_pstrcat(pool, na_page_form_start(pool, form, "/account"),
                       hidden_field(pool, "change", what), fields, "<button class=\"quiet\">",
                       button, "</button></form>", NULL);
}

static const char *current_password_field(apr_pool_t *pool, const char *id)
{
    return input_field(pool, "Current password", "currentPassword", id, OLD_PASSWORD, "");
}

const char *na_page_account(apr_pool_t *pool, const na_page_form *form, const char *name,
                            const char *email, int may_delete, const char *said, int is_error)
{
    const char *name_fields =
        input_field(pool, "Name", "name", "name", "autocomplete=\"name\" required", name);
    const char *password_fields =
        apr_pstrcat(pool, current_password_field(pool, "current-1"),
                    input_field(pool, "New password", "password", "password", NEW_PASSWORD, ""),
                    NULL);
    const char *email_fields =
        apr_pstrcat(pool,
                    input_field(pool, "New email address", "email", "email", NA_PAGE_EMAIL, ""),
                    current_password_field(pool, "current-2"), NULL);
    const char *deletion =
        may_delete
            ? apr_pstrcat(pool,
                          "<h2>Delete account</h2><p>This permanently deletes your account and "
                          "cannot be undone.</p>",
                          change_form(pool, form, "delete",
                                      current_password_field(pool, "current-3"), "Delete account"),
                          NULL)
            : "";
    return apr_pstrcat(pool, "<h1>Your account</h1><p class=\"soft\">", na_html(pool, email),
                       "</p>", alert_box(pool, said, is_error),
                       change_form(pool, form, "name", name_fields, "Change name"),
                       "<h2>Password</h2>",
                       change_form(pool, form, "password", password_fields, "Change password"),
                       "<h2>Email</h2>",
                       change_form(pool, form, "email", email_fields, "Change email address"),
                       deletion, NULL);
}

const char *na_page_confirm_email(apr_pool_t *pool, const na_page_form *form, const char *email,
                                  const char *token)
{
    return apr_pstrcat(pool, "<h1>Confirm your email address</h1><p>Use <strong>",
                       na_html(pool, email), "</strong> for your account?</p>",
                       na_page_form_start(pool, form, "/confirm-email"),
                       hidden_field(pool, "email", email), hidden_field(pool, "token", token),
                       "<button>Confirm</button></form>", NULL);
}
