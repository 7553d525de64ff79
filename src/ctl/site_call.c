/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to a site's endpoints, and the file with the access tokens of sites. */
#include "ctl/site_call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/file.h"
#include "base/json.h"
#include "base/url.h"

#define DEFAULT_BASE_PATH "/api/auth"

#define BODY_MAX ((apr_size_t)64 * 1024)
#define FILE_MAX ((apr_size_t)1024 * 1024)

/* ── calls ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *set_base(na_site_call *call, const char *text)
{
    na_url url;
    if (!na_url_parse(call->pool, text, &url) || strpbrk(url.path, "?#"))
        return na_error_new(call->pool, NA_ERR_CONFIGURATION,
                            "'%s' is not a URL: expected https://example.org",
                            na_one_line(call->pool, text, 200));
    if (strcmp(url.scheme, "https") != 0 && !call->loopback && !na_is_this_machine(url.host))
        return na_error_new(call->pool, NA_ERR_CONFIGURATION,
                            "%s has no TLS: anyone in between could read the token; use https",
                            url.origin);
    char *path = apr_pstrdup(call->pool, url.path);
    for (size_t len = strlen(path); len && path[len - 1] == '/'; len--)
        path[len - 1] = '\0';
    call->base = apr_pstrcat(call->pool, url.origin, *path ? path : DEFAULT_BASE_PATH, NULL);
    return NULL;
}

na_error *na_ctl_site_open(na_site_call *call, const char *url)
{
    const na_http_options options = {.timeout_ms = 30000,
                                     .connect_timeout_ms = 10000,
                                     .max_bytes = BODY_MAX,
                                     .max_concurrent = 1,
                                     .allow_http = 1,
                                     .ca_file = call->ca_file,
                                     .loopback = call->loopback};
    NA_TRY(set_base(call, url));
    na_http_global_init();
    return na_http_make(call->pool, apr_pmemdup(call->pool, &options, sizeof options), &call->http);
}

na_error *na_ctl_site_post(na_site_call *call, const char *path, const apr_table_t *form,
                           na_http_response *response, json_t **answer)
{
    const char *query = na_url_add_all(call->pool, "", form);
    const na_http_request request = {.url = apr_pstrcat(call->pool, call->base, path, NULL),
                                     .form = *query == '?' ? query + 1 : query};
    NA_TRY(na_http_fetch(call->http, call->pool, &request, response));
    *answer = NULL;
    if (na_json_parse(call->pool, NA_ERR_CONFIGURATION, (const char *)response->body.data,
                      response->body.len, answer))
        *answer = NULL;
    return NULL;
}

/* ── the file of tokens ────────────────────────────────────────────────────────────────────── */

na_error *na_ctl_tokens_path(apr_pool_t *pool, const char **path)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (!config || *config != '/')
        config = home && *home ? apr_pstrcat(pool, home, "/.config", NULL) : NULL;
    if (!config)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "neither HOME nor XDG_CONFIG_HOME is set: use --print");
    *path = apr_pstrcat(pool, config, "/nextauth/tokens.json", NULL);
    return NULL;
}

na_error *na_ctl_tokens_read(apr_pool_t *pool, const char *path, json_t **tokens)
{
    const char *text;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        *tokens = na_json_own(pool, json_object());
        return NULL;
    }
    NA_TRY(na_file_read(pool, path, FILE_MAX, &text));
    NA_TRY(na_json_parse(pool, NA_ERR_CONFIGURATION, text, strlen(text), tokens));
    return json_is_object(*tokens) ? NULL
                                   : na_error_new(pool, NA_ERR_CONFIGURATION,
                                                  "'%s' does not contain a JSON object", path);
}

static na_error *cannot_write(apr_pool_t *pool, const char *path)
{
    int why = errno;
    return na_error_new(pool, NA_ERR_CONFIGURATION, "could not write '%s': %s", path,
                        strerror(why));
}

static na_error *make_directory(apr_pool_t *pool, const char *file)
{
    char *path = apr_pstrdup(pool, file);
    *strrchr(path, '/') = '\0';
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? NULL : cannot_write(pool, path);
}

static int write_text(int fd, const char *text)
{
    size_t len = strlen(text);
    int done = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    return close(fd) == 0 && done;
}

na_error *na_ctl_tokens_write(apr_pool_t *pool, const char *path, const json_t *tokens)
{
    const char *text = apr_pstrcat(pool, na_json_dump(pool, tokens), "\n", NULL);
    char *temporary = apr_pstrcat(pool, path, ".XXXXXX", NULL);
    NA_TRY(make_directory(pool, path));
    int fd = mkstemp(temporary); /* with mode 0600 */
    if (fd < 0)
        return cannot_write(pool, path);
    if (write_text(fd, text) && rename(temporary, path) == 0)
        return NULL;
    na_error *error = cannot_write(pool, path);
    unlink(temporary);
    return error;
}
