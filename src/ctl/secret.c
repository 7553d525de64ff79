/* SPDX-License-Identifier: Apache-2.0 */
/* The command `secret`: a new secret. */
#include <stdio.h>

#include "base/crypto.h"
#include "ctl/commands.h"
#include "ctl/print.h"

int na_command_secret(apr_pool_t *pool, int argc, char **argv)
{
    if (argc > 1)
        return na_ctl_wrong_call("secret", "no argument expected");
    printf("%s\n", na_random_base64url(pool, 48));
    return 0;
}
