/* SPDX-License-Identifier: Apache-2.0 */
/* Notifies the owner of an account by email. */
#include "auth/notice.h"

#include <apr_strings.h>

#include "auth/network.h"
#include "auth/report.h"
#include "base/url.h"

/* An email to be written; `change` is NULL if its kind says what happened. */
typedef struct notice {
    na_mail_kind kind;
    const char *email;
    const char *path; /* of a page below the base URL: the link changes nothing */
    const char *change;
    long seconds;
} notice;

/* An account is not locked by its owner: that email is in the language of the site. */
static const na_language *language_of(const na_request *request, na_mail_kind kind)
{
    return kind == NA_MAIL_ACCOUNT_LOCKED
               ? APR_ARRAY_IDX(request->config->languages, 0, const na_language *)
               : request->language;
}

static na_error *queue_notice(na_request *request, const notice *n)
{
    const na_config *config = request->config;
    na_mail_message message;
    na_url site;
    na_url_parse(request->pool, config->origin, &site);
    const na_mail_values values = {.language = language_of(request, n->kind),
                                   .url =
                                       apr_pstrcat(request->pool, config->base_url, n->path, NULL),
                                   .host = site.origin + strlen(site.scheme) + strlen("://"),
                                   .email = n->email,
                                   .brand_color = config->theme.brand_color,
                                   .button_text = config->theme.button_text,
                                   .valid_for = n->seconds,
                                   .change = n->change};
    na_mail_template_fill(request->pool, config->mail_templates[n->kind], &values, &message);
    return na_mail_queue_put(request->mails, request->pool, &message, na_network_of(request),
                             request->now + apr_time_from_sec(n->seconds));
}

static void send_notice(na_request *request, const notice *n)
{
    na_error *error = request->mails && n->email ? queue_notice(request, n) : NULL;
    if (error)
        na_log(request, NA_LOG_WARNING, "SEND_NOTICE_ERROR",
               "could not notify the owner of the account (%s): %s", na_mail_kind_name(n->kind),
               na_error_text(request->pool, error));
}

void na_notice_send(na_request *request, na_mail_kind kind, const char *email, long seconds)
{
    int can_reset = kind != NA_MAIL_EMAIL_CHANGED && request->config->features & NA_FEATURE_RESET;
    const notice n = {.kind = kind,
                      .email = email,
                      .path = can_reset ? "/reset-password" : "/signin",
                      .seconds = seconds};
    send_notice(request, &n);
}

/* No text of a user is in them: who has taken an account over could write to its owner. */
static const char *const changes[] = {
    [NA_CHANGE_SECOND_FACTOR_ON] = NA_TEXT("Two-factor sign-in was turned on for your account."),
    [NA_CHANGE_SECOND_FACTOR_OFF] = NA_TEXT("Two-factor sign-in was turned off for your account."),
    [NA_CHANGE_RECOVERY_CODES] = NA_TEXT("New recovery codes were created for your account."),
    [NA_CHANGE_RECOVERY_CODE_USED] =
        NA_TEXT("A recovery code was used to sign in to your account."),
    [NA_CHANGE_PASSKEY_ADDED] = NA_TEXT("A passkey was added to your account."),
    [NA_CHANGE_PASSKEY_REMOVED] = NA_TEXT("A passkey was removed from your account."),
    [NA_CHANGE_TOKEN_CREATED] = NA_TEXT("An access token was created for your account."),
    [NA_CHANGE_TOKEN_REVOKED] = NA_TEXT("An access token of your account was revoked."),
    [NA_CHANGE_ACCOUNT_LINKED] =
        NA_TEXT("A way to sign in was linked to your account: an account with another service."),
    [NA_CHANGE_ACCOUNT_UNLINKED] =
        NA_TEXT("A way to sign in was removed from your account: an account with another service."),
    [NA_CHANGE_DELETED] = NA_TEXT("Your account was deleted. If you did not do this, contact the "
                                  "administrator of this site."),
};

static const char *text_of(const na_request *request, na_change change)
{
    const char *text = na_say(request->language, changes[change]);
    const char *advice =
        na_say(request->language, "If you did this, there is nothing to do. If you did not, sign "
                                  "in, undo it, and sign out all other devices.");
    return change == NA_CHANGE_DELETED ? text : apr_pstrcat(request->pool, text, " ", advice, NULL);
}

void na_notice_change(na_request *request, na_change change, const char *email)
{
    int has_page = request->config->features & NA_FEATURE_ACCOUNT && change != NA_CHANGE_DELETED;
    const notice n = {.kind = NA_MAIL_ACCOUNT_CHANGED,
                      .email = email,
                      .path = has_page ? "/account" : "/signin",
                      .change = text_of(request, change),
                      .seconds = NA_NOTICE_SECONDS};
    send_notice(request, &n);
}
