/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <openssl/evp.h>

#include "auth/password.h"
#include "base/crypto.h"
#include "base/envfile.h"

/* Room for one byte more than a password may have: so that too long ones show. */
#define BUFFER (NA_PASSWORD_MAX + 2)

/* OpenSSL puts the echo back whatever ends it; its length leaves the NUL out. */
static na_error *ask(apr_pool_t *pool, char **password)
{
    *password = apr_pcalloc(pool, BUFFER);
    na_wipe_with_pool(pool, *password, BUFFER);
    return EVP_read_pw_string(*password, BUFFER - 1, "Password: ", 1) == 0
               ? NULL
               : na_error_new(pool, NA_CONFIGURATION, "no password was given, twice the same");
}

static na_error *read_line(apr_pool_t *pool, char **password)
{
    char *line = NULL;
    size_t size = 0;
    setvbuf(stdin, NULL, _IONBF, 0); /* its buffer would keep a copy */
    ssize_t len = getline(&line, &size, stdin);
    int is_text = len > 0 && strlen(line) == (size_t)len;
    if (is_text) {
        *password = apr_pstrmemdup(pool, line, strcspn(line, "\r\n"));
        na_wipe_with_pool(pool, *password, strlen(*password));
    }
    if (line)
        na_wipe(line, size);
    free(line);
    return is_text ? NULL
                   : na_error_new(pool, NA_CONFIGURATION, "no line of text on standard input");
}

na_error *na_ctl_read_password(apr_pool_t *pool, const char *file, char **password)
{
    if (!file)
        return ask(pool, password);
    if (strcmp(file, "-") == 0)
        return read_line(pool, password);
    NA_TRY(na_secret_file_read(pool, file, password));
    (*password)[strcspn(*password, "\r\n")] = '\0';
    return NULL;
}
