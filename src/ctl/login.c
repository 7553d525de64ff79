/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `login` and `logout`: device authorization (RFC 8628) as its client. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "auth/access_token.h"
#include "base/clock.h"
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "ctl/site_call.h"
#include "twofactor/qr.h"

#define CLIENT "nextauthctl"
#define GRANT_TYPE "urn:ietf:params:oauth:grant-type:device_code"

/* Seconds between polls that a site can ask for, and that failures lead to (RFC 8628 section 3.5).
 */
#define INTERVAL_DEFAULT 5
#define INTERVAL_MAX 120
#define SLOWER 5

typedef struct login {
    na_site_call site;
    const char *url, *scope, *name;
    int prints;
    const char *device_code, *token, *granted;
    long interval;
    apr_time_t until;       /* the codes are valid */
    apr_int64_t expires_in; /* of the token, in seconds; 0 if unknown */
} login;

/* ── what the site says ────────────────────────────────────────────────────────────────────── */

static na_error *refused(const login *l, const na_http_response *response, const json_t *answer)
{
    const char *why = na_json_string(answer, "error_description");
    if (!why)
        why = na_json_string(answer, "message");
    if (!answer || response->status == 401 || response->status == 404) /* no endpoint is there */
        return na_error_with_hint(
            na_error_new(l->site.pool, NA_ERR_CONFIGURATION, "%s returned status %ld", l->site.base,
                         response->status),
            "if the site's NextAuthURL has another path, give that whole URL");
    return na_error_new(l->site.pool, NA_ERR_CONFIGURATION, "%s: %s", l->site.base,
                        why ? na_one_line(l->site.pool, why, 300) : "the request was refused");
}

static long number_of(const json_t *answer, const char *name, long otherwise, long max)
{
    json_int_t number;
    if (!na_json_number(answer, name, &number) || number < 1)
        return otherwise;
    return number < max ? (long)number : max;
}

/* ── codes ─────────────────────────────────────────────────────────────────────────────────── */

static void show_codes(const login *l, const json_t *answer)
{
    apr_pool_t *pool = l->site.pool;
    const char *whole = na_json_string(answer, "verification_uri_complete");
    const char *lines = whole && isatty(2) ? na_qr_lines(pool, whole) : NULL;
    fprintf(stderr, "Open this page, and check that it shows the code:\n\n  %s\n  code: %s\n\n%s",
            na_one_line(pool, na_json_string(answer, "verification_uri"), 300),
            na_one_line(pool, na_json_string(answer, "user_code"), 40), lines ? lines : "");
}

static na_error *ask_for_codes(login *l)
{
    json_t *answer;
    na_http_response response;
    apr_table_t *form = apr_table_make(l->site.pool, 3);
    apr_table_setn(form, "client_id", CLIENT);
    apr_table_setn(form, "device_name", l->name);
    if (l->scope)
        apr_table_setn(form, "scope", l->scope);
    NA_TRY(na_ctl_site_post(&l->site, "/device-authorization", form, &response, &answer));
    l->device_code = na_json_string(answer, "device_code");
    if (response.status != 200 || !l->device_code || !na_json_string(answer, "user_code") ||
        !na_json_string(answer, "verification_uri"))
        return refused(l, &response, answer);
    l->interval = number_of(answer, "interval", INTERVAL_DEFAULT, INTERVAL_MAX);
    l->until = apr_time_now() + apr_time_from_sec(number_of(answer, "expires_in", 600, 3600));
    show_codes(l, answer);
    return NULL;
}

/* ── polling ───────────────────────────────────────────────────────────────────────────────── */

static void wait_longer(login *l, long retry_after)
{
    long interval = retry_after > 2 * l->interval ? retry_after : 2 * l->interval;
    l->interval = interval < INTERVAL_MAX ? interval : INTERVAL_MAX;
}

/* Sets l->token if the user has allowed it. Temporary failures only make it wait longer. */
static na_error *poll_once(login *l, const apr_table_t *form)
{
    json_t *answer;
    na_http_response response;
    if (na_ctl_site_post(&l->site, "/token", form, &response, &answer)) {
        wait_longer(l, 0);
        return NULL;
    }
    const char *code = na_json_string(answer, "error");
    l->token = response.status == 200 ? na_json_string(answer, "access_token") : NULL;
    l->granted = na_json_string(answer, "scope");
    l->expires_in = number_of(answer, "expires_in", 0, 10L * 366 * 24 * 3600);
    if (l->token && !na_access_token_is_well_formed(l->token)) /* it is printed as it is */
        return na_error_new(l->site.pool, NA_ERR_CONFIGURATION, "%s returned an invalid token",
                            l->site.base);
    if (l->token || na_is_same(code ? code : "", "authorization_pending"))
        return NULL;
    if (na_is_same(code ? code : "", "slow_down"))
        l->interval += SLOWER;
    else if (response.status == 503 || response.status == 429)
        wait_longer(l, response.retry_after);
    else
        return refused(l, &response, answer);
    return NULL;
}

static na_error *wait_for_token(login *l)
{
    apr_table_t *form = apr_table_make(l->site.pool, 3);
    apr_table_setn(form, "grant_type", GRANT_TYPE);
    apr_table_setn(form, "device_code", l->device_code);
    apr_table_setn(form, "client_id", CLIENT);
    while (!l->token) {
        if (apr_time_now() > l->until)
            return na_error_new(l->site.pool, NA_ERR_CONFIGURATION,
                                "the code has expired: start again");
        apr_sleep(apr_time_from_sec(l->interval));
        NA_TRY(poll_once(l, form));
    }
    return NULL;
}

/* ── the token ─────────────────────────────────────────────────────────────────────────────── */

static na_error *keep_token(const login *l)
{
    json_t *tokens;
    const char *path;
    const char *end =
        l->expires_in ? na_iso8601(l->site.pool, apr_time_now() + apr_time_from_sec(l->expires_in))
                      : NULL;
    NA_TRY(na_ctl_tokens_path(l->site.pool, &path));
    NA_TRY(na_ctl_tokens_read(l->site.pool, path, &tokens));
    json_object_set_new(tokens, l->site.base,
                        json_pack("{s:s, s:s*, s:s*}", "token", l->token, "scope", l->granted,
                                  "expires", end));
    NA_TRY(na_ctl_tokens_write(l->site.pool, path, tokens));
    fprintf(stderr, "Signed in. The token is in %s%s%s.\n", path, end ? ", and valid until " : "",
            end ? na_ctl_minute(l->site.pool, end) : "");
    return NULL;
}

static na_error *check_path(const login *l)
{
    json_t *tokens;
    const char *path;
    if (l->prints)
        return NULL;
    NA_TRY(na_ctl_tokens_path(l->site.pool, &path));
    return na_ctl_tokens_read(l->site.pool, path, &tokens);
}

static na_error *log_in(login *l)
{
    NA_TRY(check_path(l)); /* before the user has done anything */
    NA_TRY(na_ctl_site_open(&l->site, l->url));
    NA_TRY(ask_for_codes(l));
    NA_TRY(wait_for_token(l));
    if (!l->prints)
        return keep_token(l);
    printf("%s\n", l->token);
    return NULL;
}

static const char *host_name(apr_pool_t *pool)
{
    char name[101] = "";
    return gethostname(name, sizeof name - 1) == 0 && *name ? apr_pstrdup(pool, name) : CLIENT;
}

int na_command_login(apr_pool_t *pool, int argc, char **argv)
{
    login l = {.site.pool = pool};
    const char *const *operands;
    const na_option options[] = {{"scope", 's', .text = &l.scope},
                                 {"name", 'n', .text = &l.name},
                                 {"print", 'p', .flag = &l.prints},
                                 {"ca-file", 'c', .text = &l.site.ca_file},
                                 {"insecure-loopback", 'l', .flag = &l.site.loopback},
                                 {0}};
    if (na_ctl_options(pool, argc, argv, options, &operands) != 1)
        return na_ctl_wrong_call("login", NULL);
    l.url = operands[0];
    if (!l.name)
        l.name = host_name(pool);
    na_error *error = log_in(&l);
    return error ? na_ctl_failed(pool, error) : 0;
}

/* ── logout ────────────────────────────────────────────────────────────────────────────────── */

/* A token that the site cannot revoke now is forgotten all the same, and that is said. */
static void revoke_token(na_site_call *site, const char *token)
{
    json_t *answer;
    na_http_response response = {0};
    apr_table_t *form = apr_table_make(site->pool, 1);
    apr_table_setn(form, "token", token);
    if (na_ctl_site_post(site, "/revoke", form, &response, &answer) || response.status != 200)
        fprintf(stderr, "nextauthctl: the site did not revoke the token: revoke it at %s/tokens\n",
                site->base);
}

static na_error *log_out(na_site_call *site, const char *url)
{
    json_t *tokens;
    const char *path;
    NA_TRY(na_ctl_site_open(site, url));
    NA_TRY(na_ctl_tokens_path(site->pool, &path));
    NA_TRY(na_ctl_tokens_read(site->pool, path, &tokens));
    const char *token = na_json_string(json_object_get(tokens, site->base), "token");
    if (!token)
        return na_error_new(site->pool, NA_ERR_CONFIGURATION, "there is no token for %s",
                            site->base);
    revoke_token(site, token);
    json_object_del(tokens, site->base);
    return na_ctl_tokens_write(site->pool, path, tokens);
}

int na_command_logout(apr_pool_t *pool, int argc, char **argv)
{
    na_site_call site = {.pool = pool};
    const char *const *operands;
    const na_option options[] = {{"ca-file", 'c', .text = &site.ca_file},
                                 {"insecure-loopback", 'l', .flag = &site.loopback},
                                 {0}};
    if (na_ctl_options(pool, argc, argv, options, &operands) != 1)
        return na_ctl_wrong_call("logout", NULL);
    na_error *error = log_out(&site, operands[0]);
    return error ? na_ctl_failed(pool, error) : 0;
}
