/* SPDX-License-Identifier: Apache-2.0 */
/* Dynamic client registration (RFC 7591, OpenID Connect Dynamic Client Registration 1.0). */
#include "oauth/registration.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"

/* bytes */
#define ID_MAX 512
#define TEXT_MAX 4096
#define QUOTE_MAX 300

const char *na_registration_request(apr_pool_t *pool, const na_registration_wish *wish)
{
    return na_json_dump(
        pool,
        na_json_own(pool, json_pack("{s:[s], s:[s], s:[s], s:s, s:s*, s:s*, s:s*, s:s*, s:s*}",
                                    "redirect_uris", wish->callback_url, "response_types", "code",
                                    "grant_types", "authorization_code", "application_type", "web",
                                    "client_name", wish->name, "token_endpoint_auth_method",
                                    wish->auth_method, "jwks_uri", wish->jwks_url, "scope",
                                    wish->scope, "initiate_login_uri", wish->initiate_url)));
}

static na_error *invalid(apr_pool_t *pool, const char *member)
{
    return na_error_new(pool, NA_ERR_CALLBACK, "the registration response has no valid %s", member);
}

/* Section 3.2.2. */
static na_error *refusal_of(apr_pool_t *pool, long status, const json_t *answer)
{
    const char *error = na_json_string(answer, "error");
    const char *description = na_json_string(answer, "error_description");
    return na_error_new(pool, NA_ERR_CALLBACK, "the registration was refused with status %ld%s%s%s",
                        status, error || description ? ": " : "",
                        error ? na_one_line(pool, error, QUOTE_MAX) : "",
                        description ? apr_pstrcat(pool, error ? ", " : "",
                                                  na_one_line(pool, description, QUOTE_MAX), NULL)
                                    : "");
}

/*
 * Visible ASCII characters (RFC 6749 appendix A.1) but those that httpd interprets. A value that
 * begins with exec: would be run by the user that starts httpd.
 */
static int is_safe_id(const char *id)
{
    static const char *const prefixes[] = {"env:", "file:", "exec:"};
    size_t len = strlen(id);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(id, prefixes[i], strlen(prefixes[i])) == 0)
            return 0;
    for (size_t i = 0; i < len; i++)
        if (id[i] <= 0x20 || id[i] >= 0x7f || strchr("\"'\\${}<>`", id[i]))
            return 0;
    return len > 0 && len <= ID_MAX;
}

/* Sets *text to an optional member; what is there must be a text of one line. */
static na_error *take_text(apr_pool_t *pool, const json_t *answer, const char *member,
                           const char **text)
{
    const json_t *value = json_object_get(answer, member);
    *text = json_string_value(value);
    if (!value || json_is_null(value))
        return NULL;
    return *text && **text && strlen(*text) <= TEXT_MAX && !na_has_control(*text)
               ? NULL
               : invalid(pool, member);
}

/* Section 3.2.1: required if there is a secret; some providers omit it then. */
static na_error *take_expiry(apr_pool_t *pool, const json_t *answer, apr_int64_t *expires)
{
    json_int_t number = 0;
    if (json_object_get(answer, "client_secret_expires_at") &&
        (!na_json_number(answer, "client_secret_expires_at", &number) || number < 0))
        return invalid(pool, "client_secret_expires_at");
    *expires = number;
    return NULL;
}

na_error *na_registration_read(apr_pool_t *pool, long status, na_bytes body,
                               na_registration *registration)
{
    json_t *answer = NULL;
    *registration = (na_registration){0};
    na_error *error =
        na_json_parse(pool, NA_ERR_CALLBACK, (const char *)body.data, body.len, &answer);
    if (status != 200 && status != 201)
        return refusal_of(pool, status, error ? NULL : answer);
    if (error)
        return na_error_wrap(pool, error, NULL, "invalid registration response");
    NA_TRY(take_text(pool, answer, "client_id", &registration->client_id));
    if (!registration->client_id || !is_safe_id(registration->client_id))
        return invalid(pool, "client_id");
    NA_TRY(take_text(pool, answer, "client_secret", &registration->client_secret));
    NA_TRY(take_text(pool, answer, "token_endpoint_auth_method", &registration->auth_method));
    NA_TRY(take_text(pool, answer, "registration_access_token", &registration->access_token));
    NA_TRY(take_text(pool, answer, "registration_client_uri", &registration->url));
    return take_expiry(pool, answer, &registration->secret_expires);
}
