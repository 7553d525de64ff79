/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/shown_query.h"

/* A token stays hidden whatever stands around it, and what is shown stays small. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const char *shown = na_shown_query(fuzz_pool, text);
    if (strlen(shown) > 3 * strlen(text))
        abort();
    if (strcmp(na_shown_query(fuzz_pool, shown), shown) != 0)
        abort(); /* what is shown hides nothing more */
    char *around = apr_pstrcat(fuzz_pool, text, "&token=5eC4e7&", text, NULL);
    if (!strstr(text, "5eC4e7") && strstr(na_shown_query(fuzz_pool, around), "5eC4e7"))
        abort();
    return 0;
}
