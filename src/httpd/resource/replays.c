/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of sign-ins whose answer came: of all processes, and kept over reloads. */
#include "auth/replay.h"
#include "httpd/startup.h"

#define NAME "nextauth-replays-" NA_VERSION

/* Of the parent process; children inherit it. */
static void **kept;

na_error *na_replays_prepare(server_rec *s)
{
    kept = ap_retained_data_get(NAME);
    if (!kept)
        kept = ap_retained_data_create(NAME, sizeof *kept);
    return *kept ? NULL
                 : na_share(s->process->pool, na_replay_memory_size(), "answered sign-ins", kept);
}

na_replay_memory *na_replays_of_child(void)
{
    return *kept;
}
