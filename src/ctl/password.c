/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/password.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "password/hash.h"

/* Room for one byte more than a password may have: so that too long ones show. */
#define BUFFER (NA_PASSWORD_MAX + 2)

/* OpenSSL puts the echo back whatever ends it; its length leaves the NUL out. */
static na_error *ask(apr_pool_t *pool, char **password)
{
    *password = apr_pcalloc(pool, BUFFER);
    na_wipe_with_pool(pool, *password, BUFFER);
    return EVP_read_pw_string(*password, BUFFER - 1, "Password: ", 1) == 0
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION, "no password was given, twice the same");
}

na_error *na_ctl_read_password(apr_pool_t *pool, const char *file, char **password)
{
    if (!file)
        return ask(pool, password);
    if (strcmp(file, "-") == 0)
        NA_TRY(na_secret_read_stream(pool, stdin, "standard input", password));
    else
        NA_TRY(na_secret_read(pool, file, password));
    /* No form takes another. */
    return strpbrk(*password, "\r\n")
               ? na_error_new(pool, NA_ERR_CONFIGURATION, "a password has no more than one line")
               : NULL;
}
