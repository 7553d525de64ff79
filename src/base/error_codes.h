/* SPDX-License-Identifier: Apache-2.0 */
/* The public error codes, one row each, for clients, pages, the log, and metrics. */
#ifndef NA_BASE_ERROR_CODES_H
#define NA_BASE_ERROR_CODES_H

enum {
    NA_CODE_ADMINISTRATORS = 1, /* the administrator must fix it: level error in the log */
    NA_CODE_UNAVAILABLE = 2,    /* something does not respond: status 503 */
    NA_CODE_V4_SIGN_IN = 4,     /* v4's error page leads to the sign-in page */
    NA_CODE_V4_HIDDEN = 8,      /* v4's client gets "Configuration" instead */
    NA_CODE_V5_SIGN_IN = 16     /* Auth.js leads to the sign-in page, not to the error page */
};

typedef struct na_error_code {
    const char *name;
    unsigned flags;
    int v4_status;       /* of the JSON that v4's client gets */
    const char *v5;      /* name that Auth.js v5 shows to the browser; NULL if "Configuration" */
    const char *sign_in; /* text of the sign-in page; NULL for the default */
    int page_status;     /* of the error page; 0 for the default */
    const char *page_title, *page_text;
} na_error_code;

/* Returns the row of a code; one with all defaults if the code is unknown. */
const na_error_code *na_error_code_of(const char *code);

/* Returns the error page's row, without regard to case, as in NextAuth. NULL if none. */
const na_error_code *na_error_code_of_page(const char *code);

/* Reasons for failed sign-ins, as metrics count them: names of codes, then "other" and NULL. */
extern const char *const na_error_reasons[];

#endif
