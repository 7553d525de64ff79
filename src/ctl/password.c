/* SPDX-License-Identifier: Apache-2.0 */
/* A new password, from a file or the terminal. */
#include "ctl/password.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "password/hash.h"

/* One byte more than the longest password, so that longer ones are noticed. */
#define BUFFER (NA_PASSWORD_MAX + 2)

/* OpenSSL restores the echo however it ends; its length excludes the NUL. */
static na_error *ask(apr_pool_t *pool, char **password)
{
    *password = apr_pcalloc(pool, BUFFER);
    na_wipe_with_pool(pool, *password, BUFFER);
    return EVP_read_pw_string(*password, BUFFER - 1, "Password: ", 1) == 0
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION, "the two passwords do not match");
}

na_error *na_ctl_read_password(apr_pool_t *pool, const char *file, char **password)
{
    if (!file)
        return ask(pool, password);
    if (strcmp(file, "-") == 0)
        NA_TRY(na_secret_read_stream(pool, stdin, "standard input", password));
    else
        NA_TRY(na_secret_read(pool, file, password));
    /* a form cannot send more than one line */
    return strpbrk(*password, "\r\n")
               ? na_error_new(pool, NA_ERR_CONFIGURATION, "a password must be one line")
               : NULL;
}
