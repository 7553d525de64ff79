/* SPDX-License-Identifier: Apache-2.0 */
/* Options of transports: read and checked. */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "base/url.h"
#include "mail/host.h"
#include "mail/transport.h"

#define SUBMISSION_PORT 587
#define SMTPS_PORT 465
#define TIMEOUT_MS 10000
#define CONNECT_TIMEOUT_MS 5000

/* Text options of transports, as configuration names them. */
static const struct {
    const char *name;
    apr_size_t offset;
} texts[] = {
    {"username", offsetof(na_mail_options, user)},
    {"password", offsetof(na_mail_options, password)},
    {"caFile", offsetof(na_mail_options, ca_file)},
    {"host", offsetof(na_mail_options, host)},
    {"apiKey", offsetof(na_mail_options, api_key)},
    {"baseUrl", offsetof(na_mail_options, base_url)},
    {"accessKeyId", offsetof(na_mail_options, access_key_id)},
    {"secretAccessKey", offsetof(na_mail_options, secret_access_key)},
    {"sessionToken", offsetof(na_mail_options, session_token)},
    {"region", offsetof(na_mail_options, region)},
    {"domain", offsetof(na_mail_options, domain)},
    {"transactionalId", offsetof(na_mail_options, transactional_id)},
};

static na_error *refuse(apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "mail: %s", why);
}

/* ── the URL of a mail server ──────────────────────────────────────────────────────────────── */

static na_error *set_query(apr_pool_t *pool, const char *query, na_mail_options *options)
{
    int off = strcmp(query, "tls=off") == 0;
    if (options->tls == NA_MAIL_SMTPS || (!off && strcmp(query, "tls=starttls") != 0))
        return refuse(pool, "invalid query of the smtp: URL: expected ?tls=off or ?tls=starttls");
    options->tls = off ? NA_MAIL_CLEAR : NA_MAIL_STARTTLS;
    return NULL;
}

/* [user[:password]@]host[:port][/][?query] */
static na_error *parse_authority(apr_pool_t *pool, const char *text, na_mail_options *options)
{
    na_authority server;
    na_error *error = na_authority_parse(pool, text, &server);
    if (error)
        return na_error_wrap(pool, error, NULL, "mail");
    const char *query = server.rest + (*server.rest == '/');
    if (*query && *query != '?')
        return refuse(pool, "the URL of a mail server cannot have a path");
    options->user = server.user;
    options->password = server.password;
    options->host = server.host;
    if (server.port)
        options->port = server.port;
    if (options->tls == NA_MAIL_STARTTLS && na_mail_is_loopback(options->host))
        options->tls = NA_MAIL_CLEAR;
    return *query ? set_query(pool, query + 1, options) : NULL;
}

na_error *na_mail_url_parse(apr_pool_t *pool, const char *url, na_mail_options *options)
{
    int smtps = strncasecmp(url, "smtps://", 8) == 0;
    if (!smtps && strncasecmp(url, "smtp://", 7) != 0)
        return refuse(pool, "invalid URL of the mail server: expected smtp:// or smtps://");
    if (na_has_control(url))
        return refuse(pool, "the URL contains a control character");
    *options = (na_mail_options){.transport = "smtp",
                                 .port = smtps ? SMTPS_PORT : SUBMISSION_PORT,
                                 .tls = smtps ? NA_MAIL_SMTPS : NA_MAIL_STARTTLS,
                                 .timeout_ms = TIMEOUT_MS,
                                 .connect_timeout_ms = CONNECT_TIMEOUT_MS};
    return parse_authority(pool, url + (smtps ? 8 : 7), options);
}

na_error *na_mail_options_start(apr_pool_t *pool, const char *text, na_mail_options *options)
{
    if (strchr(text, ':'))
        return na_mail_url_parse(pool, text, options);
    if (strcmp(text, na_mail_smtp.name) == 0)
        return refuse(pool, "smtp requires the URL of the server: smtp://host or smtps://host");
    if (!na_mail_transport_find(text))
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "mail: unknown transport '%s': expected one of %s", text,
                            na_mail_transport_names(pool));
    *options = (na_mail_options){.transport = text,
                                 .timeout_ms = TIMEOUT_MS,
                                 .connect_timeout_ms = CONNECT_TIMEOUT_MS};
    return NULL;
}

/* ── whether options fit ───────────────────────────────────────────────────────────────────── */

static int has_name(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return 1;
    return 0;
}

static na_error *check_text(apr_pool_t *pool, const na_mail_transport *transport, const char *name,
                            const char *value)
{
    if (value && !has_name(transport->needs, name) && !has_name(transport->takes, name))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "mail: %s does not support the option %s",
                                               transport->name, name),
                                  "remove it");
    if (has_name(transport->needs, name) && (!value || !*value))
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "mail: %s requires %s=", transport->name, name),
                                  apr_psprintf(pool, "set NextAuthMail %s ... %s=", transport->name,
                                               name));
    if (value && (!*value || na_has_control(value) || !na_is_utf8(value)))
        return na_error_with_hint(
            na_error_new(pool, NA_ERR_CONFIGURATION,
                         "mail: %s is empty, contains control characters, or is not UTF-8", name),
            "check its value and where the value comes from");
    return NULL;
}

static na_error *check_texts(apr_pool_t *pool, const na_mail_transport *transport,
                             const na_mail_options *options)
{
    for (apr_size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        NA_TRY(check_text(pool, transport, texts[i].name,
                          *(const char *const *)((const char *)options + texts[i].offset)));
    return NULL;
}

na_error *na_mail_sender_check(apr_pool_t *pool, const char *from)
{
    na_mailbox mailbox;
    if (!from)
        return na_error_with_hint(refuse(pool, "missing from=, the sender of emails"),
                                  "set NextAuthMail ... from=auth@example.org, or EMAIL_FROM");
    na_error *error = na_mailbox_parse(pool, from, &mailbox);
    return error ? na_error_wrap(pool, error, NULL, "mail: from=%s", na_one_line(pool, from, 100))
                 : NULL;
}

/* The API key is sent to that URL. */
static na_error *check_base_url(apr_pool_t *pool, const char *text)
{
    na_url url;
    if (!text)
        return NULL;
    if (!na_url_parse(pool, text, &url) || strpbrk(url.path, "?#"))
        return refuse(pool, "invalid baseUrl=: expected an https URL without a query");
    if (strcmp(url.scheme, "https") != 0 && !na_mail_is_loopback(url.host))
        return refuse(pool, "baseUrl= must be an https URL, because the key is sent there");
    return NULL;
}

na_error *na_mail_options_check(apr_pool_t *pool, const na_mail_options *options)
{
    const na_mail_transport *transport = na_mail_transport_find(options->transport);
    if (!transport)
        return refuse(pool, "missing transport");
    if (options->timeout_ms < 1 || options->timeout_ms > 60000 || options->connect_timeout_ms < 1)
        return refuse(pool, "invalid time limit: expected 1 ms to 60 s");
    NA_TRY(check_texts(pool, transport, options));
    NA_TRY(na_mail_sender_check(pool, options->from));
    NA_TRY(check_base_url(pool, options->base_url));
    return transport->check ? transport->check(pool, options) : NULL;
}
