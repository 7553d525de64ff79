/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that are run: only one that is known to have succeeded has an answer. */
#include "base/run.h"

#include <signal.h>

#include "tap.h"

static na_error *run(apr_pool_t *pool, const char *script)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    const na_run_limits limits = {10000, 100};
    const char *output;
    return na_run(pool, argv, "", &limits, &output);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    succeeds(run(pool, "echo true"), "a program that ends with status 0");
    fails(run(pool, "echo true; exit 1"), "one that writes an answer and fails");
    fails(run(pool, "echo true; kill -9 $$"), "one that is killed");
    signal(SIGCHLD, SIG_IGN); /* httpd inherits that from whatever started it */
    fails(run(pool, "echo true; exit 1"), "one whose status the system does not keep");
    return tap_done();
}
