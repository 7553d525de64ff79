/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/registration.h"

#include <string.h>

#include <apr_strings.h>

#include "tap.h"

/* The client ID of a response with these members, or "! why not". */
static const char *id_of(apr_pool_t *pool, long status, const char *body)
{
    na_registration made;
    na_error *error = na_registration_read(pool, status, na_bytes_of(body), &made);
    return error ? apr_pstrcat(pool, "! ", na_error_text(pool, error), NULL) : made.client_id;
}

static void responses(apr_pool_t *pool)
{
    na_registration made;
    const char *whole =
        "{\"client_id\":\"s6BhdRkqt3\",\"client_secret\":\"cf136dc3\",\"client_secret_expires_at\":"
        "1893276890,\"registration_access_token\":\"token\",\"registration_client_uri\":"
        "\"https://op.example/c\",\"token_endpoint_auth_method\":\"client_secret_basic\"}";
    succeeds(na_registration_read(pool, 201, na_bytes_of(whole), &made), "a response");
    is(made.client_id, "s6BhdRkqt3", "  its client ID");
    is(made.client_secret, "cf136dc3", "  its secret");
    is(made.access_token, "token", "  its token");
    is_number(made.secret_expires, 1893276890, "  when the secret expires");
    is(id_of(pool, 200, "{\"client_id\":\"x\"}"), "x", "a client without a secret, and status 200");
    is(id_of(pool, 400, "{\"error\":\"invalid_redirect_uri\",\"error_description\":\"No\\n!\"}"),
       "! the registration was refused with status 400: invalid_redirect_uri, No !", "a refusal");
    is(id_of(pool, 503, "<title>Down</title>"), "! the registration was refused with status 503",
       "a page");
    is(id_of(pool, 201, "[]"), "! the registration response has no valid client_id", "a list");
}

/* The administrator copies the line into the configuration. */
static void hostile_ids(apr_pool_t *pool)
{
    static const char *const ids[] = {"",         "a b",     "a\\\"b",    "${HOME}",    "exec:id",
                                      "env:HOME", "file:/x", "a\\u000ab", "caf\\u00e9", "a\\\\b"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        is(id_of(pool, 201, apr_psprintf(pool, "{\"client_id\":\"%s\"}", ids[i])),
           "! the registration response has no valid client_id", "not a client ID");
    is(id_of(pool, 201, "{\"client_id\":7}"), "! the registration response has no valid client_id",
       "nor a number");
    is(id_of(pool, 201, "{\"client_id\":\"https://rp.example/a?b=c&d#e\"}"),
       "https://rp.example/a?b=c&d#e", "a URL is one");
    is(id_of(pool, 201, "{\"client_id\":\"x\",\"client_secret\":\"a\\nb\"}"),
       "! the registration response has no valid client_secret", "a secret has one line");
    is(id_of(pool, 201, "{\"client_id\":\"x\",\"client_secret_expires_at\":\"soon\"}"),
       "! the registration response has no valid client_secret_expires_at", "a time is a number");
}

static void requests(apr_pool_t *pool)
{
    const na_registration_wish wish = {.callback_url = "https://rp.example/cb",
                                       .name = "A \"name\""};
    const na_registration_wish more = {.callback_url = "https://rp.example/cb",
                                       .initiate_url = "https://rp.example/initiate/x"};
    const char *text = na_registration_request(pool, &wish);
    ok(strstr(text, "\"redirect_uris\":[\"https://rp.example/cb\"]") != NULL, "the callback URL");
    ok(strstr(text, "\"client_name\":\"A \\\"name\\\"\"") != NULL, "the name");
    ok(!strstr(text, "jwks_uri") && !strstr(text, "initiate_login_uri") && !strstr(text, "null"),
       "nothing that is not wished");
    ok(strstr(na_registration_request(pool, &more),
              "\"initiate_login_uri\":\"https://rp.example/initiate/x\"") != NULL,
       "where other sites begin sign-ins");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    responses(pool);
    hostile_ids(pool);
    requests(pool);
    return tap_done();
}
