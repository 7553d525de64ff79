/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPassHeader and NextAuthPassEnv: values for applications under names of their choice. */
#include "httpd/request/passed.h"

#include <string.h>

#include "base/header.h"
#include "httpd/request/refuse.h"

int na_is_passed(const apr_array_header_t *passed, const char *header)
{
    for (int i = 0; i < passed->nelts; i++)
        if (na_header_is_spelling_of(header, APR_ARRAY_IDX(passed, i, na_passed).name))
            return 1;
    return 0;
}

/* Returns the bytes of a value; NULL if the encoding has none, or if they would change on the way.
 */
static const char *encoded(apr_pool_t *pool, na_encoding encoding, const char *value)
{
    if (encoding == NA_BASE64URL)
        return na_base64url_encode(pool, value, strlen(value));
    if (na_has_control(value) || na_has_blank_ends(value))
        return NULL;
    if (encoding == NA_LATIN1)
        return na_latin1(pool, value);
    return na_is_utf8(value) ? value : NULL;
}

static const char *evaluate(request_rec *r, const na_passed *passed)
{
    const char *error = NULL;
    na_state *state = na_state_of(r);
    if (!passed->value)
        return "";
    state->delimiter = passed->delimiter;
    const char *value = ap_expr_str_exec(r, passed->value, &error);
    state->delimiter = 0;
    if (!error)
        return value ? value : "";
    na_log_request(r, NA_LOG_ERROR, "SESSION_ERROR", "could not evaluate the value of %s: %s",
                   passed->name, error);
    return "";
}

/*
 * An application that denies access by a value must not receive requests without it because it is
 * long, which users can influence more easily than the characters that an encoding lacks.
 */
static int pass_value(request_rec *r, const na_passed *passed, apr_table_t *to)
{
    const char *value = evaluate(r, passed);
    if (!*value)
        return DECLINED;
    const char *bytes = encoded(r->pool, passed->encoding, value);
    if (!bytes) {
        na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR",
                       "did not pass on %s: its value has characters that its encoding lacks, "
                       "control characters, or surrounding spaces",
                       passed->name);
        return DECLINED;
    }
    if (strlen(bytes) > NA_IDENTITY_MAX) {
        na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR",
                       "%s is longer than %d bytes and cannot be passed on", passed->name,
                       NA_IDENTITY_MAX);
        return na_refuse_forbidden(r);
    }
    apr_table_setn(to, passed->name, bytes);
    return DECLINED;
}

static int pass_all(request_rec *r, const apr_array_header_t *all, apr_table_t *to)
{
    int status = DECLINED;
    for (int i = 0; all && status == DECLINED && i < all->nelts; i++)
        status = pass_value(r, &APR_ARRAY_IDX(all, i, na_passed), to);
    return status;
}

int na_pass_values(request_rec *r)
{
    const na_dir_conf *dir = na_dir_conf_of(r);
    int status = pass_all(r, dir->headers, r->headers_in);
    return status == DECLINED ? pass_all(r, dir->variables, r->subprocess_env) : status;
}
