/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "oauth/registration.h"

/* The first byte chooses the status; what follows is the body of a registration response. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {201, 200, 400, 401, 500};
    na_registration made;
    if (!size)
        return 0;
    const char *text = fuzz_text(data + 1, size - 1);
    na_error *error =
        na_registration_read(fuzz_pool, statuses[*data % 5], na_bytes_of(text), &made);
    if (error) {
        if (strlen(na_error_text(fuzz_pool, error)) > 2048)
            abort();
        return 0;
    }
    if (!made.client_id || strpbrk(made.client_id, " \"'\\$\r\n") ||
        strncmp(made.client_id, "exec:", 5) == 0 || made.secret_expires < 0 ||
        (made.client_secret && strpbrk(made.client_secret, "\r\n")))
        abort();
    return 0;
}
