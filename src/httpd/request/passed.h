/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPassHeader and NextAuthPassEnv: values for applications under names of their choice. */
#ifndef NA_HTTPD_REQUEST_PASSED_H
#define NA_HTTPD_REQUEST_PASSED_H

#include "httpd/module.h"

/* Returns 1 if the header has one of the names (na_passed), in any spelling. */
int na_is_passed(const apr_array_header_t *passed, const char *header);

/*
 * Passes the values of a request with a session on. Headers of these names must have been removed
 * before. Returns DECLINED, or the status of a refusal.
 */
int na_pass_values(request_rec *r);

#endif
