/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL keeps for a thread is freed when the thread says so, and not at its end. */
#include <pthread.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/crypto.h"
#include "tap.h"

static volatile int freed;

static void *take(size_t len, const char *file, int line)
{
    return malloc(len);
}

static void *resize(void *data, size_t len, const char *file, int line)
{
    return realloc(data, len);
}

static void give(void *data, const char *file, int line)
{
    freed += data != NULL;
    free(data);
}

static void use_openssl(void)
{
    unsigned char bytes[16];
    na_random(bytes, sizeof bytes);
    ERR_clear_error();
}

static void *keep(void *unused)
{
    use_openssl();
    freed = 0;
    return NULL;
}

static void *release_twice(void *unused)
{
    use_openssl();
    na_crypto_release_thread();
    use_openssl();
    na_crypto_release_thread();
    freed = 0;
    return NULL;
}

/* Returns how much OpenSSL frees at the end of a thread. */
static int freed_at_end(void *(*run)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        abort();
    pthread_join(thread, NULL);
    return freed;
}

int main(void)
{
    int counts = CRYPTO_set_mem_functions(take, resize, give);
    tap_start();
    ok(counts, "OpenSSL's memory is counted");
    ok(freed_at_end(keep) > 0, "a thread's end frees what OpenSSL kept for it");
    is_number(freed_at_end(release_twice), 0,
              "nothing is left for the end of one that released it");
    return tap_done();
}
