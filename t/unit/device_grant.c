/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/device_grant.h"

#include "tap.h"

/* What a user can type for a code (RFC 8628 section 6.1). */
static void test_user_codes(apr_pool_t *pool)
{
    static const char *const right[] = {"WDJB-MJHT",          "wdjb-mjht",   "WDJBMJHT",
                                        " W D J B\tMJHT\r\n", "wd.jb_mj/ht", "(WDJBMJHT)"};
    static const char *const wrong[] = {
        "",          "WDJB", "WDJB-MJH",    "WDJB-MJHTT",   "WDJB-MJHA", "WDJB-MJH1",
        "WDJB-MJHÉ", "-",    "WDJB-MJHT W", "\xff\xfe\xfd", "WDJB-MJHY"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        is(na_device_user_code(pool, right[i]), "WDJB-MJHT", right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ok(!na_device_user_code(pool, wrong[i]), "'%s' is refused", wrong[i]);
}

int main(void)
{
    test_user_codes(tap_start());
    return tap_done();
}
