/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/header.h"

static int is_x(const char *name, const void *data)
{
    return *name == 'x';
}

static void must_be(const char *text, const char *expected)
{
    if (strcmp(text, expected) != 0)
        abort();
}

/* Lists of names and directives: what is left is left as it is, and within the memory for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const char *kept = na_header_without(fuzz_pool, text, is_x, NULL);
    must_be(na_header_without(fuzz_pool, kept, is_x, NULL), kept);
    const char *value = na_cache_control_for_user(fuzz_pool, text, "private");
    must_be(na_cache_control_for_user(fuzz_pool, value, "private"), value);
    if (!na_cache_control_is_for_user(value) || *kept == 'x' || strstr(kept, ", x") ||
        strlen(kept) > strlen(text) * 3 / 2 + 1 ||
        strlen(value) > strlen(text) * 2 + strlen("private") + 2)
        abort();
    return 0;
}
