/* SPDX-License-Identifier: Apache-2.0 */
/* The command `providers`: the built-in providers. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/print.h"
#include "provider/catalogue.h"

static json_t *json_of(const na_catalogue_entry *entry)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*}", "id", entry->id, "type", entry->type,
                     "name", entry->name, "requires", entry->requires, "console", entry->console,
                     "trap", entry->trap);
}

static na_error *list(apr_pool_t *pool, int as_json)
{
    na_catalogue *catalogue;
    na_catalogue_entry entry;
    json_t *all = na_json_own(pool, json_array());
    NA_TRY(na_catalogue_load(pool, &catalogue));
    const apr_array_header_t *ids = na_catalogue_ids(pool, catalogue);
    if (!as_json)
        printf("%-24s %-6s %-26s %s\n", "ID", "TYPE", "NAME", "ALSO REQUIRES");
    for (int i = 0; i < ids->nelts; i++) {
        NA_TRY(na_catalogue_describe(pool, catalogue, APR_ARRAY_IDX(ids, i, const char *), &entry));
        json_array_append_new(all, json_of(&entry));
        if (!as_json)
            printf("%-24s %-6s %-26s %s\n", entry.id, entry.type, entry.name,
                   *entry.requires ? entry.requires : "-");
    }
    if (as_json)
        printf("%s\n", na_json_dump(pool, all));
    return NULL;
}

int na_command_providers(apr_pool_t *pool, int argc, char **argv)
{
    int as_json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !as_json)
        return na_ctl_wrong_call("providers", NULL);
    na_error *error = list(pool, as_json);
    return error ? na_ctl_failed(pool, error) : 0;
}
