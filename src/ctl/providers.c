/* SPDX-License-Identifier: Apache-2.0 */
/* The command `providers`: the built-in providers. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/print.h"
#include "provider/provider.h"

int na_command_providers(apr_pool_t *pool, int argc, char **argv)
{
    int as_json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !as_json)
        return na_ctl_wrong_call("providers", NULL);
    json_t *list = na_json_own(pool, json_array());
    char *last, *ids = apr_pstrdup(pool, na_provider_catalogue_ids(pool));
    if (!as_json)
        printf("%-20s %-8s %s\n", "ID", "TYPE", "NAME");
    for (char *id = apr_strtok(ids, ", ", &last); id; id = apr_strtok(NULL, ", ", &last)) {
        na_provider *p;
        if (na_provider_from_catalogue(pool, id, &p))
            return 1;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", p->id, "type",
                                              na_provider_type_name(p), "name", p->name));
        if (!as_json)
            printf("%-20s %-8s %s\n", p->id, na_provider_type_name(p), p->name);
    }
    if (as_json)
        printf("%s\n", na_json_dump(pool, list));
    return 0;
}
