/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <hiredis/hiredis.h>

#include "store/redis_bounds.h"

/* In pieces, as a server may send it: what is within the bounds is parsed in little memory. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    na_redis_bounds bounds = {0};
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    for (size_t at = 0; at < size && !reply; at += 7) {
        size_t len = size - at < 7 ? size - at : 7;
        if (na_redis_bounds_check(&bounds, (const char *)data + at, len) ||
            redisReaderFeed(reader, (const char *)data + at, len) != REDIS_OK ||
            redisReaderGetReply(reader, &reply) != REDIS_OK)
            break;
    }
    if (bounds.elements > NA_REDIS_ELEMENTS_MAX || bounds.bytes > size)
        abort();
    if (reply)
        freeReplyObject(reply);
    redisReaderFree(reader);
    return 0;
}
