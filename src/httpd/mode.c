/* SPDX-License-Identifier: Apache-2.0 */
/* Names of NextAuthMode's values. */
#include "httpd/module.h"

const char *na_mode_name(na_mode mode)
{
    static const char *const names[] = {
        [NA_PRODUCTION] = "production", [NA_DEVELOPMENT] = "development", [NA_TEST] = "test"};
    return names[mode];
}
