/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "auth/action.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"
#include "mail/address.h"

#define TOKEN_BYTES 32

/* What the database keeps of a token, as both packages make it. */
static const char *hash_of(apr_pool_t *pool, const char *token, const char *secret)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(token), na_bytes_of(secret));
    return na_hex(pool, hash, sizeof hash);
}

static na_subject subject_of(na_request *request, const char *email)
{
    na_subject subject = {.user = {.id = email, .email = email}, .provider = request->provider};
    subject.account =
        na_json_own(request->pool, json_pack("{s:s, s:s, s:s}", "provider", request->provider->id,
                                             "type", "email", "providerAccountId", email));
    return subject;
}

/* ── sending a link ────────────────────────────────────────────────────────────────────────── */

static na_error *keep_token(na_request *request, const char *email, const char *token)
{
    const na_db_token row = {email, hash_of(request->pool, token, request->config->secrets[0]),
                             apr_time_as_msec(request->now) + request->provider->max_age * 1000};
    na_db_use *use;
    NA_TRY(na_db_write(request->db, request->pool, &use));
    return na_db_end(use, na_db_create_token(use, &row));
}

static const char *link_of(na_request *request, const char *email, const char *token)
{
    const char *url = apr_pstrcat(request->pool, request->config->base_url, "/callback/",
                                  request->provider->id, NULL);
    url = na_url_add(request->pool, url, "callbackUrl", request->callback_url);
    url = na_url_add(request->pool, url, "token", token);
    return na_url_add(request->pool, url, "email", email);
}

static na_error *send_link(na_request *request, const char *email, const char *token)
{
    na_url site;
    na_mail_message message;
    na_url_parse(request->pool, request->config->origin, &site);
    const na_mail_values values = {.url = link_of(request, email, token),
                                   .host = site.origin + strlen(site.scheme) + strlen("://"),
                                   .email = email,
                                   .brand_color = request->config->theme.brand_color,
                                   .button_text = request->config->theme.button_text,
                                   .valid_for = request->provider->max_age};
    na_mail_template_fill(request->pool, request->config->mail_templates[NA_MAIL_SIGN_IN], &values,
                          &message);
    return na_mail_queue_put(request->mails, request->pool, &message,
                             request->now + apr_time_from_sec(request->provider->max_age));
}

/* The answer is the same whether somebody has the address or not. */
na_error *na_signin_email(na_request *request, na_response *response)
{
    const char *email, *typed = apr_table_get(request->form, "email");
    const char *token = na_random_hex(request->pool, TOKEN_BYTES);
    na_error *error = na_email_normalize(request->pool, typed ? typed : "", &email);
    if (error)
        return na_error_wrap(request->pool, error, NA_EMAIL_SIGNIN, "no link is sent");
    na_subject subject = subject_of(request, email);
    NA_TRY(na_apply_rules(request, &subject));
    NA_TRY(keep_token(request, email, token));
    error = send_link(request, email, token);
    if (error)
        return na_error_wrap(request->pool, error, NA_EMAIL_SIGNIN, "no link is sent");
    const char *page =
        apr_pstrcat(request->pool, request->config->base_url,
                    "/verify-request?provider=", request->provider->id, "&type=email", NULL);
    na_respond_redirect(request, response, 200, page);
    return NULL;
}

/* ── coming back with it ───────────────────────────────────────────────────────────────────── */

static na_error *not_valid(na_request *request, const char *why)
{
    return na_error_new(request->pool, NA_VERIFICATION, "%s", why);
}

/* A link of any of the secrets; who uses it up has it. */
static na_error *use_token(na_request *request, na_db_use *use, const char *email,
                           const char *token)
{
    na_db_token row;
    int found = 0;
    for (int i = 0; i < request->config->secret_count && !found; i++)
        NA_TRY(na_db_use_token(use, email,
                               hash_of(request->pool, token, request->config->secrets[i]), &row,
                               &found));
    if (!found)
        return not_valid(request, "the link was used before, or never made");
    return row.expires > apr_time_as_msec(request->now)
               ? NULL
               : not_valid(request, "the link came too late");
}

/* Whoever reads the address's mail is its user. */
static na_error *user_of(na_request *request, na_db_use *use, const char *email, na_db_user *user)
{
    int found;
    NA_TRY(na_db_get_user_by_email(use, email, user, &found));
    if (!found)
        *user = (na_db_user){.email = email};
    user->email_verified = apr_time_as_msec(request->now);
    if (found)
        return na_db_update_user(use, user);
    NA_TRY(na_db_create_user(use, user));
    na_log(request, NA_LOG_INFO, "createUser: '%s' by %s",
           na_percent_encode(request->pool, user->id), request->provider->id);
    return NULL;
}

/* A link that came too late is used up all the same: *late takes that, the transaction stands. */
static na_error *resolve(na_request *request, na_db_use *use, na_subject *subject, na_error **late)
{
    const char *email = subject->user.email, *token = apr_table_get(request->form, "token");
    na_db_user user;
    NA_TRY(na_db_lock(use, apr_pstrcat(request->pool, "email ", email, NULL)));
    *late = use_token(request, use, email, token);
    if (*late)
        return na_is_unavailable(*late) ? *late : NULL;
    NA_TRY(user_of(request, use, email, &user));
    return na_account_adopt(request, use, &user, subject);
}

na_error *na_account_resolve_email(na_request *request, na_subject *subject)
{
    na_db_use *use;
    na_error *late = NULL;
    NA_TRY(na_db_write(request->db, request->pool, &use));
    NA_TRY(na_db_end(use, resolve(request, use, subject, &late)));
    return late;
}

static const char *email_of(na_request *request)
{
    const char *email, *said = na_parameter(request, "email");
    return said && !na_email_normalize(request->pool, said, &email) ? email : NULL;
}

/*
 * Programs that look into mails open every link in them: a link shows a page, and the button on it
 * signs in.
 */
na_error *na_callback_email(na_request *request, na_response *response)
{
    const char *email = email_of(request), *token = na_parameter(request, "token");
    int is_post = strcmp(request->method, "POST") == 0;
    if (!email || !token || strlen(token) != 2 * TOKEN_BYTES)
        return not_valid(request, "the link is not whole");
    if (is_post && request->csrf_verified) {
        na_subject subject = subject_of(request, email);
        return na_complete_sign_in(request, response, &subject);
    }
    na_page_form form = {request->config->base_url, request->csrf_token, request->callback_url};
    na_respond_page(request, response, 200, "Sign in",
                    na_page_confirm(request->pool, &form, request->provider->id, email, token));
    return NULL;
}
