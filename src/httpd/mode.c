/* SPDX-License-Identifier: Apache-2.0 */
/* Names of NextAuthMode's values. */
#include <string.h>

#include "httpd/module.h"

const char *na_mode_name(na_mode mode)
{
    static const char *const names[] = {
        [NA_PRODUCTION] = "production", [NA_DEVELOPMENT] = "development", [NA_TEST] = "test"};
    return names[mode];
}

int na_mode_find(const char *name, na_mode *mode)
{
    for (int i = NA_PRODUCTION; i <= NA_TEST; i++) {
        if (strcmp(name, na_mode_name((na_mode)i)) != 0)
            continue;
        *mode = (na_mode)i;
        return 1;
    }
    return 0;
}
