/* SPDX-License-Identifier: Apache-2.0 */
/* The table of public error codes. */
#include "base/error_codes.h"

#include <string.h>

#include "base/error.h"
#include "tap.h"

static void rows(void)
{
    static const char *const codes[] = {NA_ERR_CONFIGURATION,      NA_ERR_ACCESS_DENIED,
                                        NA_ERR_CALLBACK,           NA_ERR_CREDENTIALS_SIGNIN,
                                        NA_ERR_OAUTH_SIGNIN,       NA_ERR_OAUTH_CALLBACK,
                                        NA_ERR_EMAIL_SIGNIN,       NA_ERR_VERIFICATION,
                                        NA_ERR_ACCOUNT_NOT_LINKED, NA_ERR_SESSION,
                                        NA_ERR_FOREIGN_SESSION,    NA_ERR_MISSING_CSRF,
                                        NA_ERR_INVALID_CHECK,      NA_ERR_INVALID_PROVIDER,
                                        NA_ERR_UNAVAILABLE,        NA_ERR_BUSY,
                                        NA_ERR_CONFLICT,           NA_ERR_NO_TABLES,
                                        NA_ERR_RATE_LIMITED};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        is(na_error_code_of(codes[i])->name, codes[i], "a code has a row of its own");
    is(na_error_code_of("NoSuchCode")->name, "", "an unknown one has that of nothing special");
    is_number(na_error_code_of("NoSuchCode")->v4_status, 200, "which v4's client gets as 200");
}

static void pages(void)
{
    const na_error_code *code = na_error_code_of_page("accessdenied");
    ok(code && code->page_status == 403, "the error page looks for codes whatever their case");
    ok(!na_error_code_of_page(NA_ERR_SESSION), "and has nothing special for most");
    is(na_error_code_of("callback")->name, "", "clients get them as they are written");
}

static void unavailable(apr_pool_t *pool)
{
    static const char *const down[] = {NA_ERR_UNAVAILABLE, NA_ERR_BUSY, NA_ERR_CONFLICT,
                                       NA_ERR_NO_TABLES};
    for (int i = 0; i < 4; i++)
        ok(na_is_unavailable(na_error_new(pool, down[i], "x")), "%s is a 503", down[i]);
    ok(!na_is_unavailable(na_error_new(pool, NA_ERR_SESSION, "x")), "a bad session is not");
    ok(!na_is_unavailable(NULL), "nor is no error");
}

static void reasons(void)
{
    int count = 0, last = 0;
    for (; na_error_reasons[count]; count++) {
        last = strcmp(na_error_reasons[count], "other") == 0;
        ok(last || *na_error_code_of(na_error_reasons[count])->name, "metrics count %s",
           na_error_reasons[count]);
    }
    ok(last, "and the rest as other");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    rows();
    pages();
    unavailable(pool);
    reasons();
    return tap_done();
}
