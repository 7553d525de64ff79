/* SPDX-License-Identifier: Apache-2.0 */
/* The one error type. */
#include "base/error.h"

#include <string.h>

#include <stdarg.h>

#include <apr_strings.h>

#include "base/error_codes.h"

static na_error *make(apr_pool_t *pool, na_error *cause, const char *code, const char *format,
                      va_list args)
{
    na_error *error = apr_palloc(pool, sizeof *error);
    error->code = code;
    error->message = apr_pvsprintf(pool, format, args);
    error->cause = cause;
    error->hint = NULL;
#ifdef NA_DEBUG
    error->pool = pool;
    error->places = NULL;
#endif
    return error;
}

#ifdef NA_DEBUG
na_error *na_error_at(na_error *error, const char *file, int line)
{
    error->places = apr_psprintf(error->pool, "%s%s%s:%d", error->places ? error->places : "",
                                 error->places ? ", " : "", file, line);
    return error;
}

static const char *words_of(apr_pool_t *pool, const na_error *error)
{
    return error->places ? apr_pstrcat(pool, error->message, " [", error->places, "]", NULL)
                         : error->message;
}
#else
static const char *words_of(apr_pool_t *pool, const na_error *error)
{
    return error->message;
}
#endif

/* in parentheses, because debug builds have a macro of each name */
na_error *(na_error_new)(apr_pool_t *pool, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    na_error *error = make(pool, NULL, code, format, args);
    va_end(args);
    return error;
}

na_error *(na_error_wrap)(apr_pool_t *pool, na_error *cause, const char *code, const char *format,
                          ...)
{
    va_list args;
    va_start(args, format);
    na_error *error = make(pool, cause, code ? code : cause->code, format, args);
    va_end(args);
    return error;
}

int na_error_is(const na_error *error, const char *code)
{
    return error && strcmp(error->code, code) == 0;
}

int na_is_unavailable(const na_error *error)
{
    return error && na_error_code_of(error->code)->flags & NA_CODE_UNAVAILABLE;
}

na_error *na_error_with_hint(na_error *error, const char *hint)
{
    if (error)
        error->hint = hint;
    return error;
}

const char *na_error_telling_code(const na_error *error)
{
    for (const na_error *cause = error; cause; cause = cause->cause)
        if (na_error_is(cause, NA_ERR_INVALID_CHECK))
            return NA_ERR_INVALID_CHECK;
    return error->code;
}

const char *na_error_reason(apr_pool_t *pool, const na_error *error)
{
    const char *text = words_of(pool, error);
    for (error = error->cause; error; error = error->cause)
        text = apr_pstrcat(pool, text, ": ", words_of(pool, error), NULL);
    return text;
}

const char *na_error_hint(const na_error *error)
{
    while (error && !error->hint)
        error = error->cause;
    return error ? error->hint : NULL;
}

const char *na_error_text(apr_pool_t *pool, const na_error *error)
{
    const char *hint = na_error_hint(error), *reason = na_error_reason(pool, error);
    return hint ? apr_pstrcat(pool, reason, ": ", hint, NULL) : reason;
}
