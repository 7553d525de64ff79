/* SPDX-License-Identifier: Apache-2.0 */
/* Sends links by email, and uses up their tokens. */
#include "auth/mail_link.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/callback_url.h"
#include "auth/limit.h"
#include "auth/network.h"
#include "auth/remember_me.h"
#include "auth/report.h"
#include "base/crypto.h"
#include "base/url.h"
#include "mail/address.h"

#define TOKEN_BYTES 32
#define MARK_BYTES 8

/*
 * After the random part, a token has a mark of the site it was issued for, because several sites
 * can share a database and a secret. For NextAuth, the mark is part of the token.
 */
static const char *mark_of(apr_pool_t *pool, const char *site, const char *random,
                           const char *secret)
{
    unsigned char mac[NA_SHA256_LEN];
    const char *text = apr_pstrcat(pool, "link ", random, " ", site, NULL);
    na_hmac_sha256(mac, na_bytes_of(secret), na_bytes_of(text));
    return na_hex(pool, mac, MARK_BYTES);
}

static const char *make_token(na_request *request)
{
    const char *random = na_random_hex(request->pool, TOKEN_BYTES);
    return apr_pstrcat(request->pool, random,
                       mark_of(request->pool, request->config->session.site, random,
                               request->config->secrets[0]),
                       NULL);
}

/* A token without a mark was issued by the NextAuth of an application. */
static int is_of_site(const na_request *request, const char *token)
{
    const na_config *config = request->config;
    if (strlen(token) != 2 * (TOKEN_BYTES + MARK_BYTES))
        return !config->session.refuse_unbound;
    const char *random = apr_pstrndup(request->pool, token, 2 * TOKEN_BYTES);
    for (int i = 0; i < config->secret_count; i++)
        if (na_equal_secret(token + 2 * TOKEN_BYTES, mark_of(request->pool, config->session.site,
                                                             random, config->secrets[i])))
            return 1;
    return 0;
}

/* A new link replaces the oldest ones. */
static na_error *keep_token(na_request *request, const na_link *link, const char *token)
{
    const na_db_token row = {link->identifier,
                             na_sha256_hex(request->pool, token, request->config->secrets[0]),
                             apr_time_as_msec(request->now) + link->valid_for * 1000};
    return na_db_add_token(request->db, request->pool, &row);
}

static const char *address_of(na_request *request, const na_link *link, const char *token)
{
    const char *url = apr_pstrcat(request->pool, request->config->base_url, link->path, NULL);
    url = na_url_add(request->pool, url, "callbackUrl",
                     na_callback_url_carried(request, NA_CALLBACK_URL_CARRIED));
    if (na_remember_me_said(request))
        url = na_url_add(request->pool, url, NA_REMEMBER_ME, na_remember_me_said(request));
    url = na_url_add(request->pool, url, "token", token);
    return na_url_add(request->pool, url, "email", link->email);
}

na_error *na_link_send(na_request *request, const na_link *link)
{
    const char *token = make_token(request);
    na_url site;
    na_mail_message message;
    if (!request->mails)
        return na_error_new(request->pool, NA_ERR_CONFIGURATION,
                            "cannot send a link: NextAuthMail is not set");
    NA_TRY(
        na_limit_take(request, NA_LIMIT_MAIL, na_limit_account(request->pool, NULL, link->email)));
    const na_user reader = {.email = link->email};
    na_event event = na_event_of(request, NA_EVENT_LINK_SENT, &reader);
    event.detail = na_mail_kind_name(link->kind);
    event.failure = link->is_for_nobody ? NA_ERR_ACCESS_DENIED : NULL;
    event.reason = link->is_for_nobody ? "there is nothing to send to this email address" : NULL;
    NA_TRY(na_record_event(request, NULL, &event));
    NA_TRY(keep_token(request, link, token));
    na_url_parse(request->pool, request->config->origin, &site);
    const na_mail_values values = {.language = request->language,
                                   .url = address_of(request, link, token),
                                   .host = site.origin + strlen(site.scheme) + strlen("://"),
                                   .email = link->email,
                                   .brand_color = request->config->theme.brand_color,
                                   .button_text = request->config->theme.button_text,
                                   .valid_for = link->valid_for};
    na_mail_template_fill(request->pool, request->config->mail_templates[link->kind], &values,
                          &message);
    message.is_for_nobody = link->is_for_nobody;
    na_error *error =
        na_mail_queue_put(request->mails, request->pool, &message, na_network_of(request),
                          request->now + apr_time_from_sec(link->valid_for));
    if (error)
        return na_error_wrap(request->pool, error, NA_ERR_EMAIL_SIGNIN, "could not send the link");
    na_report(request, &event);
    return NULL;
}

/* The links are no longer needed, or must not be used by those who can read them. */
const apr_array_header_t *na_link_identifiers(apr_pool_t *pool, const char *email)
{
    static const char *const kinds[] = {"", NA_LINK_SIGN_UP, NA_LINK_RESET};
    apr_array_header_t *identifiers = apr_array_make(pool, 3, sizeof(const char *));
    for (int i = 0; email && i < 3; i++)
        APR_ARRAY_PUSH(identifiers, const char *) = apr_pstrcat(pool, kinds[i], email, NULL);
    return identifiers;
}

static na_error *end_expired(na_request *request, const na_db_token *row)
{
    na_db_token ended;
    int found;
    NA_TRY(
        na_db_use_token(request->db, request->pool, row->identifier, row->token, &ended, &found));
    return na_error_new(request->pool, NA_ERR_VERIFICATION, "the link has expired");
}

/* The token is hashed with any of the secrets. */
na_error *na_link_find(na_request *request, const char *identifier, const char *token,
                       na_db_token *row)
{
    int found = 0;
    if (!is_of_site(request, token))
        return na_error_new(request->pool, NA_ERR_VERIFICATION, "the link belongs to another site");
    for (int i = 0; i < request->config->secret_count && !found; i++)
        NA_TRY(na_db_find_token(request->db, request->pool, identifier,
                                na_sha256_hex(request->pool, token, request->config->secrets[i]),
                                row, &found));
    if (!found)
        return na_error_new(request->pool, NA_ERR_VERIFICATION,
                            "the link has been used, was replaced by newer ones, or never existed");
    return row->expires > apr_time_as_msec(request->now) ? NULL : end_expired(request, row);
}
