/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the HTTP APIs of email services. */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "mail/transport.h"

/* Most bytes of a service's error text that are logged. */
#define SAID_MAX 200

const char *na_mail_api_url(apr_pool_t *pool, const na_mail_options *options, const char *origin,
                            const char *path)
{
    const char *base = options->base_url ? options->base_url : origin;
    apr_size_t len = strlen(base);
    while (len && base[len - 1] == '/')
        len--;
    return apr_pstrcat(pool, apr_pstrmemdup(pool, base, len), path, NULL);
}

/* Returns the error text, wherever a service puts it; NULL if none. */
static const char *find_words(const json_t *answer)
{
    static const char *const paths[] = {"message", "Message", "errors.0.message"};
    for (apr_size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const json_t *found = na_json_path(answer, paths[i]);
        if (json_is_string(found))
            return json_string_value(found);
    }
    return NULL;
}

/* Returns ": ERROR TEXT", or "" if it contains an address, which would be the recipient's. */
static const char *words_of(apr_pool_t *pool, na_bytes body)
{
    json_t *answer;
    if (na_json_parse(pool, NA_ERR_EMAIL_SIGNIN, (const char *)body.data, body.len, &answer))
        return "";
    const char *words = find_words(answer);
    return words && !strchr(words, '@')
               ? apr_pstrcat(pool, ": ", na_one_line(pool, words, SAID_MAX), NULL)
               : "";
}

static int is_stopped(void *mail)
{
    return na_mail_is_stopped(mail);
}

static na_error *fetch_api(const na_mail *mail, apr_pool_t *pool, const na_http_request *given,
                           na_http_response *response)
{
    na_http_request request = *given;
    request.is_cancelled = is_stopped;
    request.data = (void *)mail;
    if (!mail->http)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "%s requires an HTTP client",
                            mail->transport->name);
    na_error *error = na_http_fetch(mail->http, pool, &request, response);
    return error ? na_error_wrap(pool, error, NA_ERR_UNAVAILABLE, "%s", mail->transport->name)
                 : NULL;
}

na_error *na_mail_api_reach(const na_mail *mail, apr_pool_t *pool, const char *origin)
{
    na_http_request request = {.url = na_mail_api_url(pool, mail->options, origin, "/")};
    na_http_response response;
    return fetch_api(mail, pool, &request, &response);
}

na_error *na_mail_api_probe(const na_mail *mail, apr_pool_t *pool)
{
    return na_mail_api_reach(mail, pool, mail->transport->origin);
}

na_error *na_mail_post(const na_mail *mail, apr_pool_t *pool, const na_http_request *request)
{
    na_http_response response;
    NA_TRY(fetch_api(mail, pool, request, &response));
    if (response.status >= 200 && response.status < 300)
        return NULL;
    int temporary = response.status == 429 || response.status >= 500;
    const char *final = response.status == 401 || response.status == 403 ? NA_ERR_CONFIGURATION
                                                                         : NA_ERR_EMAIL_SIGNIN;
    return na_error_new(pool, temporary ? NA_ERR_UNAVAILABLE : final, "%s returned status %ld%s",
                        mail->transport->name, response.status, words_of(pool, response.body));
}

na_error *na_mail_post_json(const na_mail *mail, apr_pool_t *pool, na_http_request *request,
                            json_t *json)
{
    if (!json)
        return na_error_new(pool, NA_ERR_EMAIL_SIGNIN, "%s: could not create JSON from the message",
                            mail->transport->name);
    request->json = na_json_dump(pool, na_json_own(pool, json));
    return na_mail_post(mail, pool, request);
}
