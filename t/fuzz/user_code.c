/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "auth/device_grant.h"

/* A user code that is accepted has one form, which is accepted as the same code. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *again, *code = na_device_user_code(fuzz_pool, fuzz_text(data, size));
    if (!code)
        return 0;
    again = na_device_user_code(fuzz_pool, code);
    if (strlen(code) != 9 || code[4] != '-' || strspn(code, "BCDFGHJKLMNPQRSTVWXZ-") != 9 ||
        !again || strcmp(code, again) != 0)
        abort();
    return 0;
}
