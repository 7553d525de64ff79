/* SPDX-License-Identifier: Apache-2.0 */
/* The one error type. */
#ifndef NA_BASE_ERROR_H
#define NA_BASE_ERROR_H

#include <apr_pools.h>

/*
 * The one error type. A function that can fail returns `na_error *`: NULL is success.
 *
 * `code` is public: one of NextAuth's error codes, shown to the browser.
 * `message` is private: it is written to the log and never to a page. It must not contain secrets.
 * `cause` is the underlying error, NULL if none.
 * `hint` says what to do; NULL if the message is sufficient, or no fix is known.
 *
 * All of them live in the pool in which the error was created.
 */
typedef struct na_error na_error;
struct na_error {
    const char *code;
    const char *message;
    na_error *cause;
    const char *hint;
#ifdef NA_DEBUG
    apr_pool_t *pool;
    const char *places; /* "src/a.c:12, src/b.c:34": where it was created and passed on */
#endif
};

/* error_codes.h has a row for each. */
#define NA_ERR_CONFIGURATION "Configuration"
#define NA_ERR_ACCESS_DENIED "AccessDenied"
#define NA_ERR_CALLBACK "Callback"
#define NA_ERR_CREDENTIALS_SIGNIN "CredentialsSignin"
#define NA_ERR_OAUTH_SIGNIN "OAuthSignin"
#define NA_ERR_OAUTH_CALLBACK "OAuthCallback"
#define NA_ERR_EMAIL_SIGNIN "EmailSignin"
#define NA_ERR_VERIFICATION "Verification"
#define NA_ERR_ACCOUNT_NOT_LINKED "OAuthAccountNotLinked"
#define NA_ERR_SESSION "SessionError"
/* A session of an application or of another site, whose cookie must be kept. */
#define NA_ERR_FOREIGN_SESSION "ForeignSession"
#define NA_ERR_MISSING_CSRF "MissingCSRF"
/* The same with passkeys, for which Auth.js has a code of its own. */
#define NA_ERR_NOT_LINKED "AccountNotLinked"
#define NA_ERR_WEBAUTHN "WebAuthnVerificationError"

/*
 * Auth.js's code, instead of which it shows another one to browsers. For failures that any visitor
 * can cause: a state, nonce, code, or cookie that does not match the sign-in, and an unknown or
 * unsuitable provider.
 */
#define NA_ERR_INVALID_CHECK "InvalidCheck"
#define NA_ERR_INVALID_PROVIDER "InvalidProvider"

/* Not NextAuth's: something that sessions depend on does not respond. The status is 503. */
#define NA_ERR_UNAVAILABLE "Unavailable"

/* Also a 503, but not a failure of the server: this process has too many calls to it. */
#define NA_ERR_BUSY "Busy"

/* Also a 503: a concurrent change prevented this one, which might succeed if repeated. */
#define NA_ERR_CONFLICT "Conflict"

/* Also a 503: a database responds, but lacks tables that this version uses. */
#define NA_ERR_NO_TABLES "MissingTables"

/* Not NextAuth's: no provider is for the domain of an email address. */
#define NA_ERR_EMAIL_DOMAIN "EmailDomain"

/* Not NextAuth's: the provider did not sign the user in as a path demands. */
#define NA_ERR_STEP_UP "StepUp"

/* Not NextAuth's: too many attempts. The status is 429. */
#define NA_ERR_SECOND_FACTOR "SecondFactor"
#define NA_ERR_RATE_LIMITED "RateLimited"

/* Creates an error. Errors are rare: the compiler moves code that leads here out of the way. */
na_error *na_error_new(apr_pool_t *pool, const char *code, const char *format, ...)
    __attribute__((cold, format(printf, 3, 4)));

/* Returns an error with the cause `cause`; if `code` is NULL, it has the cause's code. */
na_error *na_error_wrap(apr_pool_t *pool, na_error *cause, const char *code, const char *format,
                        ...) __attribute__((cold, format(printf, 4, 5)));

/* Returns 1 if the error has this code; `error` can be NULL. */
int na_error_is(const na_error *error, const char *code);

/* Returns 1 if the code is NA_ERR_UNAVAILABLE, NA_ERR_BUSY, NA_ERR_CONFLICT or NA_ERR_NO_TABLES;
 * `error` can be NULL. */
int na_is_unavailable(const na_error *error);

/* Adds a hint, which must live as long as the error. Returns the error, NULL if it is NULL. */
na_error *na_error_with_hint(na_error *error, const char *hint);

/* Returns "message: cause's message: …: hint", for a log line. */
const char *na_error_text(apr_pool_t *pool, const na_error *error);

/* Returns everything but the hint; the second function returns the hint, NULL if none. */
const char *na_error_reason(apr_pool_t *pool, const na_error *error);
const char *na_error_hint(const na_error *error);

/*
 * Returns the error's code, or NA_ERR_INVALID_CHECK if that is among its causes, because it is more
 * specific.
 */
const char *na_error_telling_code(const na_error *error);

/*
 * Debug builds (-DNA_DEBUG) record the file and line where each error of a chain was created and
 * passed on; na_error_text and na_error_reason add them in brackets.
 */
#ifdef NA_DEBUG
na_error *na_error_at(na_error *error, const char *file, int line);
#define NA_ERROR_HERE(error) na_error_at(error, __FILE__, __LINE__)
#define na_error_new(...) NA_ERROR_HERE(na_error_new(__VA_ARGS__))
#define na_error_wrap(...) NA_ERROR_HERE(na_error_wrap(__VA_ARGS__))
#else
#define NA_ERROR_HERE(error) (error)
#endif

/* Passes an error on to the caller. */
#define NA_TRY(expression)                                                                         \
    do {                                                                                           \
        na_error *na_try_error = (expression);                                                     \
        if (__builtin_expect(na_try_error != NULL, 0))                                             \
            return NA_ERROR_HERE(na_try_error);                                                    \
    } while (0)

#endif
