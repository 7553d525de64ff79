/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "httpd/config/build.h"

na_error *na_build_log(na_building *b, const na_written *w)
{
    const char *target = w->argv[1];
    int json = strcmp(w->argv[0], "json") == 0;
    if (!json && strcmp(w->argv[0], "plain") != 0)
        return na_wrong(b, "'%s': json or plain is wanted", w->argv[0]);
    b->plan->log =
        (na_log_plan){.json = json, .target = strcmp(target, "errorlog") == 0 ? NULL : target};
    return b->plan->log.target ? na_build_check_target(b, b->plan->log.target) : NULL;
}
