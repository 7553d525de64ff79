/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "event/spool.h"

/* Whatever a file is named: what is taken for an item's name is exactly the one it would be given.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = fuzz_text(data, size);
    na_spool_item item;
    if (!na_spool_name_parse(name, &item))
        return 0;
    if (strcmp(na_spool_name(fuzz_pool, &item), name) != 0 || strchr(name, '/'))
        abort();
    return 0;
}
