/* SPDX-License-Identifier: Apache-2.0 */
/* The public error codes, one row each: what clients, pages, the log and metrics make of them. */
#ifndef NA_BASE_ERROR_CODES_H
#define NA_BASE_ERROR_CODES_H

enum {
    NA_CODE_ADMINISTRATORS = 1, /* the administrator must fix it: level error in the log */
    NA_CODE_UNAVAILABLE = 2,    /* something does not answer: status 503 */
    NA_CODE_V4_SIGN_IN = 4,     /* v4's error page leads to the sign-in page */
    NA_CODE_V4_HIDDEN = 8,      /* v4's client gets "Configuration" instead */
    NA_CODE_V5_SIGN_IN = 16     /* Auth.js leads to the sign-in page, not to the error page */
};

typedef struct na_error_code {
    const char *name;
    unsigned flags;
    int v4_status;       /* of the JSON that v4's client gets */
    const char *v5;      /* what Auth.js v5 shows to the browser; NULL if "Configuration" */
    const char *sign_in; /* what the sign-in page says; NULL if that is nothing special */
    int page_status;     /* of the error page; 0 if that says nothing special */
    const char *page_title, *page_text;
} na_error_code;

/* The row of a code; one that has nothing special if the code is unknown. */
const na_error_code *na_error_code_of(const char *code);

/* The error page's row: NextAuth's page looks for codes whatever their case. NULL if none. */
const na_error_code *na_error_code_of_page(const char *code);

/* Why sign-ins fail, as metrics count them: names of codes, then "other" and NULL. */
extern const char *const na_error_reasons[];

#endif
