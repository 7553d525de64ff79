/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_atomic.h>
#include <apr_thread_proc.h>
#include <apr_time.h>

#include "auth/password.h"
#include "tap.h"

static volatile apr_uint32_t entered, refused;

static void *APR_THREAD_FUNC try_gate(apr_thread_t *thread, void *gate)
{
    if (na_password_gate_enter(gate)) {
        apr_atomic_inc32(&entered);
        na_password_gate_leave(gate);
    } else {
        apr_atomic_inc32(&refused);
    }
    return NULL;
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    na_password_gate *gate;
    apr_thread_t *threads[12];
    apr_status_t status;
    succeeds(na_password_gate_make(pool, 1, &gate), "a gate of one place");
    ok(na_password_gate_enter(gate), "the first goes in");
    for (int i = 0; i < 12; i++)
        apr_thread_create(&threads[i], NULL, try_gate, gate, pool);
    for (int i = 0; i < 400 && apr_atomic_read32(&refused) < 4; i++)
        apr_sleep(10 * 1000);
    is_number(apr_atomic_read32(&refused), 4, "eight may wait, the other four are refused at once");
    is_number(apr_atomic_read32(&entered), 0, "nobody goes in while the place is taken");
    na_password_gate_leave(gate);
    for (int i = 0; i < 12; i++)
        apr_thread_join(&status, threads[i]);
    is_number(apr_atomic_read32(&entered), 8, "then those who waited do, one after the other");
    ok(na_password_gate_enter(gate), "and the place is free again");
    return tap_done();
}
