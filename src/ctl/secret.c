/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/crypto.h"
#include "ctl/commands.h"

int na_command_secret(apr_pool_t *pool, int argc, char **argv)
{
    if (argc > 1) {
        fprintf(stderr, "nextauthctl secret takes no argument\n");
        return 2;
    }
    printf("%s\n", na_random_base64url(pool, 48));
    return 0;
}
