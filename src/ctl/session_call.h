/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the handler nextauth-sessions of a running server. */
#ifndef NA_CTL_SESSION_CALL_H
#define NA_CTL_SESSION_CALL_H

#include <jansson.h>

#include "base/http.h"

typedef struct na_session_call {
    apr_pool_t *pool;
    const char *server, *user, *ca_file, *secret_file;
    const char *limit, *cursor; /* of session list; NULL if not given */
    const char *site;           /* of the server, as it responded */
    int json, loopback;
    int count;
    const char *const *ids;
    na_http *http; /* NULL before the first request */
} na_session_call;

/* Reads options, --limit and --cursor only if it `lists`. Returns 0 on a usage error. */
int na_ctl_session_options(na_session_call *call, int argc, char **argv, int lists);

/* Sends GET, or POST if `form` is not NULL. Memory, and the answer, belong to `pool`. */
na_error *na_ctl_session_ask(na_session_call *call, apr_pool_t *pool, const char *url,
                             const char *form, json_t **answer);

#endif
