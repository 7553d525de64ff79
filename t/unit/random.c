/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes: how often OpenSSL is asked for them, and that none is handed out twice. */
#define OPENSSL_API_COMPAT 0x10101000L

#include "base/crypto.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <openssl/rand.h>

#include "tap.h"

static int draws;

/* Bytes that are never the same twice, as a counter makes them. */
static int draw(unsigned char *out, int len)
{
    static unsigned word;
    draws++;
    for (int i = 0; i < len; i++) {
        if (i % 4 == 0)
            word++;
        out[i] = (unsigned char)(word >> 8 * (i % 4));
    }
    return 1;
}

static const RAND_METHOD counted = {.bytes = draw, .pseudorand = draw};

static int draws_of(apr_pool_t *pool, int count, apr_size_t len)
{
    draws = 0;
    for (int i = 0; i < count; i++)
        na_random_hex(pool, len);
    return draws;
}

static void supplied(apr_pool_t *parent)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, parent);
    is_number(draws_of(pool, 3, 16), 3, "a pool without a supply asks OpenSSL each time");
    na_random_supply(pool);
    is_number(draws_of(pool, 0, 16), 0, "a supply that is not used asks for nothing");
    is_number(draws_of(pool, 13, 16), 1, "thirteen values of a request are one draw");
    is_number(draws_of(pool, 3, 16), 0, "  until all are used");
    is_number(draws_of(pool, 1, 16), 1, "  and then there is another");
    is_number(draws_of(pool, 1, 300), 1, "what is larger than the supply is drawn by itself");
    is_number(draws_of(pool, 1, 0), 0, "nothing is drawn for nothing");
    apr_pool_destroy(pool);
}

/* Lengths vary, so that the end of the supply is met in many ways. */
static void different(apr_pool_t *parent)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, parent);
    na_random_supply(pool);
    apr_table_t *seen = apr_table_make(pool, 2000);
    int twice = 0;
    for (int i = 0; i < 1000; i++) {
        unsigned char bytes[64];
        apr_size_t len = 4 * (apr_size_t)(1 + i % 16);
        na_random_from(pool, bytes, len);
        for (apr_size_t word = 0; word < len; word += 4) {
            const char *hex = na_hex(pool, bytes + word, 4);
            twice += apr_table_get(seen, hex) != NULL;
            apr_table_setn(seen, hex, "");
        }
    }
    is_number(twice, 0, "no bytes are handed out twice");
    apr_pool_destroy(pool);
}

static void wiped(apr_pool_t *parent)
{
    apr_pool_t *pool;
    unsigned char bytes[32];
    void *supply = NULL;
    apr_pool_create(&pool, parent);
    na_random_supply(pool);
    na_random_from(pool, bytes, sizeof bytes);
    apr_pool_userdata_get(&supply, "nextauth random", pool);
    ok(supply && !memmem(supply, 256, bytes, sizeof bytes), "the supply forgets what it hands out");
    apr_pool_destroy(pool);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    RAND_set_rand_method(&counted);
    supplied(pool);
    different(pool);
    wiped(pool);
    return tap_done();
}
