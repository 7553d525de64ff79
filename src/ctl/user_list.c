/* SPDX-License-Identifier: Apache-2.0 */
/* The command `user list`. */
#include <stdio.h>

#include <apr_strings.h>

#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/user.h"

/* Users that are read at a time, so that memory does not grow with their number. */
#define PAGE 500

static void list_one(const na_ctl_user_call *c, apr_pool_t *pool, const na_db_person *person,
                     int is_first)
{
    const json_t *json = na_ctl_user_json(pool, person);
    if (c->json)
        printf("%s%s", is_first ? "" : ",", na_json_dump(pool, json));
    else
        na_ctl_user_print_row(c->db, pool, json);
}

/* `last` is the ID to continue after, "" at first; *count grows by the number of users. */
static na_error *list_page(const na_ctl_user_call *c, apr_pool_t *pool,
                           char last[NA_CTL_USER_TEXT_MAX + 1], int *count)
{
    apr_array_header_t *people = apr_array_make(pool, PAGE, sizeof(na_db_person));
    NA_TRY(na_db_list(c->db, pool, *last ? last : NULL, PAGE, people));
    for (int i = 0; i < people->nelts; i++) {
        const na_db_person *person = &APR_ARRAY_IDX(people, i, na_db_person);
        list_one(c, pool, person, ++*count == 1);
        apr_cpystrn(last, person->user.id, NA_CTL_USER_TEXT_MAX + 1);
    }
    return NULL;
}

static na_error *list_pages(const na_ctl_user_call *c, apr_pool_t *page, int *count)
{
    char last[NA_CTL_USER_TEXT_MAX + 1] = "";
    int before;
    do {
        before = *count;
        NA_TRY(list_page(c, page, last, count));
        apr_pool_clear(page);
    } while (*count - before == PAGE);
    return NULL;
}

static na_error *list(na_ctl_user_call *c, int *count)
{
    apr_pool_t *page;
    NA_TRY(na_ctl_user_connect(c));
    apr_pool_create(&page, c->pool);
    if (c->json)
        printf("{\"users\":[");
    else
        na_ctl_user_print_heading(c->db);
    return list_pages(c, page, count);
}

int na_command_user_list(apr_pool_t *pool, int argc, char **argv)
{
    na_ctl_user_call c = {.pool = pool};
    int count = 0;
    if (!na_ctl_user_options(&c, argc, argv, "", 0))
        return na_ctl_wrong_call("user list", NULL);
    na_error *error = list(&c, &count);
    if (error)
        return na_ctl_user_end(&c, NULL, error);
    if (c.json)
        printf("]}\n");
    else
        fprintf(stderr, "%d user%s\n", count, count == 1 ? "" : "s");
    return 0;
}
