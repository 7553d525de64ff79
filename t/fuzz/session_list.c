/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "session/list.h"

/* What is taken for a list is one: written, it is the same bytes. Of anything else nothing stays.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_clear(fuzz_pool);
    apr_array_header_t *list = apr_array_make(fuzz_pool, 8, sizeof(na_listing));
    na_error *error = na_list_read(fuzz_pool, (na_bytes){data, size}, list);
    na_bytes written = na_list_write(fuzz_pool, list);
    if (error ? list->nelts != 0 : written.len != size || memcmp(written.data, data, size) != 0)
        abort();
    if (list->nelts && na_list_find(list, data + 1) != 0)
        abort();
    return 0;
}
