/* SPDX-License-Identifier: Apache-2.0 */
/* What a debug build says of the places at which errors were made and passed on. */
#define NA_DEBUG
#include "base/error.c"

#include "tap.h"

static na_error *broken(apr_pool_t *pool, int *line)
{
    *line = __LINE__ + 1;
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "it is broken");
}

static na_error *passed_on(apr_pool_t *pool, int *line, int *passed)
{
    *passed = __LINE__ + 1;
    NA_TRY(broken(pool, line));
    return NULL;
}

static na_error *wrapped(apr_pool_t *pool, int *line, int *passed, int *wrapped_at)
{
    na_error *cause = passed_on(pool, line, passed);
    *wrapped_at = __LINE__ + 1;
    return na_error_wrap(pool, cause, NULL, "no answer");
}

int main(void)
{
    int made, passed, wrapped_at;
    apr_pool_t *pool = tap_start();
    na_error *error = broken(pool, &made);
    is(na_error_text(pool, error), apr_psprintf(pool, "it is broken [%s:%d]", __FILE__, made),
       "where an error was made");
    error = passed_on(pool, &made, &passed);
    is(na_error_text(pool, error),
       apr_psprintf(pool, "it is broken [%s:%d, %s:%d]", __FILE__, made, __FILE__, passed),
       "and where it was passed on");
    error = na_error_with_hint(wrapped(pool, &made, &passed, &wrapped_at), "glue it");
    is(na_error_text(pool, error),
       apr_psprintf(pool, "no answer [%s:%d]: it is broken [%s:%d, %s:%d]: glue it", __FILE__,
                    wrapped_at, __FILE__, made, __FILE__, passed),
       "each of a chain, and the hint last");
    is(error->message, "no answer", "the message itself has none");
    return tap_done();
}
