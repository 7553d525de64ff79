/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/header.h"
#include "tap.h"

static int is_x(const char *name, const void *data)
{
    return *name == 'x';
}

static void without(apr_pool_t *pool)
{
    static const struct {
        const char *list, *kept;
    } rows[] = {{"", ""},          {"a", "a"},      {"x", ""},          {"a,b", "a, b"},
                {"a,x,b", "a, b"}, {"x,a", "a"},    {"a,x", "a"},       {" ,;a ;\tb;; ,", "a, b"},
                {"a;x1;x2", "a"},  {"\"a\"x", "a"}, {"a:x=y@x", "a, y"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is(na_header_without(pool, rows[i].list, is_x, NULL), rows[i].kept, rows[i].list);
}

static void spelling(void)
{
    ok(na_header_is_spelling_of("X_WebAuth.USER", "x-webauth-user"), "another spelling");
    ok(!na_header_is_spelling_of("X-WebAuth-User-", "x-webauth-user"), "a longer name is another");
    ok(!na_header_is_spelling_of("X-WebAuth", "x-webauth-user"), "and so is a shorter one");
    ok(!na_header_is_spelling_of("X-WebAuth-Uzer", "x-webauth-user"), "and one of other letters");
}

static void cache_control(apr_pool_t *pool)
{
    static const struct {
        const char *theirs, *ours, *value;
    } rows[] = {
        {"", "private", "private"},
        {"a", "private", "private, a"},
        {"public", "private", "private"},
        {"max-age=6 , public", "private", "private, max-age=6"},
        {"s-maxage=1,Public,a=\"b, public\",c", "private", "private, a=\"b, public\", c"},
        {"private=\"a\", PRIVATE, no-store", "private", "private, no-store"},
        {"max-age=6, x", "no-store, max-age=0", "no-store, max-age=0, x"},
        {"a=\"\\\"\", b", "private", "private, a=\"\\\"\", b"},
        {"a, \"b", "private", "private, a"},
        {",,a,,", "private", "private, a"},
        {"publicity, =, public=1", "private", "private, publicity, ="},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is(na_cache_control_for_user(pool, rows[i].theirs, rows[i].ours), rows[i].value,
           rows[i].theirs);
    ok(na_cache_control_is_for_user("max-age=1, Private"), "private keeps others out");
    ok(na_cache_control_is_for_user("no-store"), "no-store, too");
    ok(!na_cache_control_is_for_user("private=\"x\""), "private for a field does not");
    ok(!na_cache_control_is_for_user("max-age=0, no-cache"), "nor does no-cache");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    without(pool);
    spelling();
    cache_control(pool);
    return tap_done();
}
