/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to a site's endpoints, and the file with the access tokens of sites. */
#ifndef NA_CTL_SITE_CALL_H
#define NA_CTL_SITE_CALL_H

#include <jansson.h>

#include "base/http.h"

typedef struct na_site_call {
    apr_pool_t *pool;
    const char *base; /* URL of the endpoints, without a slash at the end */
    const char *ca_file;
    int loopback;
    na_http *http;
} na_site_call;

/*
 * Sets `base` from a URL that was typed, and the client. Refuses http to other machines, where
 * anyone in between could read the token.
 */
na_error *na_ctl_site_open(na_site_call *call, const char *url);

/* Posts a form to `path`. *answer is NULL if the response is not JSON. */
na_error *na_ctl_site_post(na_site_call *call, const char *path, const apr_table_t *form,
                           na_http_response *response, json_t **answer);

/* Returns the path of the file, below XDG_CONFIG_HOME or ~/.config. */
na_error *na_ctl_tokens_path(apr_pool_t *pool, const char **path);

/* Reads the tokens by URL, an empty object if there is no file; the pool owns them. */
na_error *na_ctl_tokens_read(apr_pool_t *pool, const char *path, json_t **tokens);

/* Replaces the file at once. Only its owner can read it. */
na_error *na_ctl_tokens_write(apr_pool_t *pool, const char *path, const json_t *tokens);

#endif
