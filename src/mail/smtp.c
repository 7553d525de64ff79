/* SPDX-License-Identifier: Apache-2.0 */
/* The transport for SMTP, over libcurl. */
#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>
#include <curl/curl.h>

#include "base/clock.h"
#include "base/trust.h"
#include "base/url.h"
#include "mail/host.h"
#include "mail/transport.h"

/* Data that libcurl uses until the message is sent. */
typedef struct session {
    const na_mail *mail;
    CURL *curl;
    curl_mime *mime;
    struct curl_slist *recipients;
    struct curl_slist *headers;
    apr_time_t deadline;
    int needs_utf8;  /* the recipient's address is beyond ASCII */
    int offers_utf8; /* by the server's last reply to EHLO */
    int is_greeted;  /* that reply is complete */
    int lacks_utf8;  /* UTF-8 is needed and not offered: nothing was sent */
    char error[CURL_ERROR_SIZE];
} session;

/*
 * A handle is kept from one message to the next, because it has the parsed CA certificates
 * (na_trust): the system's take longer to read than all the rest of a message.
 */
static CURL *take_handle(const na_mail *mail)
{
    CURL *kept = apr_atomic_xchgptr((volatile void **)&mail->kept, NULL);
    return kept ? kept : curl_easy_init();
}

static void keep_handle(const na_mail *mail, CURL *curl)
{
    curl_easy_reset(curl);
    if (apr_atomic_casptr((volatile void **)&mail->kept, curl, NULL))
        curl_easy_cleanup(curl); /* another thread's is there */
}

static void end_session(session *s)
{
    keep_handle(s->mail, s->curl);
    curl_mime_free(s->mime);
    curl_slist_free_all(s->recipients);
    curl_slist_free_all(s->headers);
}

/* ── the message ───────────────────────────────────────────────────────────────────────────── */

static void add_header(session *s, apr_pool_t *pool, const char *name, const char *value)
{
    s->headers = curl_slist_append(s->headers, apr_pstrcat(pool, name, ": ", value, NULL));
}

/* Returns the date with the zone as RFC 5322 writes it. */
static const char *date_of(apr_pool_t *pool, apr_time_t when)
{
    char *date = na_http_date(pool, when);
    return apr_pstrcat(pool, apr_pstrndup(pool, date, strlen(date) - strlen("GMT")), "+0000", NULL);
}

static void set_headers(session *s, apr_pool_t *pool, const na_mail_letter *letter)
{
    const char *domain = strchr(letter->from.email, '@');
    add_header(s, pool, "Date", date_of(pool, apr_time_now()));
    add_header(s, pool, "From", na_mailbox_header(pool, &letter->from));
    add_header(s, pool, "To", letter->to); /* RFC 6532 if beyond ASCII */
    add_header(s, pool, "Message-ID", apr_pstrcat(pool, "<", letter->id, domain, ">", NULL));
    add_header(s, pool, "Subject", na_mail_header_text(pool, letter->subject));
    /* no vacation replies (RFC 3834) */
    add_header(s, pool, "Auto-Submitted", "auto-generated");
    curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, s->headers);
}

/* Email lines end with CR LF; libcurl would encode a bare LF as a character. */
static const char *crlf(apr_pool_t *pool, const char *text)
{
    char *out = apr_palloc(pool, strlen(text) * 2 + 1), *p = out;
    for (char before = '\0'; *text; before = *text++) {
        if (*text == '\n' && before != '\r')
            *p++ = '\r';
        *p++ = *text;
    }
    *p = '\0';
    return out;
}

static CURLcode add_text(curl_mime *mime, apr_pool_t *pool, const char *type, const char *text)
{
    curl_mimepart *part = curl_mime_addpart(mime);
    CURLcode code = curl_mime_data(part, crlf(pool, text), CURL_ZERO_TERMINATED);
    if (code == CURLE_OK)
        code = curl_mime_type(part, type);
    return code == CURLE_OK ? curl_mime_encoder(part, "quoted-printable") : code;
}

/* The best form comes last (RFC 2046 section 5.1.4). */
static CURLcode add_alternatives(session *s, apr_pool_t *pool, const na_mail_letter *letter)
{
    curl_mime *both = curl_mime_init(s->curl);
    curl_mimepart *part = curl_mime_addpart(s->mime);
    CURLcode code = curl_mime_subparts(part, both);
    if (code != CURLE_OK) {
        curl_mime_free(both);
        return code;
    }
    code = add_text(both, pool, "text/plain; charset=utf-8", letter->text);
    if (code == CURLE_OK)
        code = add_text(both, pool, "text/html; charset=utf-8", letter->html);
    return code == CURLE_OK ? curl_mime_type(part, "multipart/alternative") : code;
}

/* ── addresses beyond ASCII ────────────────────────────────────────────────────────────────── */

static int is_reply(const char *line, size_t len, const char *code)
{
    return len > 3 && strncmp(line, code, 3) == 0;
}

static int is_utf8_offer(const char *line, size_t len)
{
    static const char keyword[] = "SMTPUTF8";
    const char *word = line + 4;
    size_t word_len = len > 4 ? len - 4 : 0, keyword_len = sizeof keyword - 1;
    return word_len > keyword_len && strncasecmp(word, keyword, keyword_len) == 0 &&
           strchr(" \r\n", word[keyword_len]);
}

/*
 * Receives the server's replies, a line at a time. libcurl adds SMTPUTF8 to MAIL if the server
 * offers it, and sends the address in any case; without it, the attempt ends here at the reply to
 * MAIL, before the address is sent (RFC 6531 section 3.2). Offers before STARTTLS do not count
 * (RFC 3207 section 4.2).
 */
static size_t read_reply(char *line, size_t size, size_t count, void *data)
{
    session *s = data;
    size_t len = size * count;
    if (is_reply(line, len, "220")) {
        s->is_greeted = s->offers_utf8 = 0;
    } else if (is_reply(line, len, "250") && !s->is_greeted) {
        s->offers_utf8 |= is_utf8_offer(line, len);
        s->is_greeted = line[3] != '-';
    } else if (is_reply(line, len, "250")) {
        s->lacks_utf8 = s->needs_utf8 && !s->offers_utf8;
    }
    return s->lacks_utf8 ? 0 : len;
}

static void set_recipient(session *s, const char *email)
{
    for (const char *p = email; *p; p++)
        s->needs_utf8 |= (unsigned char)*p >= 0x80;
    curl_easy_setopt(s->curl, CURLOPT_HEADERFUNCTION, read_reply);
    curl_easy_setopt(s->curl, CURLOPT_HEADERDATA, s);
    s->recipients = curl_slist_append(NULL, email);
    curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, s->recipients);
}

/* ── the whole ─────────────────────────────────────────────────────────────────────────────── */

static CURLcode set_message(session *s, apr_pool_t *pool, const na_mail_letter *letter)
{
    s->mime = curl_mime_init(s->curl);
    CURLcode code = letter->html
                        ? add_alternatives(s, pool, letter)
                        : add_text(s->mime, pool, "text/plain; charset=utf-8", letter->text);
    if (code != CURLE_OK)
        return code;
    set_headers(s, pool, letter);
    curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, letter->from.email);
    set_recipient(s, letter->to);
    return curl_easy_setopt(s->curl, CURLOPT_MIMEPOST, s->mime);
}

/* ── the connection ────────────────────────────────────────────────────────────────────────── */

static const char *url_of(apr_pool_t *pool, const na_mail_options *options)
{
    const char *scheme = options->tls == NA_MAIL_SMTPS ? "smtps" : "smtp";
    const char *host = options->host;
    if (strchr(host, ':'))
        host = apr_pstrcat(pool, "[", host, "]", NULL);
    return apr_psprintf(pool, "%s://%s:%d", scheme, host, options->port);
}

static void set_tls(CURL *curl, const na_mail_options *options)
{
    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     (long)(options->tls == NA_MAIL_CLEAR ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    na_trust(curl, options->ca_file);
}

/* libcurl calls this about once a second, and at each event. */
static int is_too_late(void *data, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    const session *s = data;
    return apr_time_now() > s->deadline || na_mail_is_stopped(s->mail);
}

/* libcurl's own limit does not cover QUIT; if the connection were kept, QUIT would have no limit.
 */
static void set_limits(session *s, const na_mail_options *options)
{
    s->deadline = apr_time_now() + apr_time_from_msec(options->timeout_ms);
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, options->timeout_ms);
    curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS, options->connect_timeout_ms);
    curl_easy_setopt(s->curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(s->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(s->curl, CURLOPT_XFERINFOFUNCTION, is_too_late);
    curl_easy_setopt(s->curl, CURLOPT_XFERINFODATA, s);
}

static void set_server(CURL *curl, apr_pool_t *pool, const na_mail_options *options)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_SMTP | CURLPROTO_SMTPS);
#endif
    curl_easy_setopt(curl, CURLOPT_URL, url_of(pool, options));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (options->user) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, options->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, options->password);
    }
    set_tls(curl, options);
}

/* ── results ───────────────────────────────────────────────────────────────────────────────── */

/* Errors without a reply of the server that a later attempt would not remedy. */
static int is_final(CURLcode code)
{
    return code == CURLE_USE_SSL_FAILED || code == CURLE_PEER_FAILED_VERIFICATION ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_LOGIN_DENIED;
}

static const char *words_of(const session *s, CURLcode code)
{
    if (code == CURLE_OPERATION_TIMEDOUT || code == CURLE_ABORTED_BY_CALLBACK)
        return "timed out";
    return *s->error ? s->error : curl_easy_strerror(code);
}

static na_error *failure(const session *s, apr_pool_t *pool, const na_mail_options *options,
                         CURLcode code)
{
    long reply = 0;
    if (s->lacks_utf8)
        return na_error_new(pool, NA_ERR_EMAIL_SIGNIN,
                            "mail server %s port %d does not support SMTPUTF8, which the "
                            "recipient's email address requires",
                            options->host, options->port);
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &reply);
    int temporary = reply / 100 == 4 || (reply / 100 != 5 && !is_final(code));
    const char *final = is_final(code) ? NA_ERR_CONFIGURATION : NA_ERR_EMAIL_SIGNIN;
    return na_error_new(pool, temporary ? NA_ERR_UNAVAILABLE : final, "mail server %s port %d: %s",
                        options->host, options->port, words_of(s, code));
}

static na_error *open_session(const na_mail *mail, apr_pool_t *pool, session *s)
{
    *s = (session){.mail = mail, .curl = take_handle(mail)};
    if (!s->curl)
        return na_error_new(pool, NA_ERR_UNAVAILABLE, "could not create a libcurl handle");
    curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->error);
    set_server(s->curl, pool, mail->options);
    set_limits(s, mail->options);
    return NULL;
}

static na_error *smtp_send(const na_mail *mail, apr_pool_t *pool, const na_mail_letter *letter)
{
    session s;
    NA_TRY(open_session(mail, pool, &s));
    CURLcode code = set_message(&s, pool, letter);
    if (code == CURLE_OK)
        code = curl_easy_perform(s.curl);
    na_error *error = code == CURLE_OK ? NULL : failure(&s, pool, mail->options, code);
    end_session(&s);
    return error;
}

/* After TLS and authentication, one command that does nothing (RFC 5321 section 4.1.1.9). */
static na_error *smtp_probe(const na_mail *mail, apr_pool_t *pool)
{
    session s;
    NA_TRY(open_session(mail, pool, &s));
    curl_easy_setopt(s.curl, CURLOPT_CUSTOMREQUEST, "NOOP");
    curl_easy_setopt(s.curl, CURLOPT_NOBODY, 1L);
    CURLcode code = curl_easy_perform(s.curl);
    na_error *error = code == CURLE_OK ? NULL : failure(&s, pool, mail->options, code);
    end_session(&s);
    return error;
}

/* ── its options ───────────────────────────────────────────────────────────────────────────── */

static na_error *refuse(apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_CONFIGURATION, "mail: %s", why);
}

static na_error *check_readable(apr_pool_t *pool, const char *path)
{
    apr_file_t *file;
    if (!path)
        return NULL;
    if (apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, pool) != APR_SUCCESS)
        return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                               "mail: could not read '%s'", path),
                                  "check that it exists and that the httpd user can read it");
    apr_file_close(file);
    return NULL;
}

static na_error *smtp_check(apr_pool_t *pool, const na_mail_options *options)
{
    if (!na_is_host(options->host) || options->port < 1 || options->port > 65535)
        return refuse(pool, "invalid host or port");
    if (!options->user != !options->password)
        return na_error_with_hint(refuse(pool, "a username and a password require each other"),
                                  "set both, or remove both");
    if (options->tls == NA_MAIL_CLEAR && options->user && !na_mail_is_loopback(options->host))
        return na_error_with_hint(refuse(pool, "a password requires TLS, which tls=off disables"),
                                  "remove ?tls=off");
    if (options->tls == NA_MAIL_CLEAR && !na_mail_is_local(options->host))
        return na_error_with_hint(
            refuse(pool, "tls=off is supported only for this machine and private networks"),
            "remove it");
    return check_readable(pool, options->ca_file);
}

static const char *const needs[] = {"host", NULL};
static const char *const takes[] = {"username", "password", "caFile", NULL};
const na_mail_transport na_mail_smtp = {"smtp",    needs,      takes, smtp_check,
                                        smtp_send, smtp_probe, NULL};
