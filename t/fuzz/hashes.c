/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "password/stored_hash.h"

/* What is accepted is short, plain ASCII in one word, and a few seconds of work at most. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    na_stored_hash hash;
    if (na_stored_hash_read(fuzz_pool, text, &hash))
        return 0;
    if (strlen(text) > 300 || hash.work < 1 || hash.work > 5 * 1000 * 1000)
        abort();
    for (const char *p = text; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == ':')
            abort();
    return 0;
}
