/* SPDX-License-Identifier: Apache-2.0 */
/* The public error codes, one row each, and lookups in them. */
#include "base/error_codes.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/language.h"

#define ADMINISTRATORS NA_CODE_ADMINISTRATORS
#define DOWN NA_CODE_UNAVAILABLE
#define V4_SIGN_IN NA_CODE_V4_SIGN_IN
#define V4_HIDDEN NA_CODE_V4_HIDDEN
#define V5_SIGN_IN NA_CODE_V5_SIGN_IN
#define NO_PAGE 0, NULL, NULL

#define NOT_COMPLETED NA_TEXT("Sign-in was not completed. Please try again.")
#define NOT_CONFIRMED                                                                              \
    NA_TEXT("The sign-in service did not confirm the sign-in that the page requires.")
#define ANOTHER_ACCOUNT                                                                            \
    NA_TEXT("To confirm your identity, sign in with the same account you used originally.")

/* Codes that metrics count by name: code, flags, v4's status, v5's name, sign-in page, page. */
#define COUNTED(ROW)                                                                               \
    ROW(NA_ERR_CONFIGURATION, ADMINISTRATORS, 200, NULL, NULL, 500, NA_TEXT("Server error"),       \
        NA_TEXT("Sign-in is not working right now. If the problem continues, contact the site's "  \
                "administrator."))                                                                 \
    ROW(NA_ERR_ACCESS_DENIED, 0, 403, "AccessDenied", NULL, 403, NA_TEXT("Access denied"),         \
        NA_TEXT("You do not have permission to sign in."))                                         \
    ROW(NA_ERR_CALLBACK, V4_SIGN_IN | V5_SIGN_IN, 200, "OAuthCallbackError", NOT_COMPLETED,        \
        NO_PAGE)                                                                                   \
    ROW(NA_ERR_CREDENTIALS_SIGNIN, V4_SIGN_IN | V5_SIGN_IN, 401,                                   \
        "CredentialsSignin&code=credentials",                                                      \
        NA_TEXT("Sign-in failed. Check your details and try again."), NO_PAGE)                     \
    ROW(NA_ERR_OAUTH_SIGNIN, ADMINISTRATORS | V4_SIGN_IN, 200, NULL,                               \
        NA_TEXT("Could not reach the sign-in service. Please try again in a moment."), NO_PAGE)    \
    ROW(NA_ERR_OAUTH_CALLBACK, ADMINISTRATORS | V4_SIGN_IN, 200, NULL, NOT_COMPLETED, NO_PAGE)     \
    ROW(NA_ERR_EMAIL_SIGNIN, V4_SIGN_IN, 200, NULL,                                                \
        NA_TEXT("The email could not be sent. Check the address and try again."), NO_PAGE)         \
    ROW(NA_ERR_VERIFICATION, 0, 200, "Verification", NULL, 403, NA_TEXT("Link no longer valid"),   \
        NA_TEXT("This link has expired or has already been used. Request a new one."))             \
    ROW(NA_ERR_ACCOUNT_NOT_LINKED, V4_SIGN_IN | V5_SIGN_IN, 200, "OAuthAccountNotLinked",          \
        ANOTHER_ACCOUNT, NO_PAGE)                                                                  \
    ROW(NA_ERR_NOT_LINKED, V4_SIGN_IN | V5_SIGN_IN, 200, "AccountNotLinked", ANOTHER_ACCOUNT,      \
        NO_PAGE)                                                                                   \
    ROW(NA_ERR_SESSION, 0, 200, NULL, NULL, NO_PAGE)                                               \
    ROW(NA_ERR_MISSING_CSRF, V5_SIGN_IN, 200, "MissingCSRF",                                       \
        NA_TEXT("This form has expired. Please try again. If this keeps happening, "               \
                "allow cookies for this site."),                                                   \
        NO_PAGE)                                                                                   \
    ROW(NA_ERR_INVALID_CHECK, 0, 200, NULL, NULL, NO_PAGE)                                         \
    ROW(NA_ERR_WEBAUTHN, V4_SIGN_IN | V5_SIGN_IN, 401, "WebAuthnVerificationError",                \
        NA_TEXT("The passkey could not be used. Try again, or sign in another way."), NO_PAGE)     \
    ROW(NA_ERR_SECOND_FACTOR, V4_SIGN_IN | V5_SIGN_IN, 401, "AccessDenied",                        \
        NA_TEXT("Sign-in failed. Check your details and try again."), NO_PAGE)                     \
    ROW(NA_ERR_STEP_UP, 0, 403, "AccessDenied", NOT_CONFIRMED, 403, NA_TEXT("Access denied"),      \
        NOT_CONFIRMED)                                                                             \
    ROW(NA_ERR_EMAIL_DOMAIN, V4_SIGN_IN | V5_SIGN_IN, 200, NA_ERR_EMAIL_DOMAIN,                    \
        NA_TEXT("No sign-in is set up for this email address. Check it, or sign in another way."), \
        NO_PAGE)                                                                                   \
    ROW(NA_ERR_UNAVAILABLE, DOWN, 200, NULL, NULL, NO_PAGE)                                        \
    ROW(NA_ERR_BUSY, DOWN, 200, NULL, NULL, NO_PAGE)                                               \
    ROW(NA_ERR_CONFLICT, DOWN, 200, NULL, NULL, NO_PAGE)                                           \
    ROW(NA_ERR_NO_TABLES, DOWN, 200, NULL, NULL, NO_PAGE)                                          \
    ROW(NA_ERR_RATE_LIMITED, 0, 200, NULL,                                                         \
        NA_TEXT("Too many attempts. Wait a few minutes, then try again."), 429,                    \
        NA_TEXT("Too many attempts"), NA_TEXT("Wait a few minutes, then try again."))

/* Codes under which no sign-in is counted, and names that only the error page has. */
#define UNCOUNTED(ROW)                                                                             \
    ROW(NA_ERR_INVALID_PROVIDER, V4_HIDDEN, 200, NULL, NULL, NO_PAGE)                              \
    ROW(NA_ERR_FOREIGN_SESSION, 0, 200, NULL, NULL, NO_PAGE)                                       \
    ROW("Signin", V4_SIGN_IN, 200, NULL, NULL, NO_PAGE)                                            \
    ROW("OAuthCreateAccount", V4_SIGN_IN, 200, NULL, NULL, NO_PAGE)                                \
    ROW("EmailCreateAccount", V4_SIGN_IN, 200, NULL, NULL, NO_PAGE)                                \
    ROW("SessionRequired", V4_SIGN_IN, 200, NULL, NA_TEXT("Please sign in to access this page."),  \
        NO_PAGE)                                                                                   \
    ROW("OAuthCallbackError", 0, 200, NULL, NOT_COMPLETED, NO_PAGE)

#define AS_ROW(...) {__VA_ARGS__},
#define AS_NAME(name, ...) name,

static const na_error_code codes[] = {COUNTED(AS_ROW) UNCOUNTED(AS_ROW)};

const char *const na_error_reasons[] = {COUNTED(AS_NAME) "other", NULL};

static const na_error_code *find_code(const char *code, int (*compare)(const char *, const char *))
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (compare(code, codes[i].name) == 0)
            return &codes[i];
    return NULL;
}

const na_error_code *na_error_code_of(const char *code)
{
    static const na_error_code unknown = {"", 0, 200, NULL, NULL, NO_PAGE};
    const na_error_code *found = find_code(code, strcmp);
    return found ? found : &unknown;
}

const na_error_code *na_error_code_of_page(const char *code)
{
    const na_error_code *found = find_code(code, strcasecmp);
    return found && found->page_status ? found : NULL;
}
