/* SPDX-License-Identifier: Apache-2.0 */
/* Log records and their formats. */
#ifndef NA_BASE_LOG_H
#define NA_BASE_LOG_H

#include <apr_time.h>

#include "base/error.h"
#include "base/level.h"

/* One line of the log. Unknown and unrelated members are NULL. No secrets. */
typedef struct na_log_record {
    na_level level;
    const char *event; /* "signIn", or one of NextAuth's codes: "OAUTH_CALLBACK_ERROR" */
    const char *code;  /* of an error, from na_error_telling_code */
    const char *message;
    const char *cause; /* the underlying error */
    const char *provider, *user, *address, *site, *request_id, *trace_id;
    apr_interval_time_t duration; /* since the request arrived; 0 if there is no request */
} na_log_record;

/*
 * Returns the record as an object on one line, without a line feed; docs/logging.md lists the
 * fields.
 */
const char *na_log_json(apr_pool_t *pool, const na_log_record *record, apr_time_t when);

/*
 * Returns the record as text on one line: "message: cause (event, provider google, reference ID)".
 */
const char *na_log_plain(apr_pool_t *pool, const na_log_record *record);

/* Returns "error", "warning", … */
const char *na_level_name(na_level level);

#endif
