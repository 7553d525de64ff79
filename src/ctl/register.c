/* SPDX-License-Identifier: Apache-2.0 */
/* The command `register`: registers the site with a provider, and prints its directive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/http.h"
#include "base/json.h"
#include "base/url.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "oauth/registration.h"
#include "oauth/webfinger.h"
#include "provider/provider.h"

#define BODY_MAX ((apr_size_t)256 * 1024)
#define TOKEN_MAX ((apr_size_t)16 * 1024)
#define DEFAULT_BASE_PATH "/api/auth"

typedef struct registering {
    apr_pool_t *pool;
    const char *issuer, *site, *id, *file, *token_file, *ca_file;
    na_registration_wish wish;
    int loopback;
    int is_resource;  /* `issuer` is an account or a URL, whose issuer is to be found */
    int is_initiated; /* other sites can begin sign-ins */
    na_http *http;
    const char *token; /* initial access token; NULL if the provider is open to all */
    const char *endpoint;
    na_registration made;
} registering;

static na_error *failure(const registering *r, const char *what, const char *path)
{
    int why = errno;
    return na_error_new(r->pool, NA_ERR_CONFIGURATION, "could not %s '%s': %s", what, path,
                        strerror(why));
}

/* ── what is registered ────────────────────────────────────────────────────────────────────── */

static na_error *read_url(const registering *r, const char *text, na_url *url)
{
    if (!na_url_parse(r->pool, text, url) || strpbrk(url->path, "?#"))
        return na_error_new(r->pool, NA_ERR_CONFIGURATION,
                            "'%s' is not a URL: expected https://example.org",
                            na_one_line(r->pool, text, 200));
    return NULL;
}

/* The secret and the token must not pass in plain text. */
static na_error *check_tls(const registering *r, const na_url *url)
{
    return strcmp(url->scheme, "https") == 0 || na_is_this_machine(url->host)
               ? NULL
               : na_error_new(r->pool, NA_ERR_CONFIGURATION,
                              "%s has no TLS: anyone in between could read the secret; use https",
                              url->origin);
}

static na_error *make_wish(registering *r)
{
    na_url site, issuer;
    NA_TRY(read_url(r, r->site, &site));
    NA_TRY(read_url(r, r->issuer, &issuer));
    NA_TRY(check_tls(r, &issuer));
    const char *path = strcmp(site.path, "/") == 0 || !*site.path ? DEFAULT_BASE_PATH : site.path;
    const char *base = apr_pstrcat(r->pool, site.origin, path, NULL);
    r->wish.callback_url = apr_pstrcat(r->pool, base, "/callback/", r->id, NULL);
    if (r->wish.auth_method && strcmp(r->wish.auth_method, "private_key_jwt") == 0)
        r->wish.jwks_url = apr_pstrcat(r->pool, base, "/jwks", NULL);
    if (r->is_initiated)
        r->wish.initiate_url = apr_pstrcat(r->pool, base, "/initiate/", r->id, NULL);
    if (!r->wish.name)
        r->wish.name = site.host;
    return NULL;
}

/* ── calls ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *open_client(registering *r)
{
    const na_http_options options = {.timeout_ms = 30000,
                                     .connect_timeout_ms = 10000,
                                     .max_bytes = BODY_MAX,
                                     .max_concurrent = 1,
                                     .allow_http = 1,
                                     .ca_file = r->ca_file,
                                     .loopback = r->loopback};
    if (r->token_file) {
        NA_TRY(na_file_read(r->pool, r->token_file, TOKEN_MAX, &r->token));
        r->token = apr_pstrmemdup(r->pool, r->token, strcspn(r->token, "\r\n"));
    }
    na_http_global_init();
    return na_http_make(r->pool, apr_pmemdup(r->pool, &options, sizeof options), &r->http);
}

/* A server that redirects is not followed: its host is the one that vouches for the account. */
static na_error *find_issuer(registering *r)
{
    na_http_request request = {.accept = "application/jrd+json, application/json"};
    na_http_response response;
    if (!r->is_resource)
        return NULL;
    NA_TRY(na_webfinger_url(r->pool, r->issuer, &request.url));
    NA_TRY(na_http_fetch(r->http, r->pool, &request, &response));
    if (response.status != 200)
        return na_error_new(r->pool, NA_ERR_CONFIGURATION, "%s returned status %ld", request.url,
                            response.status);
    return na_webfinger_read(r->pool, response.body, &r->issuer);
}

/* Discovery 1.0 sections 3 and 4.3: the document must name the issuer. */
static na_error *find_endpoint(registering *r)
{
    size_t len = strlen(r->issuer);
    const char *at =
        apr_pstrcat(r->pool, apr_pstrmemdup(r->pool, r->issuer, len - (r->issuer[len - 1] == '/')),
                    "/.well-known/openid-configuration", NULL);
    const na_http_request request = {.url = at};
    na_http_response response;
    json_t *document;
    na_url url;
    NA_TRY(na_http_fetch(r->http, r->pool, &request, &response));
    if (response.status != 200)
        return na_error_new(r->pool, NA_ERR_CONFIGURATION, "%s returned status %ld", at,
                            response.status);
    NA_TRY(na_json_parse(r->pool, NA_ERR_CONFIGURATION, (const char *)response.body.data,
                         response.body.len, &document));
    const char *issuer = na_json_string(document, "issuer");
    if (!issuer || strcmp(issuer, r->issuer) != 0)
        return na_error_new(r->pool, NA_ERR_CONFIGURATION,
                            "the discovery document has the issuer '%s'",
                            issuer ? na_one_line(r->pool, issuer, 300) : "");
    r->endpoint = na_json_string(document, "registration_endpoint");
    if (!r->endpoint)
        return na_error_new(r->pool, NA_ERR_CONFIGURATION,
                            "the provider does not register clients: its discovery document has "
                            "no registration_endpoint");
    NA_TRY(read_url(r, r->endpoint, &url));
    return check_tls(r, &url);
}

static na_error *ask_provider(registering *r)
{
    const na_http_request request = {.url = r->endpoint,
                                     .json = na_registration_request(r->pool, &r->wish),
                                     .bearer = r->token};
    na_http_response response;
    NA_TRY(na_http_fetch(r->http, r->pool, &request, &response));
    return na_registration_read(r->pool, response.status, response.body, &r->made);
}

/* ── what is kept ──────────────────────────────────────────────────────────────────────────── */

/* The file of an earlier client could still be in use. */
static na_error *check_free(const registering *r, const char *path)
{
    return access(path, F_OK) != 0 ? NULL
                                   : na_error_with_hint(na_error_new(r->pool, NA_ERR_CONFIGURATION,
                                                                     "'%s' exists", path),
                                                        "name another file, or move this one away");
}

static na_error *create_file(const registering *r, const char *path, int *fd)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *fd >= 0 ? NULL : failure(r, "create", path);
}

static na_error *write_file(const registering *r, int fd, const char *path, const char *text)
{
    size_t len = strlen(text);
    int done = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    return close(fd) == 0 && done ? NULL : failure(r, "write", path);
}

static const char *management_file(const registering *r)
{
    return apr_pstrcat(r->pool, r->file, ".registration", NULL);
}

/* RFC 7592: with these, the client can be changed and deleted. */
static na_error *keep_management(const registering *r)
{
    const char *path = management_file(r);
    int fd;
    if (!r->made.access_token)
        return NULL;
    const json_t *json =
        na_json_own(r->pool, json_pack("{s:s, s:s*, s:s}", "client_id", r->made.client_id,
                                       "registration_client_uri", r->made.url,
                                       "registration_access_token", r->made.access_token));
    NA_TRY(create_file(r, path, &fd));
    return write_file(r, fd, path, apr_pstrcat(r->pool, na_json_dump(r->pool, json), "\n", NULL));
}

/* Returns the provider's word for how the client authenticates; NULL if it is an unknown one. */
static const char *auth_method_of(const na_registration *made)
{
    for (int auth = NA_AUTH_BASIC; made->auth_method && auth <= NA_AUTH_NONE; auth++)
        if (strcmp(made->auth_method, na_token_auth_name((na_token_auth)auth)) == 0)
            return na_token_auth_name((na_token_auth)auth);
    return NULL;
}

static void print_directive(const registering *r)
{
    const na_registration *made = &r->made;
    if (made->secret_expires)
        printf("# The secret expires on %s. Register again before that.\n",
               na_ctl_minute(r->pool,
                             na_iso8601(r->pool, apr_time_from_sec(made->secret_expires))));
    printf("NextAuthProvider %s type=oidc issuer=%s clientId=%s", r->id, r->issuer,
           made->client_id);
    if (made->client_secret)
        printf(" clientSecret=file:%s", r->file);
    if (r->wish.jwks_url)
        printf(" clientKey=file:KEY");
    if (auth_method_of(made))
        printf(" token_endpoint_auth_method=%s", auth_method_of(made));
    if (r->is_initiated)
        printf(" initiatedSignIn=true");
    printf("\n");
}

/* The file is created first, so that no client is registered whose secret cannot be kept. */
static na_error *register_client(registering *r)
{
    int fd;
    NA_TRY(check_free(r, r->file));
    NA_TRY(check_free(r, management_file(r)));
    NA_TRY(open_client(r));
    NA_TRY(find_issuer(r));
    NA_TRY(make_wish(r));
    NA_TRY(find_endpoint(r));
    NA_TRY(create_file(r, r->file, &fd));
    na_error *error = ask_provider(r);
    if (error) {
        close(fd);
        unlink(r->file);
        return error;
    }
    if (r->wish.jwks_url) /* some providers issue a secret to everyone */
        r->made.client_secret = NULL;
    NA_TRY(write_file(r, fd, r->file, r->made.client_secret ? r->made.client_secret : ""));
    if (!r->made.client_secret)
        unlink(r->file);
    NA_TRY(keep_management(r));
    print_directive(r);
    return NULL;
}

static int is_provider_id(const char *id)
{
    return id && *id && strlen(id) <= 64 &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
               strlen(id);
}

int na_command_register(apr_pool_t *pool, int argc, char **argv)
{
    registering r = {.pool = pool};
    const char *const *operands;
    const na_option options[] = {{"url", 'u', .text = &r.site},
                                 {"id", 'i', .text = &r.id},
                                 {"secret-file", 's', .text = &r.file},
                                 {"token-file", 't', .text = &r.token_file},
                                 {"auth", 'a', .text = &r.wish.auth_method},
                                 {"name", 'n', .text = &r.wish.name},
                                 {"scope", 'o', .text = &r.wish.scope},
                                 {"ca-file", 'c', .text = &r.ca_file},
                                 {"webfinger", 'w', .flag = &r.is_resource},
                                 {"initiated-sign-in", 'b', .flag = &r.is_initiated},
                                 {"insecure-loopback", 'l', .flag = &r.loopback},
                                 {0}};
    if (na_ctl_options(pool, argc, argv, options, &operands) != 1 || !*operands[0])
        return na_ctl_wrong_call("register", "one ISSUER is required");
    r.issuer = operands[0];
    r.is_resource |= na_webfinger_is_account(r.issuer);
    if (!r.site || !r.file || !is_provider_id(r.id))
        return na_ctl_wrong_call("register", "--url, --id, and --secret-file are required");
    na_error *error = register_client(&r);
    return error ? na_ctl_failed(pool, error) : 0;
}
