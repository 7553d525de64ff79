/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/text.h"

/* What is made of foreign text is one line of UTF-8 as long as is wanted, and stays as it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    char *text = fuzz_text(data + 1, size - 1);
    apr_size_t max = data[0];
    const char *line = na_one_line(fuzz_pool, text, max);
    if (strlen(line) > max || !na_is_utf8(line) || na_has_control(line) ||
        na_one_line(fuzz_pool, line, max) != line)
        abort();
    return 0;
}
